"""The mail provider's signature under its delivery events: Twilio SendGrid's signed Event Webhook.

ECDSA on P-256 with SHA-256 over the timestamp header and the raw body. A batch that is sent twice changes nothing the
second time, so its age guards little: the limit is a little more than the 24 hours in which the provider repeats
what it could not deliver, for a repetition may carry its first timestamp.
"""

import base64
import binascii
import re
from datetime import UTC, datetime, timedelta

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from app.clock import Clock
from app.errors import SignatureInvalid

SIGNATURE_HEADER = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP_HEADER = "X-Twilio-Email-Event-Webhook-Timestamp"
MOST_BEHIND = timedelta(hours=25)
MOST_AHEAD = timedelta(minutes=10)

_SECONDS = re.compile(r"[0-9]{1,11}")


def public_key(text: str) -> EllipticCurvePublicKey:
    """The key as the provider shows it: base64 of a DER SubjectPublicKeyInfo.

    Raises: ValueError, whose text says what the setting must be.
    """
    try:
        key = load_der_public_key(base64.b64decode(text, validate=True))
    except (ValueError, binascii.Error, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise ValueError("it must be a P-256 public key in base64, as the mail provider shows it") from None
    return key


class EventSignatures:
    """Checks what comes in the mail provider's name."""

    def __init__(self, key: str, clock: Clock) -> None:
        self._key = public_key(key)
        self._clock = clock

    def check(self, signature: str | None, timestamp: str | None, body: bytes) -> None:
        """Raises: SignatureInvalid, for a body that the provider did not sign, or not lately."""
        if signature is None or timestamp is None or not _SECONDS.fullmatch(timestamp):
            raise SignatureInvalid
        try:
            self._key.verify(base64.b64decode(signature, validate=True), timestamp.encode() + body, ECDSA(SHA256()))
        except (InvalidSignature, ValueError):
            raise SignatureInvalid from None
        age = self._clock() - datetime.fromtimestamp(int(timestamp), UTC)
        if not -MOST_AHEAD <= age <= MOST_BEHIND:
            raise SignatureInvalid("The time of the signature is too far from now.")
