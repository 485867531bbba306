"""Who sends or reads too slowly is cut off, and keeps nobody waiting.

uvicorn by itself left such connections open for as long as it was watched.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.api.exports import write_activities
from tests.journeys.test_races import at_once as all_at_once
from tests.support.service import api_process
from tests.support.sockets import raw_client
from tests.support.world import World

PATIENCE = 1.0
SOON = 3 * PATIENCE  # on a busy machine

_LOGIN = b"POST /api/portal/v1/portal/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
_HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(scope="module")
def impatient(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A process that waits a second for its clients."""
    log = tmp_path_factory.mktemp("slow") / "log"
    variables = {"PORTAL_CLIENT_TIMEOUT_SECONDS": str(PATIENCE)}
    with api_process(world.settings, log, "--no-worker", **variables) as (url, _):
        yield replace(world, url=url)


# What is sent at once, and what drips after it.
SLOW: dict[str, tuple[bytes, bytes]] = {
    "nothing at all": (b"", b""),
    "empty lines": (b"", b"\r\n" * 50),
    "half a line": (b"GET /hea", b""),
    "half a head": (b"GET /healthz HTTP/1.1\r\nHost: x\r\n", b""),
    "a head that drips": (b"GET /healthz HTTP/1.1\r\nX-Slow: ", b"x" * 100),
    "no body": (_LOGIN + b"Content-Length: 50\r\n\r\n", b""),
    "half a body": (_LOGIN + b'Content-Length: 50\r\n\r\n{"email": ', b""),
    "half a chunk": (_LOGIN + b'Transfer-Encoding: chunked\r\n\r\n20\r\n{"email": ', b""),
    "a chunk's length that drips": (_LOGIN + b"Transfer-Encoding: chunked\r\n\r\n", b"0" * 100),
    "trailers that drip": (_LOGIN + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-Slow: ", b"x" * 100),
    "nothing after an answer": (_HEALTH, b""),
    "empty lines after an answer": (_HEALTH, b"\r\n" * 50),
    "half of a second request": (_HEALTH + b"GET /hea", b""),
    "a body that nobody wants any more": (_LOGIN + b"Content-Length: 70000\r\n\r\n", b"x" * 100),
}


def test_whoever_is_silent_or_drips_is_cut_off(impatient: World) -> None:
    def closed(at_once: bytes, dripping: bytes) -> bool:
        with raw_client(impatient.url) as client:
            client.send(at_once)
            return client.closed_within(SOON, dripping)

    found = all_at_once([partial(closed, *slow) for slow in SLOW.values()])
    assert dict(zip(SLOW, found, strict=True)) == dict.fromkeys(SLOW, True)


def test_a_slow_body_that_keeps_coming_is_heard_to_its_end(impatient: World) -> None:
    body = b'{"email": "nobody@example.com"}'
    with raw_client(impatient.url) as client:
        client.send(_LOGIN + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body))
        for start in range(0, len(body), 8):
            client.send(body[start : start + 8])
            time.sleep(PATIENCE / 2)
        assert client.answer().startswith(b"HTTP/1.1 400 "), "the headers of the organisation are missing"


def test_a_request_that_takes_long_is_not_its_clients_fault(impatient: World) -> None:
    utility = impatient.utility()
    with (
        utility.world.sql.holding("LOCK TABLE organisations IN ACCESS EXCLUSIVE MODE"),
        raw_client(impatient.url) as client,
    ):
        headers = "".join(f"{name}: {value}\r\n" for name, value in utility.bearer().items())
        head = (
            f"GET /api/portal/v1/organisation/portal-settings HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n"
        )
        client.send(head.encode())
        assert client.answer().startswith(b"HTTP/1.1 503 "), "it waited for the lock, longer than for a client"


def test_whoever_does_not_read_the_answer_is_cut_off(impatient: World) -> None:
    utility = impatient.utility()
    write_activities(utility, 20_000, payload=1_000)
    with raw_client(impatient.url, receive_buffer=4096) as client:
        lines = "".join(f"{name}: {value}\r\n" for name, value in utility.bearer().items())
        client.send(
            f"GET /api/portal/v1/organisation/activities HTTP/1.1\r\nHost: x\r\n"
            f"Accept: application/x-ndjson\r\n{lines}\r\n".encode()
        )
        running(impatient, 1)
        running(impatient, 0)
        assert len(client.answer()) < 10_000_000, "the rest was never sent"


def running(world: World, count: int) -> None:
    """Until so many requests are being answered, beside the one that asks."""
    deadline = time.monotonic() + 10
    while f"portal_http_requests_running {count + 1}.0" not in httpx.get(f"{world.url}/metrics").text:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_crowd_of_slow_clients_keeps_nobody_waiting(impatient: World) -> None:
    customer = impatient.utility().customer()
    with ExitStack() as stack:
        for at_once, _ in list(SLOW.values()) * 30:
            stack.enter_context(raw_client(impatient.url)).send(at_once)
        for _ in range(20):
            started = time.monotonic()
            assert customer.card()["portalStatus"] == "noaccount"
            assert time.monotonic() - started < SOON


def test_each_of_several_processes_is_as_impatient(world: World, tmp_path: Path) -> None:
    variables = {"PORTAL_CLIENT_TIMEOUT_SECONDS": str(PATIENCE)}
    with (
        api_process(world.settings, tmp_path / "log", "--no-worker", "--workers", "2", **variables) as (url, _),
        ExitStack() as stack,
    ):
        clients = [stack.enter_context(raw_client(url)) for _ in range(8)]
        assert all(client.closed_within(SOON) for client in clients)
