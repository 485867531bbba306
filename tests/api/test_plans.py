"""How PostgreSQL does what the operations ask, where there is much of everything: whatever belongs to one customer is
found by an index, and the log is read as it lies.

The plans are those made for all arguments, which a connection keeps once it has asked a few times.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
import pytest

from app.tokens import Purpose
from benchmarks.data import Data
from tests.support.databases import Sql, drop, fresh_copy, run
from tests.support.mail import SmtpServer
from tests.support.service import listening, test_settings
from tests.support.watching import Watched, watching
from tests.support.world import PASSWORD, Client, World

Step = dict[str, Any]

_LARGE = {"customers", "accounts", "communications", "tokens", "activities"}


@dataclass(frozen=True)
class Large:
    """A utility with 50,000 customers and 200,000 entries in the log, a quarter of them of one customer."""

    watched: Watched
    data: Data

    @property
    def employee(self) -> Client:
        return self.watched.by(self.data.utility.employee())

    @property
    def portal(self) -> Client:
        return self.watched.by(self.data.utility.portal)

    @property
    def visitor(self) -> Client:
        return Client(self.watched.world, {"Authorization": f"Bearer {self.data.session_tokens()[0]}"})

    def path(self, letter: str) -> str:
        """The card of a customer with the letter."""
        return f"/customers/{self.data.rows(letter)[0]['customer']}/portal"

    def steps(self, call: "Callable[[Large], httpx.Response]") -> Iterator[Step]:
        """Every step of the plans behind a call."""

        async def explain(connection: asyncpg.Connection) -> list[Step]:
            await connection.execute("SET plan_cache_mode = force_generic_plan")
            plans = []
            for number, statement in enumerate(statements):
                names = ", ".join(["NULL"] * len(set(re.findall(r"\$\d+", statement))))
                await connection.execute(f"PREPARE asked{number} AS {statement}")
                shown = await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE asked{number}({names})")
                plans.append(json.loads(shown)[0]["Plan"])
            return plans

        statements = self.watched.behind(lambda: call(self))
        for plan in run(str(self.watched.world.settings.database_url), explain):
            yield from _steps(plan)


def _steps(plan: Step) -> Iterator[Step]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _steps(inner)


def _unlimited(step: Step) -> Iterator[Step]:
    """The steps below that go on until there is no more."""
    for below in step.get("Plans", ()):
        if below["Node Type"] != "Limit":
            yield below
            yield from _unlimited(below)


@pytest.fixture(scope="module")
def large(server: str, worker_id: str, smtp: SmtpServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Large]:
    name = f"portal_large_{worker_id}"
    url = fresh_copy(server, name)
    settings = test_settings(database_url=url, smtp_url=smtp.url, data_dir=tmp_path_factory.mktemp("large"))
    with httpx.Client(timeout=20) as http, listening(settings.model_copy(update={"run_worker": False})) as (address, _):
        world = World(address, settings, Sql(url), smtp.mailbox, http)
        data = Data(world.utility())
        data.load(4, members=37_499, invited=12_498)
        data.customers("B", 1, confirmed=True)
        data.log("B", 50_000)
        data.customers("C", 1, confirmed=False, mailed=Purpose.EMAIL_CONFIRMATION)
        data.impersonated("R", 1)
        data.settle()
        with watching(world) as watched:
            yield Large(watched, data)
    drop(server, name)


def _introspect(large: Large) -> httpx.Response:
    token = large.visitor.headers["Authorization"].removeprefix("Bearer ")
    url = f"{large.watched.world.url}/api/portal/v1/portal/sessions/introspect"
    return large.watched.world.http.post(url, headers=large.employee.headers, data={"token": token})


def _inspect(large: Large) -> httpx.Response:
    return large.portal.post("/portal/tokens/inspect", {"token": large.data.links("C", Purpose.EMAIL_CONFIRMATION)[0]})


def _confirm(large: Large) -> httpx.Response:
    token = large.data.links("C", Purpose.EMAIL_CONFIRMATION)[0]
    return large.portal.post("/portal/email-confirmations", {"token": token})


def _redeem(large: Large) -> httpx.Response:
    token = large.data.links("R", Purpose.IMPERSONATION)[0]
    return large.portal.post("/portal/impersonations/redeem", {"token": token})


def _impersonate(large: Large) -> httpx.Response:
    return large.employee.post(f"{large.path('B')}/impersonation-sessions", {"reason": "Help with an invoice"})


def _log_in(large: Large) -> httpx.Response:
    return large.portal.post("/portal/sessions", {"email": "m7@example.com", "password": PASSWORD})


def _far_back(large: Large) -> httpx.Response:
    token = large.employee.get(f"{large.path('B')}/activities").json()["nextPageToken"]
    return large.employee.get(f"{large.path('B')}/activities?continuationToken={token}")


_RARE = "type=PortalImpersonationStarted"

CALLS: dict[str, Callable[[Large], httpx.Response]] = {
    "the card": lambda large: large.employee.get(large.path("I")),
    "oneself": lambda large: large.visitor.get("/portal/me"),
    "introspection": _introspect,
    "a link": _inspect,
    "a customer's invitations": lambda large: large.employee.get(f"{large.path('I')}/invitations"),
    "a customer's diagnosis": lambda large: large.employee.get(f"{large.path('B')}/diagnosis"),
    "the organisation's accounts": lambda large: large.employee.get("/organisation/portal-accounts"),
    "an invitation": lambda large: large.employee.post(f"{large.path('I')}/invitations"),
    "a confirmation": _confirm,
    "a login": _log_in,
    "an impersonation": _impersonate,
    "its redemption": _redeem,
}
LOGS: dict[str, Callable[[Large], httpx.Response]] = {
    "a customer's log": lambda large: large.employee.get(f"{large.path('B')}/activities"),
    "its next page": _far_back,
    "its entries of a rare type": lambda large: large.employee.get(f"{large.path('B')}/activities?{_RARE}"),
    "the organisation's log": lambda large: large.employee.get("/organisation/activities"),
    "its entries of a rare type, too": lambda large: large.employee.get(f"/organisation/activities?{_RARE}"),
}


@pytest.mark.parametrize("what", CALLS | LOGS)
def test_nothing_large_is_read_from_end_to_end(what: str, large: Large) -> None:
    steps = list(large.steps((CALLS | LOGS)[what]))
    assert any("Index Name" in step for step in steps)
    assert not _LARGE.intersection(step["Relation Name"] for step in steps if step["Node Type"] == "Seq Scan")


@pytest.mark.parametrize("what", LOGS)
def test_the_log_is_not_sorted_but_read_as_it_lies(what: str, large: Large) -> None:
    steps = list(large.steps(LOGS[what]))
    assert any(step["Node Type"] == "Limit" for step in steps)
    for step in steps:
        assert "Bitmap" not in step["Node Type"]
        if "Sort" in step["Node Type"]:
            assert not any(below.get("Relation Name") == "activities" for below in _unlimited(step)), "all are sorted"
