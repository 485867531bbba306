"""Files are written while the client reads: nothing is held, nothing is read ahead, and half a file looks like half."""

import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import asyncpg
import httpx
import pytest

from app.database import Database
from tests.api.expect import problem
from tests.api.exports import ACTIVITIES, CSV, IMPERSONATIONS, NDJSON, cells, objects, write_activities
from tests.support.databases import run
from tests.support.service import listening
from tests.support.world import Utility, World

LARGE = 20_000  # bytes of a row, so that a few chunks fill what lies between service and client
LAST = b"\r\n0\r\n\r\n"  # the chunk that ends an answer (RFC 9112, section 7.1)


@dataclass(frozen=True)
class Watched:
    """A service with a single connection, and the chunks that it has read."""

    world: World
    statements: list[str]

    @property
    def chunks(self) -> int:
        return sum("FROM activities" in statement for statement in self.statements)

    def settled(self) -> int:
        """The chunks read, once no more are."""
        seen, deadline = -1, time.monotonic() + 20
        while seen != self.chunks:
            assert time.monotonic() < deadline
            seen = self.chunks
            time.sleep(0.5)
        return seen

    def running(self) -> int:
        """The requests that are being answered, but for this one."""
        text = self.world.http.get(f"{self.world.url}/metrics").text
        found = re.search(r"^portal_http_requests_running (\d+)", text, re.MULTILINE)
        assert found is not None
        return int(found[1]) - 1


@pytest.fixture
def watched(world: World) -> Iterator[Watched]:
    alone = {"run_worker": False, "database_pool_size": 1, "database_wait_seconds": 2}
    settings = world.settings.model_copy(update=alone)
    with listening(settings) as (url, app):
        database: Database = app.state.database
        statements: list[str] = []
        database.watchers.append(statements.append)
        yield Watched(replace(world, url=url), statements)


