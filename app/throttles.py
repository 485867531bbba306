"""How often something may be asked for: counted by `limits`, in this process or on a server that all nodes share.

When the shared server is away, each process counts for itself until it is back: nobody is locked out for want of a
counter, and a flood still meets a limit.
"""

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

import structlog
from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter
from limits.errors import StorageError
from redis.asyncio import BlockingConnectionPool

from app.errors import TooManyRequests

_log = structlog.get_logger(__name__)

_PATIENCE = 0.5  # seconds that a call may wait for the shared counter
_CONNECTIONS = 20
_PAUSE = 5.0  # seconds before it is tried again
_IPV6_SITE = 64  # bits: whoever has one IPv6 address has all that share these


class Throttled(StrEnum):
    """What is counted."""

    ERROR_REPORTS = "error-reports"


@dataclass(frozen=True, slots=True)
class Limit:
    """So many in so many seconds, counted from the first one."""

    most: int
    seconds: int


class Throttles:
    """Counts what callers ask for, and refuses what is too much."""

    def __init__(
        self, limits: Mapping[Throttled, Limit], server: str | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limits = {
            kind: RateLimitItemPerSecond(limit.most, limit.seconds, namespace=kind) for kind, limit in limits.items()
        }
        self._own = FixedWindowRateLimiter(MemoryStorage())
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
        self._clock = clock
        self._away_until = -math.inf

    async def hit(self, kind: Throttled, key: str) -> None:
        """Count one more of this key.

        Raises: TooManyRequests.
        """
        if self._shared is not None and self._clock() >= self._away_until:
            try:
                async with asyncio.timeout(_PATIENCE):
                    await self._hit(self._shared, kind, key)
                return
            except (TimeoutError, StorageError, OSError) as fault:
                self._away_until = self._clock() + _PAUSE
                _log.warning("shared counter away, each process counts for itself", fault=type(fault).__name__)
        await self._hit(self._own, kind, key)

    async def _hit(self, counter: FixedWindowRateLimiter, kind: Throttled, key: str) -> None:
        limit = self._limits[kind]
        if await counter.hit(limit, key):
            return
        ends, _ = await counter.get_window_stats(limit, key)
        raise TooManyRequests(kind, limit.amount, limit.get_expiry(), wait=max(1, math.ceil(ends - time.time())))

    async def close(self) -> None:
        """Close the connections."""
        if self._pool is not None:
            await self._pool.aclose()


def address_key(address: str | None) -> str:
    """The key of a client's address: for IPv6 its site, so that a change of address within it gains nothing."""
    try:
        known = ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(known, IPv6Address):
        if known.ipv4_mapped:
            return str(known.ipv4_mapped)
        return str(ip_network((int(known), _IPV6_SITE), strict=False))
    return str(known)
