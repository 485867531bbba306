"""Limits: counted from the first call, shared between nodes, and never a reason to lock everybody out."""

import asyncio
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from app.errors import TooManyRequests
from app.throttles import Limit, Throttled, Throttles, address_key
from app.throttles.memory import BoundedMemory
from tests.support.service import free_port

_REDIS = shutil.which("redis-server") or shutil.which("valkey-server")
_KIND = Throttled.ERROR_REPORTS


def run(work: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(work(), 20))  # type: ignore[arg-type]


async def hits(throttles: Throttles, times: int, key: str = "192.0.2.1") -> int:
    """How many of so many are let through."""
    let_through = 0
    for _ in range(times):
        try:
            await throttles.hit(_KIND, key)
        except TooManyRequests:
            continue
        let_through += 1
    return let_through


def throttles(
    server: str | None = None, *, seconds: int = 60, clock: Callable[[], float] = time.monotonic
) -> Throttles:
    return Throttles({_KIND: Limit(3, seconds)}, server, b"secret", clock)


def test_so_many_and_no_more_for_each_key() -> None:
    async def work() -> None:
        counted = throttles()
        assert await hits(counted, 5) == 3
        assert await hits(counted, 5, "192.0.2.2") == 3
        with pytest.raises(TooManyRequests) as refused:
            await counted.hit(_KIND, "192.0.2.1")
        assert (refused.value.most, refused.value.seconds) == (3, 60)
        assert 30 <= refused.value.wait <= 60

    run(work)


def test_to_ask_counts_nothing_and_to_clear_begins_anew() -> None:
    async def work() -> None:
        counted = throttles()
        for _ in range(5):
            await counted.check(_KIND, "192.0.2.1")
        assert await hits(counted, 3) == 3
        with pytest.raises(TooManyRequests):
            await counted.check(_KIND, "192.0.2.1")
        await counted.clear(_KIND, "192.0.2.1")
        await counted.check(_KIND, "192.0.2.1")
        assert await hits(counted, 5) == 3

    run(work)


def test_memory_keeps_so_many_counters_and_none_that_has_ended() -> None:
    now = [0.0]
    memory = BoundedMemory(3, lambda: now[0])

    async def work() -> None:
        for key in ("a", "b", "c"):
            await memory.incr(key, 60)
        await memory.incr("a", 60)
        assert await memory.get("a") == 2
        await memory.incr("d", 60)
        assert [await memory.get(key) for key in ("a", "b", "c", "d")] == [0, 1, 1, 1], "the oldest made room"
        now[0] = 61.0
        assert await memory.incr("b", 60) == 1
        assert await memory.reset() == 1, "the others have ended, and are forgotten"

    run(work)


def test_after_the_wait_there_is_room_again() -> None:
    async def work() -> None:
        counted = throttles(seconds=1)
        assert await hits(counted, 4) == 3
        await asyncio.sleep(1.1)
        assert await hits(counted, 4) == 3

    run(work)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        (None, "noise", True),
    ],
)
def test_what_counts_as_one_address(one: str | None, other: str | None, same: bool) -> None:
    assert (address_key(one) == address_key(other)) is same


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"


def test_with_the_server_away_each_process_counts_for_itself() -> None:
    async def work() -> None:
        counted = throttles(f"redis://127.0.0.1:{free_port()}/0")
        assert await hits(counted, 5) == 3
        await counted.close()

    run(work)


def test_a_silent_server_costs_half_a_second_once(silent: str) -> None:
    async def work() -> None:
        counted = throttles(silent)
        started = time.monotonic()
        assert await hits(counted, 20) == 3
        assert time.monotonic() - started < 5  # each on its own would make ten
        await counted.close()

    run(work)


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts a Redis on the port in `tmp_path/port`."""
    if _REDIS is None:
        pytest.skip("no redis-server or valkey-server on this machine")
    port = free_port()
    (tmp_path / "port").write_text(json.dumps(port))
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        command = [str(_REDIS), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        started.append(process)
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            else:
                return process

    yield start
    for process in started:
        process.terminate()
        process.wait(10)


@pytest.mark.parametrize("scheme", ["redis", "valkey"])
def test_nodes_count_together_and_go_back_to_the_server_when_it_is_back(
    redis: Callable[[], subprocess.Popen[bytes]], tmp_path: Path, scheme: str
) -> None:
    now = [0.0]

    async def work() -> None:
        url = f"{scheme}://127.0.0.1:{json.loads((tmp_path / 'port').read_text())}/0"
        process = redis()
        one, other = (throttles(url, clock=lambda: now[0]) for _ in range(2))
        assert await hits(one, 2) == 2
        assert await hits(other, 2) == 1
        with pytest.raises(TooManyRequests) as refused:
            await one.hit(_KIND, "192.0.2.1")
        assert 30 <= refused.value.wait <= 60
        with pytest.raises(TooManyRequests):
            await other.check(_KIND, "192.0.2.1")
        await one.clear(_KIND, "192.0.2.1")
        assert await hits(other, 5) == 3
        process.terminate()
        process.wait(10)
        assert await hits(one, 5) == 3, "its own count"
        redis()
        assert await hits(one, 5) == 0, "and for a few seconds still"
        now[0] += 6
        assert await hits(one, 2) == 2
        assert await hits(other, 2) == 1
        await one.close()
        await other.close()

    run(work)
