"""Portal session tokens: opaque, 256 random bits beside the ids of organisation and session.

The database keeps a SHA-256 digest of the random half; with 256 bits there is nothing to guess or to slow down.
"""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from uuid import UUID

from app.errors import Unauthenticated

_PREFIX = "zfp_"  # lets secret scanners recognise a token that leaked
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class SessionKey:
    """What a session token says: which row, and the digest that the row must hold."""

    organisation_id: UUID
    session_id: UUID
    secret_digest: bytes


def new_session_token(organisation_id: UUID, session_id: UUID) -> tuple[str, SessionKey]:
    """A fresh token (90 characters) and what is kept of it."""
    secret = secrets.token_bytes(_SECRET_BYTES)
    raw = organisation_id.bytes + session_id.bytes + secret
    return _PREFIX + _b64(raw), SessionKey(organisation_id, session_id, hashlib.sha256(secret).digest())


def read_session_token(token: str) -> SessionKey:
    """What a token says; whether there is such a session, the database knows.

    Raises: Unauthenticated, for anything that is not written exactly as `new_session_token` writes.
    """
    text = token.removeprefix(_PREFIX)
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise Unauthenticated from None
    if len(raw) != 32 + _SECRET_BYTES or _PREFIX + _b64(raw) != token:
        raise Unauthenticated
    return SessionKey(UUID(bytes=raw[:16]), UUID(bytes=raw[16:32]), hashlib.sha256(raw[32:]).digest())


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
