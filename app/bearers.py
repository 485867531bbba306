"""Bearer tokens of employees and applications: read and verified, and issued by the embedded issuer.

RFC 8725 in short: algorithms are an allow-list, issuer and audience are compared exactly, an expiry is required,
and keys come from the issuer alone, never from the token's header.
"""

import base64
import secrets
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey

from app.claims import APPLICATION, EVERY_ORGANISATION, ClaimRules
from app.clock import Clock
from app.domain.callers import Bearer
from app.errors import Unauthenticated
from app.issuer_keys import KeySource
from app.permissions import Permission, Role
from app.settings import EMBEDDED_ISSUER

ALGORITHM = "Ed25519"
ALLOWED_ALGORITHMS = ("RS256", "PS256", "ES256", ALGORITHM)  # no secret is shared with an issuer, so no HMAC
LEEWAY_SECONDS = 60
_MOST_REMEMBERED = 10_000
_REMEMBERED_SECONDS = 300
_LONGEST_TOKEN = 16_384


def embedded_keys(secret_keys: Sequence[str]) -> KeySet:
    """The embedded issuer's keys, derived from the service's secrets so that all nodes agree."""
    return KeySet([_key(secret) for secret in secret_keys])


def _key(secret: str) -> OKPKey:
    seed = HKDF(hashes.SHA256(), 32, salt=None, info=b"portal-access embedded issuer").derive(secret.encode())
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    plain = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "d": _b64(seed), "x": _b64(public)})
    return OKPKey.import_key(plain.as_dict(private=True), {"kid": plain.thumbprint(), "use": "sig", "alg": ALGORITHM})


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class EmbeddedIssuer:
    """Issues bearer tokens for development, demonstrations and tests; production refuses to start with it."""

    keys: KeySet
    audience: str
    clock: Clock
    name: str = EMBEDDED_ISSUER

    def issue(
        self,
        *,
        tenant_id: UUID,
        organisations: Iterable[UUID] | None,
        roles: Iterable[Role] = (),
        permissions: Iterable[Permission] = (),
        subject: str = "employee-1",
        name: str | None = None,
        application: bool = False,
        hours: float = 12,
    ) -> str:
        """A JWT; `organisations` None means every organisation of the tenant."""
        now = int(self.clock().timestamp())
        claims: dict[str, Any] = {
            "iss": self.name,
            "aud": self.audience,
            "sub": subject,
            "iat": now,
            "exp": now + int(hours * 3600),
            "jti": secrets.token_hex(8),
            "zf_tenant": str(tenant_id),
            "zf_organisations": [EVERY_ORGANISATION]
            if organisations is None
            else [str(organisation) for organisation in organisations],
            "roles": [role.value for role in roles],
            "permissions": [permission.value for permission in permissions],
        }
        if name:
            claims["name"] = name
        if application:
            claims |= {"idtyp": APPLICATION, "azp": subject}
        key = self.keys.keys[0]
        return jwt.encode({"alg": ALGORITHM, "kid": key.kid, "typ": "at+jwt"}, claims, key, algorithms=[ALGORITHM])


class BearerVerifier:
    """Verifies bearer tokens and remembers the good ones until they expire, within a bound."""

    def __init__(
        self, *, keys: KeySource, issuer: str, audience: str, clock: Clock, rules: ClaimRules | None = None
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._rules = rules or ClaimRules()
        self._remembered: OrderedDict[str, tuple[Bearer, float]] = OrderedDict()

    async def verify(self, token: str) -> Bearer:
        """Who the bearer is.

        Raises: Unauthenticated, TemporarilyUnavailable.
        """
        now = self._clock().timestamp()
        known = self._remembered.get(token)
        if known is not None:
            bearer, until = known
            if now < until:
                return bearer
            del self._remembered[token]
        bearer = await self._read(token, int(now))
        # Not for longer: a key that its issuer withdrew must not live on in what was verified with it.
        until = min(now + _REMEMBERED_SECONDS, bearer.expires_at + LEEWAY_SECONDS)
        self._remembered[token] = (bearer, until)
        if len(self._remembered) > _MOST_REMEMBERED:
            self._remembered.popitem(last=False)
        return bearer

    async def _read(self, token: str, now: int) -> Bearer:
        if len(token) > _LONGEST_TOKEN:
            raise Unauthenticated
        try:
            kid = jws.extract_compact(token.encode()).headers().get("kid")
        except (JoseError, ValueError, TypeError):
            raise Unauthenticated from None
        keys = await self._keys.keys(kid if isinstance(kid, str) else None)
        rules = jwt.JWTClaimsRegistry(
            now=now,
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._audience},
            exp={"essential": True},
        )
        try:
            decoded = jwt.decode(token, keys, algorithms=ALLOWED_ALGORITHMS)
            rules.validate(decoded.claims)
        except (JoseError, ValueError, TypeError, KeyError):
            raise Unauthenticated from None
        return self._rules.bearer(decoded.header, decoded.claims)
