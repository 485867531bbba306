"""Signed one-time tokens: a link is nothing but the signed id of a row.

The row holds purpose, owner, expiry and end. The signature proves that this service made the link; whether it is
still good is the database's word alone. Nothing stored can be turned back into a link.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from itsdangerous import BadData, URLSafeSerializer

from app.errors import TokenInvalid


class Purpose(StrEnum):
    """What a token is for; a token of one purpose is noise for every other."""

    INVITATION = "invitation"
    EMAIL_CONFIRMATION = "emailconfirmation"
    PASSWORD_RESET = "passwordreset"
    IMPERSONATION = "impersonation"


@dataclass(frozen=True, slots=True)
class Link:
    """What a genuine token says: which row of which organisation."""

    purpose: Purpose
    organisation_id: UUID
    token_id: UUID


# 104 characters at most: 32 bytes of ids, written twice in base64, a dot, and 32 bytes of signature. The serializer
# compresses ids with long runs of zeros, so a token may be shorter.
LONGEST_TOKEN = 104


class TokenSigner:
    """Signs and reads tokens with a ring of keys: the first signs, all verify."""

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise ValueError("a TokenSigner needs at least one key")
        self._rings = {purpose: [_serializer(key, purpose) for key in keys] for purpose in Purpose}

    def sign(self, purpose: Purpose, organisation_id: UUID, token_id: UUID) -> str:
        """The token for a row: at most LONGEST_TOKEN characters, safe in a URL's fragment, the same at each call."""
        content = base64.urlsafe_b64encode(organisation_id.bytes + token_id.bytes).decode().rstrip("=")
        return str(self._rings[purpose][0].dumps(content))

    def read(self, purpose: Purpose, token: str) -> Link:
        """The row that a token names.

        Base64 can be written in several ways that decode alike. The content is signed as it is written; the signature
        itself counts only as this service writes it.

        Raises: TokenInvalid, the same for noise, damage, another purpose and a key no longer in the ring.
        """
        if len(token) > LONGEST_TOKEN:
            raise TokenInvalid
        for serializer in self._rings[purpose]:
            try:
                content = serializer.loads(token)
                raw = base64.urlsafe_b64decode(content + "=")
                genuine = len(raw) == 32 and _as_written(token.rpartition(".")[2])
            except (BadData, ValueError, TypeError):
                continue
            if genuine:
                return Link(purpose, UUID(bytes=raw[:16]), UUID(bytes=raw[16:]))
        raise TokenInvalid

    def read_any(self, token: str) -> Link:
        """The row that a token of whichever purpose names.

        Raises: TokenInvalid.
        """
        for purpose in Purpose:
            try:
                return self.read(purpose, token)
            except TokenInvalid:
                continue
        raise TokenInvalid


def _as_written(signature: str) -> bool:
    return base64.urlsafe_b64encode(base64.urlsafe_b64decode(signature + "=")).decode().rstrip("=") == signature


def _serializer(key: str, purpose: Purpose) -> URLSafeSerializer:
    """One key and purpose. Untimed: expiry is the row's. A salt per purpose keeps the purposes apart."""
    return URLSafeSerializer(
        key,
        salt=f"portal-access.{purpose.value}",
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
    )
