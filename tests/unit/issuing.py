"""Bearer tokens for the tests: well made, badly made, and read."""

import asyncio
import base64
import json
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwt
from joserfc.jwk import OKPKey

from app.bearers import BearerVerifier, embedded_keys
from app.domain.callers import Bearer
from app.errors import Unauthenticated
from app.issuer_keys import FixedKeys
from app.settings import EMBEDDED_ISSUER

SECRET = "a-secret-of-the-unit-tests-0123456789"
KEYS = embedded_keys([SECRET])
KEY = cast(OKPKey, KEYS.keys[0])
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TENANT, ORGANISATION = UUID(int=1), UUID(int=2)
CLAIMS: dict[str, Any] = {
    "iss": EMBEDDED_ISSUER,
    "aud": "portal-access",
    "sub": "employee-7",
    "iat": int(NOW.timestamp()),
    "exp": int(NOW.timestamp()) + 3600,
    "zf_tenant": str(TENANT),
    "zf_organisations": [str(ORGANISATION)],
    "roles": ["readonly"],
    "permissions": [],
}


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def verifier(clock: Clock | None = None, secret: str = SECRET) -> BearerVerifier:
    return BearerVerifier(
        keys=FixedKeys(embedded_keys([secret])),
        issuer=EMBEDDED_ISSUER,
        audience="portal-access",
        clock=clock or Clock(),
    )


def token_of(claims: dict[str, Any] | None = None, key: Any = KEY, **header: Any) -> str:
    head = {"alg": "Ed25519", "kid": KEY.kid, "typ": "at+jwt"} | header
    return jwt.encode({k: v for k, v in head.items() if v is not None}, claims or CLAIMS, key, algorithms=[head["alg"]])


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in CLAIMS.items() if name not in names}


def read(token: str, by: BearerVerifier | None = None) -> Bearer:
    return asyncio.run((by or verifier()).verify(token))


def refused(token: str, by: BearerVerifier | None = None) -> None:
    with pytest.raises(Unauthenticated):
        read(token, by)


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def signed(header: object, claims: object, key: OKPKey) -> str:
    """Well signed by this key, whatever the header says."""
    text = f"{part(header)}.{part(claims)}"
    private = key.get_op_key("sign")
    assert isinstance(private, Ed25519PrivateKey)
    return f"{text}.{base64.urlsafe_b64encode(private.sign(text.encode())).rstrip(b'=').decode()}"


def raw(header: object, claims: object = CLAIMS) -> str:
    """Well signed by our own key, whatever the header says."""
    return signed(header, claims, KEY)
