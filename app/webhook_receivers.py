"""Calling partners' receivers, and saying in words what went wrong."""

import asyncio
import ssl
from collections.abc import Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime

import httpx

from app.clock import Clock
from app.domain.webhooks import Attempt
from app.outgoing import AddressRefused, Outgoing

_ASKING_FOR_PATIENCE = (429, 503)
_WORDS_READ, _WORDS_KEPT = 2_000, 200  # bytes of a refusal's body, characters of it
_WORDS_SECONDS = 2
_LOOKUP_SECONDS = 3
_LAST_PORT = 65_535
_FORBIDDEN = frozenset(" \"'<>\\^`{|}")


class Receivers:
    """Partners' receivers; `seconds` is how long one may take in all."""

    def __init__(self, outgoing: Outgoing, clock: Clock, *, seconds: float) -> None:
        self._outgoing = outgoing
        self._clock = clock
        self._seconds = seconds

    async def refusal(self, url: str) -> str | None:
        """Why the URL cannot be called, as far as that can be told beforehand; the call itself judges again."""
        if not (url.isascii() and url.isprintable()) or _FORBIDDEN & set(url):
            return "The URL has characters that do not belong into one"
        try:
            parts = httpx.URL(url)
        except httpx.InvalidURL:
            return "This is not a URL"
        port = 443 if parts.port is None else parts.port
        if parts.scheme not in ("http", "https") or not parts.host or not 0 < port <= _LAST_PORT:
            return "The URL must be absolute and start with https://"
        if parts.userinfo or parts.fragment or "#" in url:
            return "The URL must have no user name and no fragment"
        encrypted = parts.scheme == "https"
        permitted = await self._outgoing.judge(parts.host, port, _LOOKUP_SECONDS, public=encrypted)
        if not encrypted and not permitted:
            return "The URL must start with https://"
        if permitted is False:
            return "The URL leads to a private address, which is not called"
        return None

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Attempt:
        """Tell a receiver something. A redirect is not followed and counts as a refusal."""
        public = url.startswith("https://")
        try:
            async with (
                asyncio.timeout(self._seconds),
                self._outgoing.client(self._seconds, public=public) as client,
                client.stream("POST", url, headers=headers, content=body) as answer,
            ):
                return await self._attempt(answer)
        except AddressRefused:
            error = "The URL leads to an address that is not called: a private one, or a public one without https."
        except (TimeoutError, httpx.TimeoutException):
            error = f"It did not answer within {self._seconds:g} seconds."
        except httpx.ConnectError as fault:
            error = _connection_error(fault)
        except (httpx.TransportError, httpx.InvalidURL):
            error = "It did not answer as a web server should."
        return Attempt(None, error)

    async def _attempt(self, answer: httpx.Response) -> Attempt:
        status = answer.status_code
        if answer.is_success:
            return Attempt(status)  # the body stays unread
        error = f"It answered {status} {answer.reason_phrase}".rstrip()
        if words := await _words(answer):
            error = f"{error}: {words}"
        return Attempt(status, error, self._retry_after(answer))

    def _retry_after(self, answer: httpx.Response) -> timedelta | None:
        """RFC 9110 section 10.2.3: seconds, or a date."""
        given = answer.headers.get("retry-after", "").strip()
        if answer.status_code not in _ASKING_FOR_PATIENCE or not given:
            return None
        try:
            if given.isdecimal():
                return timedelta(seconds=int(given[:9]))
            return max(parsedate_to_datetime(given) - self._clock(), timedelta(0))
        except (ValueError, TypeError):
            return None


async def _words(answer: httpx.Response) -> str:
    """The beginning of what the receiver says, for its developers; a receiver that dawdles has said enough."""
    read = b""
    try:
        async with asyncio.timeout(_WORDS_SECONDS):
            async for part in answer.aiter_raw(_WORDS_READ):
                read += part
                if len(read) >= _WORDS_READ:
                    break
    except (TimeoutError, httpx.TransportError):
        pass
    text = "".join(c if c.isprintable() else " " for c in read[:_WORDS_READ].decode(errors="replace"))
    return " ".join(text.split())[:_WORDS_KEPT]


def _connection_error(error: httpx.ConnectError) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return "Its certificate is not valid, or it does not speak https."
        cause = cause.__cause__ or cause.__context__
    return "It cannot be reached: the name is unknown, or nothing listens there."
