"""The keys under which the log is sealed: Ed25519, so that an auditor checks seals without being able to make any."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


class SealVerifier:
    """A ring of public keys."""

    def __init__(self, ring: Sequence[Ed25519PublicKey]) -> None:
        self._ring = tuple(ring)

    @classmethod
    def reading(cls, texts: Sequence[str]) -> Self:
        """The keys in base64, as `portal-access verify` prints them.

        Raises: ValueError.
        """
        return cls([Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True)) for text in texts])

    def genuine(self, content: bytes, signature: bytes) -> bool:
        """Whether one of the keys has signed this."""
        for key in self._ring:
            try:
                key.verify(signature, content)
            except InvalidSignature:
                continue
            return True
        return False

    @property
    def public_keys(self) -> list[str]:
        """The keys in base64, for those who check and must not sign."""
        return [base64.b64encode(key.public_bytes_raw()).decode() for key in self._ring]


class SealSigner:
    """A ring of secrets: the first signs, the keys of all verify."""

    def __init__(self, secrets: Sequence[str]) -> None:
        ring = [Ed25519PrivateKey.from_private_bytes(_seed(secret)) for secret in secrets]
        self._key = ring[0]
        self.verifier = SealVerifier([key.public_key() for key in ring])

    def sign(self, content: bytes) -> bytes:
        """The signature under what a seal says."""
        return self._key.sign(content)


def _seed(secret: str) -> bytes:
    """Not the secret itself, which may sign other things too."""
    return hmac.digest(secret.encode(), b"portal-access seal", hashlib.sha256)
