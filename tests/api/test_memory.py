"""A process that has served a while takes no more memory than before."""

import http.client
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.service import Process, api_process
from tests.support.world import Customer, World

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")

_WARM_UP, _REQUESTS = 1_500, 3_000
_MOST_GROWN = 4 * 1024 * 1024  # a leak of 1.4 KB a request would be more


@pytest.fixture
def process(world: World, tmp_path: Path) -> Iterator[tuple[str, Process]]:
    with api_process(world.settings, tmp_path / "log", "--no-worker", PORTAL_LOG_LEVEL="warning") as running:
        yield running


def _send(url: str, customer: Customer, count: int) -> None:
    """Reads, refusals and changes in turns, over one connection."""
    headers = customer.utility.bearer() | {"Content-Type": "application/json"}
    requests = [
        ("GET", customer.path, None, 200),
        ("GET", f"{customer.path}/activities?pageSize=50", None, 200),
        ("GET", f"{customer.path}/nothing", None, 404),
        ("POST", f"{customer.path}/password-resets", None, 409),
        ("POST", f"{customer.path}/invitations", None, 201),
        ("POST", "/portal/tokens/inspect", json.dumps({"token": "zf1.none"}), 400),
    ]
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=20)
    for number in range(count):
        method, path, body, status = requests[number % len(requests)]
        connection.request(method, f"/api/portal/v1{path}", body, headers)
        answer = connection.getresponse()
        read = answer.read()
        assert answer.status == status, read
    connection.close()


def test_memory_stays_as_it_was(process: tuple[str, Process], customer: Customer) -> None:
    url, running = process
    _send(url, customer, _WARM_UP)
    before = running.memory
    _send(url, customer, _REQUESTS)
    assert running.memory - before < _MOST_GROWN
