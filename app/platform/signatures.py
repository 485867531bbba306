"""The platform's signature under its webhooks: HMAC with SHA-256 over the raw body, and a secret that both know.

It has no time in it. A body that is sent again by somebody else changes nothing that is not the platform's own word:
the customer is fetched anew, and what an event tells by itself has its effect once.
"""

import hashlib
import hmac
import re

from app.errors import SignatureInvalid

SIGNATURE_HEADER = "X-Webhook-Signature-256"

_SIGNATURE = re.compile(r"(?:sha256=)?([0-9a-fA-F]{64})")


class PlatformSignatures:
    """Checks what comes in the platform's name."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def check(self, signature: str | None, body: bytes) -> None:
        """Raises: SignatureInvalid, for a body that the platform did not sign."""
        found = _SIGNATURE.fullmatch(signature.strip()) if signature else None
        expected = hmac.digest(self._secret, body, hashlib.sha256)
        if found is None or not hmac.compare_digest(bytes.fromhex(found[1]), expected):
            raise SignatureInvalid
