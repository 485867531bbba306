"""The keys of a real issuer, found by OIDC discovery (or given), kept, and renewed when a token names a new one.

Kept keys older than an hour still serve while new ones are fetched beside the request, so that a slow issuer keeps
nobody waiting. While it is away they serve for a day; then, and before the first fetch, requests fail closed.
"""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet

from app.errors import TemporarilyUnavailable

_FRESH_SECONDS = 3600.0
_KEPT_SECONDS = 86_400.0
_PAUSE_SECONDS = 60.0  # unknown key ids, however many, cause one fetch in this time
_FIRST_PAUSE_SECONDS = 5.0  # as long as there are no keys at all
_TIMEOUT = httpx.Timeout(5.0)
_WHOLE_FETCH_SECONDS = 10.0
_LARGEST = 256 * 1024
_KEY_TYPES = frozenset(("RSA", "EC", "OKP"))

_log = structlog.get_logger(__name__)

Monotonic = Callable[[], float]


class KeySource(Protocol):
    """Where the verifier finds the issuer's keys."""

    async def keys(self, kid: str | None) -> KeySet:
        """The keys, fetched again if none has this id and that is not known to be in vain.

        Raises: TemporarilyUnavailable.
        """

    async def close(self) -> None:
        """Leave nothing running."""


class FixedKeys:
    """Keys that are known from the start: the embedded issuer's."""

    def __init__(self, keys: KeySet) -> None:
        self._keys = keys

    async def keys(self, _kid: str | None) -> KeySet:
        """The keys."""
        return self._keys

    async def close(self) -> None:
        """Nothing runs."""


class IssuerKeys:
    """A real issuer's keys. `monotonic` counts seconds."""

    def __init__(self, issuer: str, jwks_url: str | None, monotonic: Monotonic) -> None:
        self._issuer = issuer
        self._jwks_url = jwks_url
        self._monotonic = monotonic
        self._keys: KeySet | None = None
        self._fetched_at = 0.0
        self._tried_at = float("-inf")
        self._fetching = asyncio.Lock()
        self._renewal: asyncio.Task[None] | None = None

    async def keys(self, kid: str | None) -> KeySet:
        """The keys, as fresh as they need to be.

        Raises: TemporarilyUnavailable, when there are none that can be trusted any more.
        """
        if not self._holds(kid):
            async with self._fetching:
                if not self._holds(kid) and self._due():
                    await self._fetch()
        elif self._age() > _FRESH_SECONDS and self._due() and not self._fetching.locked():
            self._tried_at = self._monotonic()
            self._renewal = asyncio.create_task(self._renew())
        if self._keys is None or self._age() > _KEPT_SECONDS:
            raise TemporarilyUnavailable("The issuer of bearer tokens does not answer.")
        return self._keys

    async def close(self) -> None:
        """Stop a renewal that is under way."""
        if self._renewal is not None:
            self._renewal.cancel()
            with suppress(asyncio.CancelledError):
                await self._renewal

    def _holds(self, kid: str | None) -> bool:
        """Whether the kept keys may be used and one has this id."""
        if self._keys is None or self._age() > _KEPT_SECONDS:
            return False
        return kid is None or any(key.kid == kid for key in self._keys.keys)

    def _age(self) -> float:
        return self._monotonic() - self._fetched_at

    def _due(self) -> bool:
        pause = _FIRST_PAUSE_SECONDS if self._keys is None else _PAUSE_SECONDS
        return self._monotonic() - self._tried_at >= pause

    async def _renew(self) -> None:
        async with self._fetching:
            await self._fetch()

    async def _fetch(self) -> None:
        self._tried_at = self._monotonic()
        try:
            async with (
                asyncio.timeout(_WHOLE_FETCH_SECONDS),
                httpx.AsyncClient(timeout=_TIMEOUT, follow_redirects=False) as http,
            ):
                url = self._jwks_url or await self._discover(http)
                self._keys = _usable(await _document(http, url))
                self._fetched_at = self._monotonic()
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError, KeyError, TypeError) as fault:
            _log.warning("issuer's keys not fetched", fault=type(fault).__name__)

    async def _discover(self, http: httpx.AsyncClient) -> str:
        found = await _document(http, f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        if found["issuer"] != self._issuer:
            raise ValueError("the discovery document is another issuer's")
        url = str(found["jwks_uri"])
        if urlsplit(self._issuer).scheme == "https" and urlsplit(url).scheme != "https":
            raise ValueError("an issuer with TLS has its keys behind TLS as well")
        return url


def _usable(document: dict[str, Any]) -> KeySet:
    """The public keys that verify signatures; those of other kinds and uses are left out (RFC 7517 section 5).

    Raises: ValueError, when there are none.
    """
    keys: list[Key] = []
    for given in document["keys"]:
        if not isinstance(given, dict) or given.get("kty") not in _KEY_TYPES or given.get("use", "sig") != "sig":
            continue
        with suppress(JoseError, ValueError, TypeError, KeyError):
            keys.append(JWKRegistry.import_key(given))
    if not keys:
        raise ValueError("the issuer has no keys for signatures")
    return KeySet(keys)


async def _document(http: httpx.AsyncClient, url: str) -> dict[str, Any]:
    async with http.stream("GET", url) as answer:
        answer.raise_for_status()
        content = b""
        async for chunk in answer.aiter_bytes():
            content += chunk
            if len(content) > _LARGEST:
                raise ValueError("the issuer's answer is too large")
    found = json.loads(content)
    if not isinstance(found, dict):
        raise ValueError("the issuer's answer is not an object")
    return found
