"""Counters in this process, at most so many: the library's own keeps as many as there are callers, and walks through
all of them again and again."""

import time
from collections import OrderedDict
from collections.abc import Callable

from limits.aio.storage import Storage


class BoundedMemory(Storage):
    """Counters of one kind, whose windows are all of one length: the oldest is the first that ends."""

    STORAGE_SCHEME = None  # built here, never from an address

    def __init__(self, most: int, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self._most = most
        self._clock = clock
        self._counters: OrderedDict[str, tuple[int, float]] = OrderedDict()

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        """What can go wrong: nothing."""
        return ()

    async def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count, in a window that begins with the first; beyond the bound the oldest counter is forgotten."""
        self._forget_ended()
        count, ends = self._counters.get(key, (0, self._clock() + expiry))
        self._counters[key] = (count + amount, ends)
        if len(self._counters) > self._most:
            self._counters.popitem(last=False)
        return count + amount

    async def get(self, key: str) -> int:
        """How many so far."""
        self._forget_ended()
        return self._counters.get(key, (0, 0.0))[0]

    async def get_expiry(self, key: str) -> float:
        """When the window ends."""
        return self._counters.get(key, (0, self._clock()))[1]

    async def clear(self, key: str) -> None:
        """Forget one."""
        self._counters.pop(key, None)

    async def check(self) -> bool:
        """Whether it can count."""
        return True

    async def reset(self) -> int | None:
        """Forget all."""
        forgotten = len(self._counters)
        self._counters.clear()
        return forgotten

    def _forget_ended(self) -> None:
        now = self._clock()
        while self._counters and next(iter(self._counters.values()))[1] <= now:
            self._counters.popitem(last=False)
