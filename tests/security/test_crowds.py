"""More callers than there is room for: those who get in are served, the others are told to come back, nobody hangs."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import httpx
import pytest

from tests.api.expect import problem
from tests.support.service import Process, api_process
from tests.support.sockets import raw_client
from tests.support.world import PASSWORD, Customer, World

_API = "/api/portal/v1"
_LOGIN = b"POST /api/portal/v1/portal/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def small(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A process that works on four requests at once."""
    log = tmp_path_factory.mktemp("crowds") / "log"
    with api_process(world.settings, log, "--no-worker", PORTAL_REQUESTS_AT_ONCE="4") as (url, _):
        yield replace(world, url=url)


@pytest.mark.parametrize("password", [PASSWORD, "seven cold radiators"])
def test_two_hundred_logins_at_once_are_answered_and_leave_room_for_the_rest(
    active: Customer, real: tuple[World, Process], password: str
) -> None:
    url = real[0].url
    bearer, portal = active.utility.bearer(), active.utility.headers
    login = {"email": active.email, "password": password}

    async def crowd() -> list[httpx.Response]:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=url, timeout=20, limits=limits) as http:
            logins = [
                asyncio.create_task(http.post(f"{_API}/portal/sessions", json=login, headers=portal))
                for _ in range(200)
            ]
            while not all(task.done() for task in logins):
                assert (await http.get("/healthz")).status_code == 200
                assert (await http.get(f"{_API}{active.path}", headers=bearer)).status_code == 200
            return await asyncio.gather(*logins)

    answers = asyncio.run(crowd())
    served = 201 if password == PASSWORD else 401
    assert {answer.status_code for answer in answers} <= {served, 503}
    assert sum(answer.status_code == served for answer in answers) >= 20
    for answer in answers:
        if answer.status_code == 503:
            problem(answer, 503, "TEMPORARILY_UNAVAILABLE")
            assert int(answer.headers["Retry-After"]) >= 1


def test_more_requests_than_there_is_room_for_are_told_at_once(small: World) -> None:
    utility = small.utility()
    lock = "LOCK TABLE organisations IN ACCESS EXCLUSIVE MODE"
    with small.sql.holding(lock), ExitStack() as stack:
        late = stack.enter_context(raw_client(small.url))
        late.send(_LOGIN + b"Content-Length: 2\r\n\r\n{")
        head = "".join(f"{name}: {value}\r\n" for name, value in utility.bearer().items())
        request = f"GET {_API}/organisation/portal-settings HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode()
        for _ in range(4):
            stack.enter_context(raw_client(small.url)).send(request)
        small.sql.wait_for_waiting(4)
        answer = utility.portal.post("/portal/sessions", {"email": "jan@example.com", "password": PASSWORD})
        problem(answer, 503, "TEMPORARILY_UNAVAILABLE")
        assert int(answer.headers["Retry-After"]) >= 1
        late.send(b"}")
        assert late.next_line() == b"HTTP/1.1 503 Service Unavailable", "it was let in, but had no place yet"
        for path in ("/healthz", "/readyz", "/metrics"):
            assert small.http.get(f"{small.url}{path}").status_code == 200
    deadline = time.monotonic() + 10
    while utility.employee().get("/organisation/portal-settings").status_code != 200:
        assert time.monotonic() < deadline, "the places were not given back"


def test_requests_that_are_not_whole_take_nobodys_place(small: World) -> None:
    utility = small.utility()
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(raw_client(small.url)).send(_LOGIN + b"Content-Length: 50\r\n\r\n{")
        assert utility.employee().get("/organisation/portal-settings").status_code == 200
    assert utility.employee().get("/organisation/portal-settings").status_code == 200, "nor when they have gone"
