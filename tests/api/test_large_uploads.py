"""Uploads that are large, or end before their time: what was done is told, and memory stays as it is."""

import json
import re
import socket
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.api.expect import problem
from tests.api.exports import objects
from tests.api.test_customer_lines import NDJSON, kept, line_of, record, send, text
from tests.support.service import api_process
from tests.support.world import Customer, Utility, World

_WHOLE = 500  # lines of one transaction
_MOST = 100_000


def _many(count: int) -> Iterator[bytes]:
    """So many new customers, in pieces."""
    for start in range(0, count, 100):
        yield text(record(email="jan@example.com") for _ in range(start, min(start + 100, count)))


def _count(utility: Utility) -> int:
    count = "SELECT count(*) FROM customers WHERE organisation_id = $1"
    return int(utility.world.sql.value(count, utility.organisation))


def _until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _running(world: World) -> int:
    """The requests that are being answered, but for this one."""
    found = re.search(r"^portal_http_requests_running (\d+)", world.http.get(f"{world.url}/metrics").text, re.MULTILINE)
    assert found is not None
    return int(found[1]) - 1


def test_more_lines_than_there_may_be_are_refused_and_what_is_done_is_told(utility: Utility) -> None:
    lines = b"\n" * (_MOST - 700) + text(record() for _ in range(701))
    body = problem(send(utility.employee(), lines), 413, "PAYLOAD_TOO_LARGE")
    assert str(_MOST) in body["detail"]
    assert f"Lines 1 to {_MOST - 700 + _WHOLE} are done" in body["detail"]
    assert _count(utility) == _WHOLE


def test_as_many_lines_as_there_may_be_are_read(utility: Utility) -> None:
    lines = b"\n" * (_MOST - 1) + text([record()])
    assert [one["line"] for one in objects(send(utility.employee(), lines).text)] == [_MOST]
    problem(send(utility.employee(), b"\n" * (_MOST + 1)), 413, "PAYLOAD_TOO_LARGE")


def test_a_body_that_breaks_off_leaves_what_was_written_and_ends_the_work(utility: Utility) -> None:
    address = httpx.URL(utility.world.url)
    headers = utility.bearer() | NDJSON | {"Host": "test", "Content-Length": "10000000"}
    head = ["PUT /api/portal/v1/customers HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    with socket.create_connection((address.host, address.port), 20) as client:
        client.sendall("\r\n".join(head).encode() + text(record() for _ in range(2 * _WHOLE + 200)))
        _until(lambda: _count(utility) == 2 * _WHOLE)
        assert _running(utility.world) >= 1
    _until(lambda: _running(utility.world) == 0)
    assert _count(utility) == 2 * _WHOLE, "the lines of a transaction that was not whole yet are not there"


def test_a_fault_on_the_way_tells_how_far_it_came(customer: Customer) -> None:
    utility = customer.utility
    lines = [*(record() for _ in range(_WHOLE)), line_of(customer, displayName="Too late"), record()]
    hold = "SELECT FROM customers WHERE organisation_id = $1 AND id = $2 FOR UPDATE"
    with utility.world.sql.holding(hold, utility.organisation, customer.id):
        body = problem(send(utility.employee(), text(lines)), 503, "TEMPORARILY_UNAVAILABLE")
        assert f"Lines 1 to {_WHOLE} are done" in body["detail"]
        again = problem(send(utility.employee(), text(lines[_WHOLE:])), 503, "TEMPORARILY_UNAVAILABLE")
        assert "Nothing was done" in again["detail"]
    assert customer.card()["displayName"] == "Jan Peeters"
    results = objects(send(utility.employee(), text(lines)).text)
    assert [one["status"] for one in results] == ["updated"] * (_WHOLE + 1) + ["created"]


@pytest.fixture(scope="module")
def alone(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Utility, Callable[[], int]]]:
    """A process that does nothing else, and the most memory that it has had."""
    log = tmp_path_factory.mktemp("alone") / "log"
    with api_process(world.settings, log, "--no-worker") as (url, process):
        apart = World(url, world.settings, world.sql, world.mailbox, world.http)
        yield apart.utility(), lambda: process.most_memory


def test_ten_times_the_lines_need_no_more_memory(alone: tuple[Utility, Callable[[], int]]) -> None:
    utility, most_memory = alone
    assert send(utility.employee(), _many(2_000)).status_code == 200
    after_few = most_memory()
    answer = send(utility.employee(), _many(20_000))
    assert answer.text.count('"created"') == 20_000
    assert most_memory() - after_few < 4_000_000, "the body alone has ten times that"


def test_long_lines_full_of_faults_need_no_more_memory_for_being_many(
    alone: tuple[Utility, Callable[[], int]],
) -> None:
    utility, most_memory = alone
    bad = text([record() | {f"field{number}": number for number in range(3_500)}])
    assert 40_000 < len(bad) < 64 * 1024
    employee = utility.employee()
    assert send(employee, (bad for _ in range(20))).status_code == 200
    after_few = most_memory()
    answer = send(employee, (bad for _ in range(200)))
    assert {len(json.loads(line)["errors"]) for line in answer.text.splitlines()} == {10}
    assert most_memory() - after_few < 4_000_000
    assert kept(utility).get(str(json.loads(bad)["customerId"])) is None


def test_others_are_served_meanwhile(utility: Utility) -> None:
    others = utility.employee()

    def watched() -> Iterator[bytes]:
        for piece in _many(2_000):
            yield piece
            assert others.get("/organisation/portal-settings").status_code == 200, "before the upload is whole"

    assert send(utility.employee(), watched()).text.count('"created"') == 2_000
