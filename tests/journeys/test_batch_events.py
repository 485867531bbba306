"""Watching a batch: events while it runs, one at its end, and nobody watches for nobody."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest

from app.permissions import Permission
from tests.journeys.batches import BATCHES, cancel, counts, finished, look, next_turn, start, until
from tests.journeys.reading import refusal
from tests.support.service import listening
from tests.support.world import Client, Utility

Event = tuple[str, dict[str, Any]]


def _events(answer: httpx.Response) -> Iterator[Event]:
    """Names and data, as they come."""
    name = ""
    for line in answer.iter_lines():
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, json.loads(value)


@contextmanager
def _watching(client: Client, batch_id: str) -> Iterator[httpx.Response]:
    """Someone who watches, over a connection of their own."""
    address = f"{client.world.url}/api/portal/v1{BATCHES}/{batch_id}/events"
    with (
        httpx.Client(timeout=20) as http,
        http.stream("GET", address, headers=client.headers) as answer,
    ):
        yield answer


@pytest.fixture
def batch(slow: Utility) -> str:
    """A batch that has invited the first of its three customers."""
    body = {"customerIds": [str(slow.customer().id) for _ in range(3)]}
    batch_id = str(start(slow, body)["id"])
    until(slow, batch_id, invited=1, pending=2)
    return batch_id


def test_whoever_watches_sees_each_change_and_the_end(slow: Utility, batch: str) -> None:
    with _watching(slow.employee(), batch) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-correlation-id"]
        events = _events(answer)
        assert next(events) == ("progress", look(slow, batch))
        next_turn(slow)
        name, seen = next(events)
        assert (name, seen["counts"]) == ("progress", counts(invited=2, pending=1))
        next_turn(slow)
        assert list(events) == [("end", look(slow, batch))]
    assert look(slow, batch)["status"] == "finished"


def test_a_cancelled_batch_is_the_end_too(slow: Utility, batch: str) -> None:
    with _watching(slow.employee(), batch) as answer:
        events = _events(answer)
        assert next(events)[0] == "progress"
        stopped = cancel(slow, batch)
        assert list(events) == [("end", stopped)]


def test_an_ended_batch_has_its_end_alone(utility: Utility) -> None:
    batch_id = start(utility, {"accountNumbers": ["nobody's"]})["id"]
    with _watching(utility.employee(), batch_id) as answer:
        assert list(_events(answer)) == [("end", finished(utility, batch_id))]


def test_so_many_may_watch_and_whoever_leaves_makes_room(slow: Utility, batch: str) -> None:
    path = f"{BATCHES}/{batch}/events"
    with ExitStack() as watchers:
        streams = [_events(watchers.enter_context(_watching(slow.employee(), batch))) for _ in range(2)]
        assert [next(events)[0] for events in streams] == ["progress", "progress"]
        full = slow.employee().get(path)
        assert refusal(full) == (503, "TEMPORARILY_UNAVAILABLE")
        assert int(full.headers["retry-after"]) >= 1
        assert refusal(slow.world.utility().employee().get(path)) == (404, "RESOURCE_NOT_FOUND")
    deadline = time.monotonic() + 10
    while True:  # the service learns of a closed connection in its own time
        with _watching(slow.employee(), batch) as answer:
            if answer.status_code == 200:
                break
        assert time.monotonic() < deadline, "it still works for nobody"
        time.sleep(0.05)


def test_whoever_loses_the_permission_sees_nothing_more(slow: Utility, batch: str) -> None:
    role = slow.role(Permission.PORTAL_INVITE)
    assigned = slow.assign("employee-11", role)
    with _watching(slow.newcomer("employee-11"), batch) as answer:
        events = _events(answer)
        assert next(events)[0] == "progress"
        assert slow.employee().delete(f"/organisation/role-assignments/{assigned}").status_code == 204
        assert list(events) == []
    assert look(slow, batch)["status"] == "running"


def test_no_connection_is_held_for_whoever_watches(slow: Utility, batch: str) -> None:
    settings = slow.world.settings.model_copy(update={"run_worker": False, "database_pool_size": 1})
    with listening(settings) as (url, _), ExitStack() as watchers:
        other = replace(slow, world=replace(slow.world, url=url))
        streams = [_events(watchers.enter_context(_watching(other.employee(), batch))) for _ in range(2)]
        assert [next(events)[0] for events in streams] == ["progress", "progress"]
        for _ in range(20):
            assert look(other, batch)["status"] == "running"
        stopped = cancel(other, batch)
        assert [list(events) for events in streams] == [[("end", stopped)]] * 2


def test_watching_is_one_call_however_long_it_takes(slow: Utility, batch: str) -> None:
    settings = slow.world.settings.model_copy(update={"run_worker": False, "back_office_calls_per_minute": 2})
    with listening(settings) as (url, _):
        limited = replace(slow, world=replace(slow.world, url=url))
        with _watching(limited.employee(), batch) as answer:
            events = _events(answer)
            assert next(events)[0] == "progress"
            time.sleep(3)  # it looks once a second
            stopped = cancel(slow, batch)
            assert list(events) == [("end", stopped)]
