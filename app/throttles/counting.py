"""Counting, and refusing what is too much."""

import asyncio
import hashlib
import hmac
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import structlog
from limits import RateLimitItemPerSecond
from limits.aio.storage import RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter
from limits.errors import StorageError
from redis.asyncio import BlockingConnectionPool

from app.errors import TooManyRequests
from app.throttles.memory import BoundedMemory

_log = structlog.get_logger(__name__)

_PATIENCE = 0.5  # seconds that a call may wait for the shared counter
_CONNECTIONS = 20
_PAUSE = 5.0  # seconds before it is tried again
_MOST_KEYS = 50_000  # of each kind in this process, about 15 MB
_KEY_BYTES = 16


class Throttled(StrEnum):
    """What is counted."""

    FAILED_LOGINS_OF_ACCOUNT = "failed-logins-of-account"
    FAILED_LOGINS_OF_ADDRESS = "failed-logins-of-address"
    FORGOTTEN_PASSWORDS = "forgotten-passwords"
    CONFIRMATIONS_AGAIN = "confirmations-again"
    INSPECTIONS = "inspections"
    REGISTRATIONS = "registrations"
    REDEMPTIONS = "redemptions"
    ERROR_REPORTS = "error-reports"
    BACK_OFFICE = "back-office"


@dataclass(frozen=True, slots=True)
class Limit:
    """So many in so many seconds, counted from the first one."""

    most: int
    seconds: int


class Throttles:
    """Counts what callers ask for, and refuses what is too much.

    A key is what belongs together, such as an organisation and an address; only its keyed hash is kept.
    """

    def __init__(
        self,
        limits: Mapping[Throttled, Limit],
        server: str | None,
        secret: bytes,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = {
            kind: RateLimitItemPerSecond(limit.most, limit.seconds, namespace=kind) for kind, limit in limits.items()
        }
        # A store for each kind: a flood of one makes nobody forget the others.
        self._own = {kind: FixedWindowRateLimiter(BoundedMemory(_MOST_KEYS)) for kind in limits}
        # Valkey speaks Redis's protocol, its client does too.
        self._pool: BlockingConnectionPool | None = None
        self._shared: FixedWindowRateLimiter | None = None
        if server is not None:
            self._pool = BlockingConnectionPool.from_url(
                server.replace("valkey", "redis", 1), max_connections=_CONNECTIONS, timeout=_PATIENCE
            )
            options: dict[str, Any] = {"implementation": "redispy", "connection_pool": self._pool}
            self._shared = FixedWindowRateLimiter(
                RedisStorage("redis://", wrap_exceptions=True, key_prefix="portal-access", **options)
            )
        self._secret = secret
        self._clock = clock
        self._away_until = -math.inf

    async def hit(self, kind: Throttled, *key: object) -> None:
        """Count one more of this key.

        Raises: TooManyRequests.
        """
        await self._counted(kind, lambda counter: self._hit(counter, kind, self._digest(key)))

    async def check(self, kind: Throttled, *key: object) -> None:
        """Count nothing, but refuse where there is no room for one more.

        Raises: TooManyRequests.
        """
        await self._counted(kind, lambda counter: self._check(counter, kind, self._digest(key)))

    async def clear(self, kind: Throttled, *key: object) -> None:
        """Begin anew with this key."""
        await self._counted(kind, lambda counter: counter.clear(self._limits[kind], self._digest(key)))

    async def close(self) -> None:
        """Close the connections."""
        if self._pool is not None:
            await self._pool.aclose()

    async def _counted(self, kind: Throttled, work: Callable[[FixedWindowRateLimiter], Awaitable[None]]) -> None:
        """Done on the shared server, or here while it is away."""
        if self._shared is not None and self._clock() >= self._away_until:
            try:
                async with asyncio.timeout(_PATIENCE):
                    await work(self._shared)
                return
            except (TimeoutError, StorageError, OSError) as fault:
                self._away_until = self._clock() + _PAUSE
                _log.warning("shared counter away, each process counts for itself", fault=type(fault).__name__)
        await work(self._own[kind])

    async def _hit(self, counter: FixedWindowRateLimiter, kind: Throttled, key: str) -> None:
        if not await counter.hit(self._limits[kind], key):
            raise await self._refusal(counter, kind, key)

    async def _check(self, counter: FixedWindowRateLimiter, kind: Throttled, key: str) -> None:
        if not await counter.test(self._limits[kind], key):
            raise await self._refusal(counter, kind, key)

    async def _refusal(self, counter: FixedWindowRateLimiter, kind: Throttled, key: str) -> TooManyRequests:
        limit = self._limits[kind]
        ends, _ = await counter.get_window_stats(limit, key)
        return TooManyRequests(kind, limit.amount, limit.get_expiry(), wait=max(1, math.ceil(ends - time.time())))

    def _digest(self, key: tuple[object, ...]) -> str:
        text = "\n".join(str(part) for part in key)
        return hmac.digest(self._secret, text.encode(), hashlib.sha256)[:_KEY_BYTES].hex()
