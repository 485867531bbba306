"""Webhooks' signing secrets and signatures, by the Standard Webhooks specification (version 1, symmetric)."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

_PREFIX = "whsec_"
_BYTES = 32  # the specification asks for 24 to 64


class SecretUnreadable(Exception):
    """The secret was encrypted with a key that is not set any more."""


class WebhookSecrets:
    """Makes secrets and keeps them encrypted: the first key encrypts, all decrypt. Each key has 32 bytes."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._box = MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])

    def new(self) -> str:
        """A new secret, as its receiver types it in."""
        return _PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()

    def seal(self, secret: str) -> bytes:
        """As it stands in the database."""
        return self._box.encrypt(secret.encode())

    def open(self, sealed: bytes) -> str:
        """Out of the database.

        Raises: SecretUnreadable.
        """
        try:
            return self._box.decrypt(sealed).decode()
        except InvalidToken:
            raise SecretUnreadable from None


def signatures(secrets: Iterable[str], message_id: str, timestamp: int, body: bytes) -> str:
    """The header `webhook-signature`: one signature for each secret that counts at the moment."""
    content = f"{message_id}.{timestamp}.".encode() + body
    keys = [base64.b64decode(secret.removeprefix(_PREFIX)) for secret in secrets]
    made = [base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode() for key in keys]
    return " ".join(f"v1,{one}" for one in made)
