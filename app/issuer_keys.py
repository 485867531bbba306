"""The keys of a real issuer, found by OIDC discovery (or given), kept, and renewed when a token names a new one.

While the issuer is away the kept keys serve for a day; then, and before the first fetch, requests fail closed.
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any, Protocol

import httpx
import structlog
from joserfc.jwk import KeySet

from app.errors import TemporarilyUnavailable

_FRESH_SECONDS = 3600.0
_KEPT_SECONDS = 86_400.0
_PAUSE_SECONDS = 60.0  # unknown key ids, however many, cause one fetch in this time
_TIMEOUT = httpx.Timeout(5.0)
_LARGEST = 256 * 1024

_log = structlog.get_logger(__name__)

Monotonic = Callable[[], float]


class KeySource(Protocol):
    """Where the verifier finds the issuer's keys."""

    async def keys(self, kid: str | None) -> KeySet:
        """The keys, fetched again if none has this id and that is not known to be in vain.

        Raises: TemporarilyUnavailable.
        """


class FixedKeys:
    """Keys that are known from the start: the embedded issuer's."""

    def __init__(self, keys: KeySet) -> None:
        self._keys = keys

    async def keys(self, _kid: str | None) -> KeySet:
        """The keys."""
        return self._keys


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

    async def keys(self, kid: str | None) -> KeySet:
        """The keys, as fresh as they need to be.

        Raises: TemporarilyUnavailable, when there are none that can be trusted any more.
        """
        if not self._sufficient(kid):
            async with self._fetching:
                if not self._sufficient(kid) and self._monotonic() - self._tried_at >= _PAUSE_SECONDS:
                    await self._fetch()
        if self._keys is None or self._monotonic() - self._fetched_at > _KEPT_SECONDS:
            raise TemporarilyUnavailable("The issuer of bearer tokens does not answer.")
        return self._keys

    def _sufficient(self, kid: str | None) -> bool:
        if self._keys is None or self._monotonic() - self._fetched_at > _FRESH_SECONDS:
            return False
        return kid is None or any(key.kid == kid for key in self._keys.keys)

    async def _fetch(self) -> None:
        self._tried_at = self._monotonic()
        try:
            async with httpx.AsyncClient(timeout=_TIMEOUT, follow_redirects=False) as http:
                url = self._jwks_url or await self._discover(http)
                self._keys = KeySet.import_key_set(await _document(http, url))  # type: ignore[arg-type]
                self._fetched_at = self._monotonic()
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as fault:
            _log.warning("issuer's keys not fetched", fault=type(fault).__name__)

    async def _discover(self, http: httpx.AsyncClient) -> str:
        found = await _document(http, f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        if found["issuer"] != self._issuer:
            raise ValueError("the discovery document is another issuer's")
        return str(found["jwks_uri"])


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
