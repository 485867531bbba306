"""Asking the platform for a customer, gently: a few calls at a time, one for each customer, and none while it wants to
be left alone.

The operator names its address, so it may be a private one; redirects are not followed, for they would carry the
bearer elsewhere.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import structlog

from app.platform.answers import PlatformBusy, PlatformFailed, check_rate, json_object
from app.platform.tokens import AccessTokens, Credentials, Monotonic

_log = structlog.get_logger(__name__)

_AT_ONCE = 4  # calls of one worker: the others of its jobs are mails, which must not wait behind them
_TURN_SECONDS = 1.0
_PAUSE_SECONDS = 5.0  # after a fault, so that not every job waits for the same time-out


class PlatformClient:
    """The platform's API as an application of ours sees it.

    `seconds` is how long a customer may take in all; `monotonic` counts seconds.
    """

    def __init__(self, url: str, credentials: Credentials, *, seconds: float, monotonic: Monotonic) -> None:
        self._url = url.rstrip("/")
        self._seconds = seconds
        self._monotonic = monotonic
        self._http = httpx.AsyncClient(timeout=seconds, follow_redirects=False)
        self._tokens = AccessTokens(credentials, self._http, monotonic)
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._left_alone_until = float("-inf")
        self._asked_for: set[UUID] = set()

    async def customer(self, tenant_id: UUID, organisation_id: UUID, customer_id: UUID) -> dict[str, Any] | None:
        """The customer in the platform's own words; None when it knows none of this id.

        Raises: PlatformBusy, PlatformFailed.
        """
        headers = {"zf-tuuid": str(tenant_id), "zf-ouuid": str(organisation_id), "Accept": "application/json"}
        async with self._turn(customer_id):
            answer = await self._get(f"{self._url}/api/md/Customers/{customer_id}", headers)
            if answer is None:
                return None
            found = answer.get("data", answer)
            if not isinstance(found, dict) or str(found.get("id")).lower() != str(customer_id):
                raise PlatformFailed("its answer is not the customer that was asked for")
            return found

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    @asynccontextmanager
    async def _turn(self, customer_id: UUID) -> AsyncIterator[None]:
        """Raises: PlatformBusy; PlatformFailed, for whatever goes wrong on the way."""
        wait = self._left_alone_until - self._monotonic()
        if wait > 0:
            raise PlatformBusy(wait)
        if self._turns.locked() or customer_id in self._asked_for:
            raise PlatformBusy(_TURN_SECONDS)
        async with self._turns:
            self._asked_for.add(customer_id)
            try:
                async with asyncio.timeout(self._seconds):
                    yield
            except PlatformBusy as busy:
                self._left_alone_until = self._monotonic() + busy.seconds
                _log.info("platform wants to be left alone", seconds=round(busy.seconds))
                raise
            except (PlatformFailed, httpx.HTTPError, httpx.InvalidURL, TimeoutError) as fault:
                self._left_alone_until = self._monotonic() + _PAUSE_SECONDS
                why = str(fault) if isinstance(fault, PlatformFailed) else f"no answer ({type(fault).__name__})"
                _log.warning("platform did not tell a customer", why=why)
                raise PlatformFailed(why) from None
            finally:
                self._asked_for.discard(customer_id)

    async def _get(self, url: str, headers: dict[str, str]) -> dict[str, Any] | None:
        token = await self._tokens.get()
        status, answer = await self._ask(url, headers, token)
        if status == 401:  # it was taken back before its time
            self._tokens.forget(token)
            status, answer = await self._ask(url, headers, await self._tokens.get())
        if status == 404:
            return None
        if answer is None:
            raise PlatformFailed(f"it answered with status {status}")
        return answer

    async def _ask(self, url: str, headers: dict[str, str], token: str) -> tuple[int, dict[str, Any] | None]:
        """The status, and the object that came with a 200."""
        async with self._http.stream("GET", url, headers=headers | {"Authorization": f"Bearer {token}"}) as answer:
            check_rate(answer)
            return answer.status_code, await json_object(answer) if answer.status_code == 200 else None
