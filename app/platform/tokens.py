"""Our access token for the platform's API: OAuth 2.0 client credentials (RFC 6749 section 4.4)."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from app.platform.answers import PlatformFailed, check_rate, json_object

_EARLY_SECONDS = 60.0  # a token that is on its way must not expire underway
_UNSAID_SECONDS, _LONGEST_SECONDS = 300.0, 7 * 86_400.0

Monotonic = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we are to the platform."""

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str | None = None


class AccessTokens:
    """Remembers a token until shortly before it expires. Of several who need a new one, one asks."""

    def __init__(self, credentials: Credentials, http: httpx.AsyncClient, monotonic: Monotonic) -> None:
        self._credentials = credentials
        self._http = http
        self._monotonic = monotonic
        self._token: str | None = None
        self._good_until = float("-inf")
        self._asking = asyncio.Lock()

    async def get(self) -> str:
        """A token that should work.

        Raises: PlatformBusy, PlatformFailed, httpx.HTTPError.
        """
        async with self._asking:
            if self._token is None or self._monotonic() >= self._good_until:
                self._token = await self._ask()
            return self._token

    def forget(self, token: str) -> None:
        """The platform refused this one; a newer one is kept."""
        if self._token == token:
            self._token = None

    async def _ask(self) -> str:
        given = self._credentials
        form = {"grant_type": "client_credentials", "client_id": given.client_id, "client_secret": given.client_secret}
        if given.scope:
            form["scope"] = given.scope
        asked_at = self._monotonic()
        headers = {"Accept": "application/json"}
        async with self._http.stream("POST", given.token_url, data=form, headers=headers) as answer:
            check_rate(answer)
            if answer.status_code != 200:
                raise PlatformFailed(f"its token endpoint answered with status {answer.status_code}")
            found = await json_object(answer)
        token, lifetime = found.get("access_token"), found.get("expires_in", _UNSAID_SECONDS)
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
            raise PlatformFailed("its token endpoint gave no token")
        known = isinstance(lifetime, int | float) and 0 < lifetime < _LONGEST_SECONDS
        seconds = lifetime if known else _UNSAID_SECONDS
        self._good_until = asked_at + max(seconds - _EARLY_SECONDS, seconds / 2)
        return token