def _slow(watched: Watched, utility: Utility, accept: str) -> socket.socket:
    """A client that has asked, and takes little."""
    address = httpx.URL(watched.world.url)
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
    client.settimeout(20)
    client.connect((address.host, address.port))
    headers = utility.bearer() | {"Host": "test", "Accept": accept, "Connection": "close"}
    lines = [f"GET /api/portal/v1{ACTIVITIES} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    client.sendall("\r\n".join([*lines, "", ""]).encode())
    assert client.recv(1024).startswith(b"HTTP/1.1 200 ")
    return client


def _asked(utility: Utility, accept: str, query: str = "") -> AbstractContextManager[httpx.Response]:
    """An answer that is read bit by bit."""
    headers = utility.bearer() | {"Accept": accept}
    address = f"{utility.world.url}/api/portal/v1{ACTIVITIES}{query}"
    return utility.world.http.stream("GET", address, headers=headers)


def _received(answer: httpx.Response) -> tuple[bytes, Exception | None]:
    """All that came, and what broke it off."""
    parts: list[bytes] = []
    try:
        parts.extend(answer.iter_bytes())
    except httpx.TransportError as fault:
        return b"".join(parts), fault
    return b"".join(parts), None


@pytest.mark.parametrize("accept", [CSV, NDJSON])
def test_the_service_reads_no_further_than_its_client(utility: Utility, watched: Watched, accept: str) -> None:
    write_activities(utility, 1600, LARGE)
    with _slow(watched, utility, accept) as client:
        first = watched.settled()
        assert 1 <= first <= 4, "of nine"
        others = replace(utility, world=watched.world)
        assert others.employee().get("/organisation/portal-settings").status_code == 200, "the connection is free"
        received = 0
        while received < 12_000_000:
            received += len(client.recv(1 << 20))
        assert first < watched.settled() < 9, "it goes on as the client does"
        tail = b""
        while part := client.recv(1 << 20):
            received += len(part)
            tail = (tail + part)[-100:]
        assert received > 1600 * LARGE
        assert tail.endswith(LAST)
    assert watched.settled() == 9, "eight are full, the last has what the utility did before"


def test_a_client_that_goes_away_ends_the_work(utility: Utility, watched: Watched) -> None:
    write_activities(utility, 1600, LARGE)
    with _slow(watched, utility, NDJSON):
        before = watched.settled()
        assert watched.running() >= 1
    deadline = time.monotonic() + 20
    while watched.running():
        assert time.monotonic() < deadline, "it still works for nobody"
        time.sleep(0.05)
    assert before <= watched.settled() < 9


def test_rows_written_meanwhile_do_not_disturb(utility: Utility) -> None:
    write_activities(utility, 1000, LARGE)
    with _asked(utility, NDJSON, "?type=PortalErrorReported") as answer:
        parts = answer.iter_bytes()
        text = next(parts)
        utility.world.sql.run(
            "INSERT INTO activities (organisation_id, id, type, actor_type, actor_id, subject_type, subject_id,"
            " correlation_id) SELECT $1, gen_random_uuid(), 'PortalErrorReported', 'system', 'test', 'customer',"
            " gen_random_uuid(), 'meanwhile' FROM generate_series(1, 50)",
            utility.organisation,
        )
        text += b"".join(parts)
    assert [row["correlationId"] for row in objects(text.decode())] == [str(n) for n in range(1, 1001)]


@pytest.mark.parametrize("accept", [CSV, NDJSON])
def test_a_fault_on_the_way_breaks_the_file_off(utility: Utility, accept: str) -> None:
    write_activities(utility, 300)
    utility.world.sql.run(
        "INSERT INTO activities (organisation_id, id, type, occurred_at, actor_type, actor_id, subject_type,"
        " subject_id, correlation_id) VALUES ($1, gen_random_uuid(), 'PortalErrorReported', '2020-01-01T00:00:00Z',"
        " 'system', 'test', 'of a later version', gen_random_uuid(), 'x')",
        utility.organisation,
    )
    with _asked(utility, accept) as answer:
        assert answer.status_code == 200
        text, fault = _received(answer)
    assert isinstance(fault, httpx.RemoteProtocolError)
    assert "incomplete chunked read" in str(fault)
    read = cells(text.decode()) if accept == CSV else objects(text.decode())
    assert len(read) == 200, "what came before is whole rows"


def test_a_database_that_fails_on_the_way_breaks_the_file_off(utility: Utility, watched: Watched) -> None:
    write_activities(utility, 1600, LARGE)
    sql = utility.world.sql
    with _slow(watched, utility, NDJSON) as client, ThreadPoolExecutor(1) as pool:
        watched.settled()
        elsewhere = pool.submit(sql.run, "BEGIN; LOCK TABLE activities; SELECT pg_sleep(4); COMMIT")
        locked = (
            "SELECT count(*) FROM pg_locks WHERE relation = 'activities'::regclass AND mode = 'AccessExclusiveLock'"
        )
        while not sql.value(locked):
            time.sleep(0.05)
        tail = b""
        while part := client.recv(1 << 20):
            tail = (tail + part)[-100:]
        assert not tail.endswith(LAST)
        elsewhere.result(20)
    with _asked(replace(utility, world=watched.world), NDJSON) as answer:
        text, fault = _received(answer)
    assert fault is None, "the next one is whole"
    assert len(objects(text.decode())) > 1600


@pytest.mark.parametrize("accept", [CSV, NDJSON])
def test_a_fault_before_the_first_byte_is_a_problem(utility: Utility, accept: str) -> None:
    write_activities(utility, 1, subject_type="of a later version")
    answer = utility.employee().get(ACTIVITIES, headers={"Accept": accept})
    problem(answer, 500, "INTERNAL_ERROR")
    assert "content-disposition" not in answer.headers


@pytest.mark.parametrize(("path", "table"), [(ACTIVITIES, "activities"), (IMPERSONATIONS, "impersonations")])
def test_a_chunk_starts_in_the_index_however_far_back_it_lies(
    utility: Utility, watched: Watched, path: str, table: str
) -> None:
    """Else every chunk of a long list costs as much as all before it."""
    employee = replace(utility, world=watched.world).employee()
    assert employee.get(path, headers={"Accept": CSV}).status_code == 200
    asked = watched.statements[-1]
    names = ", ".join(["NULL"] * len(set(re.findall(r"\$\d+", asked))))

    async def plan(connection: asyncpg.Connection) -> list[str]:
        for setting in ("plan_cache_mode = force_generic_plan", "enable_seqscan = off", "enable_sort = off"):
            await connection.execute(f"SET {setting}")
        await connection.execute(f"PREPARE chunk AS {asked}")
        return [row[0] for row in await connection.fetch(f"EXPLAIN EXECUTE chunk({names})")]

    lines = run(str(watched.world.settings.database_url), plan)
    start = next(number for number, line in enumerate(lines) if f"Backward using ix_{table}_time" in line)
    assert "ROW(" in lines[start + 1], "the cursor belongs to: " + lines[start + 1]
