"""The twins of the benchmarks do what the product does, or the comparison says nothing."""

import http.client
import json
import shutil
import socket
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from benchmarks.data import Data
from benchmarks.load import run
from benchmarks.operations import OPERATIONS
from benchmarks.servers import Server, running
from tests.support.databases import Sql, drop, fresh_copy
from tests.support.mail import Mailbox
from tests.support.service import test_settings
from tests.support.world import World

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are pinned to cores on Linux alone")
_EACH = 3  # one request for each server


@pytest.fixture(scope="module")
def servers(server: str, worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Server]]:
    name = f"portal_twins_{worker_id}"
    folder = tmp_path_factory.mktemp("twins")
    with running(test_settings(database_url=fresh_copy(server, name), data_dir=folder / "data"), folder) as started:
        yield started
    drop(server, name)


@pytest.fixture(scope="module")
def data(server: str, worker_id: str, servers: dict[str, Server], tmp_path_factory: pytest.TempPathFactory) -> Data:
    url = server.rpartition("/")[0] + f"/portal_twins_{worker_id}"
    settings = test_settings(database_url=url, data_dir=tmp_path_factory.mktemp("data"))
    with httpx.Client() as client:
        loaded = Data(World(servers["product"].url, settings, Sql(url), Mailbox(), client).utility())
    loaded.load(51, members=_EACH, invited=_EACH)
    for operation in OPERATIONS:
        operation.prepare(loaded, _EACH)
    return loaded


def _answer(server: Server, request: bytes) -> tuple[int, Any]:
    place = urlsplit(server.url)
    with socket.create_connection((place.hostname, place.port), timeout=20) as connection:
        connection.sendall(request)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return answer.status, json.loads(answer.read())


def _shape(value: Any) -> Any:
    """The fields and the kinds of what they hold."""
    if isinstance(value, dict):
        return {name: _shape(inner) for name, inner in value.items()}
    return [_shape(inner) for inner in value] if isinstance(value, list) else type(value).__name__


def test_every_server_answers_alike(data: Data, servers: dict[str, Server]) -> None:
    for operation in OPERATIONS:
        requests = operation.requests(data)
        status, expected = _answer(servers["product"], next(requests))
        assert status in (200, 201, 202), expected
        for name in ("FastAPI", "ASGI"):
            answered = _answer(servers[name], next(requests))
            assert (answered[0], _shape(answered[1])) == (status, _shape(expected)), f"{operation.name} of {name}"


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
def test_the_load_is_made_and_measured(data: Data, servers: dict[str, Server]) -> None:
    operation = OPERATIONS[0]
    found = run(servers["ASGI"], operation.requests(data), 1, once=False)
    assert 0 < found.p50 <= found.p99 < 60, "seconds"
    assert found.rate > 1
    assert found.cpu > 0


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
def test_a_server_that_refuses_is_not_measured(data: Data, servers: dict[str, Server]) -> None:
    with pytest.raises(SystemExit, match="refused"):
        run(servers["ASGI"], [b"GET /nothing HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"], 1, once=False)
