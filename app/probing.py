"""Trying an organisation's portal from outside, and saying what is wrong with it in an employee's words."""

import asyncio
import ssl
from urllib.parse import urlsplit

import httpx

from app.outgoing import AddressRefused, Outgoing

_MOST_REDIRECTS = 3
_REDIRECTS = (301, 302, 303, 307, 308)
_AGENT = {"User-Agent": "portal-access (check of the portal's address)", "Accept": "text/html,*/*"}


class PortalProbe:
    """Asks a portal for its first page; `seconds` is how long that may take in all."""

    def __init__(self, outgoing: Outgoing, *, seconds: float) -> None:
        self._outgoing = outgoing
        self._seconds = seconds

    async def problem(self, url: str) -> str | None:
        """What is wrong with the portal's address; None when nothing is."""
        try:
            async with asyncio.timeout(self._seconds), self._outgoing.client(self._seconds) as client:
                return await self._follow(client, url)
        except TimeoutError:
            return f"It does not answer within {self._seconds:g} seconds."
        except AddressRefused:
            return "It leads to a private address, which customers cannot reach and this service refuses to call."
        except httpx.TimeoutException:
            return f"It does not answer within {self._seconds:g} seconds."
        except httpx.ConnectError as error:
            return _connection_problem(error)
        except (httpx.TransportError, httpx.InvalidURL):
            return "It does not answer as a website should."

    async def _follow(self, client: httpx.AsyncClient, url: str) -> str | None:
        plain = not url.startswith("https://")
        for _ in range(1 + _MOST_REDIRECTS):
            async with client.stream("GET", url, headers=_AGENT) as answer:  # the body stays unread
                status, target = answer.status_code, answer.headers.get("location")
            if status not in _REDIRECTS or not target:
                break
            url = str(httpx.URL(url).join(target))
            if urlsplit(url).scheme not in ("http", "https"):
                return "It redirects to something that is no web address."
            plain = plain or not url.startswith("https://")
        else:
            return f"It redirects more than {_MOST_REDIRECTS} times."
        if status >= 400:
            return f"It answers with status {status} instead of a page."
        return "It works without https, so browsers warn of it." if plain else None


def _connection_problem(error: httpx.ConnectError) -> str:
    """Why no connection came about."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "Its certificate is not valid, so browsers refuse to show it."
        if isinstance(cause, ssl.SSLError):
            return "It does not speak https as browsers do."
        cause = cause.__cause__ or cause.__context__
    return "It does not answer: the name is unknown, or nothing listens there."
