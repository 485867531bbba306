"""The mail provider of the tests: signs its delivery events as SendGrid does."""

import base64
import json
import time
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.world import World

_KEY = ec.generate_private_key(ec.SECP256R1())
URL = "/api/portal/v1/communications/events"


def shown(key: ec.EllipticCurvePrivateKey) -> str:
    """The public key as SendGrid shows it."""
    return base64.b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


PUBLIC_KEY = shown(_KEY)


def signed(body: bytes, at: float | None = None, key: ec.EllipticCurvePrivateKey = _KEY) -> dict[str, str]:
    """The headers of a body that is sent now, or at another time (seconds since 1970)."""
    timestamp = str(int(time.time() if at is None else at))
    signature = key.sign(timestamp.encode() + body, ec.ECDSA(SHA256()))
    return {
        "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
        "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
        "Content-Type": "application/json",
    }


def send(world: World, body: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
    """A batch as it stands."""
    return world.http.post(world.url + URL, content=body, headers=signed(body) if headers is None else headers)


def report(world: World, *events: Any) -> httpx.Response:
    """A batch of events."""
    return send(world, json.dumps(events).encode())
