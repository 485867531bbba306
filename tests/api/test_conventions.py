"""What every answer has in common: correlation id, security headers, problem details, camelCase, times with a Z."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from app.ids import new_id
from tests.api.expect import CORRELATION_ID, problem
from tests.support.databases import Sql, drop, fresh_copy
from tests.support.mail import SmtpServer
from tests.support.service import listening, test_settings
from tests.support.world import Customer, Utility, World

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_CAMEL = re.compile(r"[a-z][A-Za-z0-9]*")


@pytest.fixture(scope="module")
def broken(
    server: str, worker_id: str, smtp: SmtpServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Utility]:
    """A utility whose service meets a fault that nobody foresaw: a table is gone."""
    name = f"portal_broken_{worker_id}"
    settings = test_settings(
        database_url=fresh_copy(server, name), smtp_url=smtp.url, data_dir=tmp_path_factory.mktemp("data")
    )
    once = httpx.Limits(max_keepalive_connections=0)
    with listening(settings) as (url, _), httpx.Client(timeout=20, limits=once) as http:
        utility = World(url, settings, Sql(str(settings.database_url)), smtp.mailbox, http).utility()
        utility.world.sql.run("ALTER TABLE activities RENAME TO activities_elsewhere")
        yield utility
    drop(server, name)


def _places(world: World) -> list[tuple[str, str, int, str]]:
    api = f"{world.url}/api/portal/v1"
    return [
        ("GET", f"{world.url}/nowhere", 404, "RESOURCE_NOT_FOUND"),
        ("GET", f"{api}/nowhere", 404, "RESOURCE_NOT_FOUND"),
        ("DELETE", f"{api}/organisation/portal-settings", 405, "METHOD_NOT_ALLOWED"),
        ("PATCH", f"{api}/portal/me", 405, "METHOD_NOT_ALLOWED"),
    ]


def test_a_correlation_id_is_accepted(customer: Customer) -> None:
    mine = "Order.4711_a-B" + "x" * 50
    answer = customer.utility.employee().get(customer.path, headers={"X-Correlation-Id": mine})
    assert len(mine) == 64
    assert answer.headers["x-correlation-id"] == mine


def test_a_correlation_id_is_made_for_whoever_brings_none(customer: Customer) -> None:
    client = customer.utility.employee()
    made = [client.get(customer.path).headers["x-correlation-id"] for _ in range(2)]
    assert all(CORRELATION_ID.fullmatch(one) for one in made)
    assert made[0] != made[1]


@pytest.mark.parametrize(
    "wrong", ["", "two words", "x" * 65, "semi;colon", "a/b", "<script>", "%0d%0a", b"\xc3\xa9t\xc3\xa9"]
)
def test_a_malformed_correlation_id_is_replaced(utility: Utility, wrong: str | bytes) -> None:
    headers: Any = utility.bearer() | {"X-Correlation-Id": wrong}
    answer = utility.world.http.get(f"{utility.world.url}/api/portal/v1/organisation/portal-settings", headers=headers)
    assert answer.status_code == 200
    assert CORRELATION_ID.fullmatch(answer.headers["x-correlation-id"])
    assert answer.headers["x-correlation-id"] != wrong


def test_a_correlation_id_stands_in_the_activity(customer: Customer) -> None:
    customer.utility.employee().post(f"{customer.path}/invitations", headers={"X-Correlation-Id": "story-1"})
    customer.mail()
    entries = {entry["type"]: entry["correlationId"] for entry in customer.activities()}
    assert entries["PortalInvitationSent"] == "story-1"
    assert set(entries.values()) == {"story-1"}, "the mail's own entries carry it too"


@pytest.mark.parametrize("number", range(4))
def test_wrong_places_answer_with_a_problem(world: World, number: int) -> None:
    method, url, status, key = _places(world)[number]
    answer = world.http.request(method, url, headers={"X-Correlation-Id": "lost-1"})
    body = problem(answer, status, key)
    assert body["correlationId"] == answer.headers["x-correlation-id"] == "lost-1"
    assert ("allow" in answer.headers) == (status == 405)


def test_allow_names_every_method_of_the_address(utility: Utility) -> None:
    where = {
        "/organisation/portal-settings": {"GET", "PUT"},
        f"/customers/{new_id()}/portal/invitations": {"GET", "POST"},
        "/portal/sessions": {"GET", "POST"},
        f"/customers/{new_id()}": {"PUT"},
        "/portal/registrations": {"POST"},
        "/portal/sessions/introspect": {"POST"},  # though it looks like a session of that id
    }
    for path, methods in where.items():
        answer = utility.world.http.patch(f"{utility.world.url}/api/portal/v1{path}", headers=utility.bearer())
        problem(answer, 405, "METHOD_NOT_ALLOWED")
        assert set(re.split(r",\s*", answer.headers["allow"])) - {"HEAD", "OPTIONS"} == methods, path


def test_no_refusal_is_made_of_what_the_caller_sent(utility: Utility) -> None:
    answer = utility.world.http.get(f"{utility.world.url}/<script>alert(1)</script>%1b[31m")
    body = problem(answer, 404, "RESOURCE_NOT_FOUND")
    assert "\x1b" not in answer.text
    assert "<script>" not in body["detail"] + body["title"] + body["solution"]


@pytest.mark.asvs("16.5.1")
def test_a_fault_of_ours_tells_nothing_but_its_correlation_id(broken: Utility) -> None:
    answer = broken.employee().get("/organisation/activities", headers={"X-Correlation-Id": "fault-1"})
    assert answer.status_code == 500
    assert answer.json()["key"] == "INTERNAL_ERROR"
    assert answer.json()["correlationId"] == "fault-1"
    for secret in ("Traceback", "activities_elsewhere", "SELECT", 'relation "', "asyncpg", ".py"):
        assert secret not in answer.text


def test_a_fault_of_ours_carries_the_headers_of_every_answer(broken: Utility) -> None:
    answer = broken.employee().get("/organisation/activities", headers={"X-Correlation-Id": "fault-1"})
    problem(answer, 500, "INTERNAL_ERROR")
    assert answer.headers["x-correlation-id"] == "fault-1"
    _secured(answer)


@pytest.mark.asvs("16.5.3")
def test_a_fault_of_ours_changes_nothing(broken: Utility) -> None:
    before = broken.employee().get("/organisation/portal-settings").json()
    answer = broken.employee().put("/organisation/portal-settings", {"name": "Half a change"})
    assert answer.status_code == 500
    assert broken.employee().get("/organisation/portal-settings").json() == before


def _secured(answer: httpx.Response) -> None:
    headers = answer.headers
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "strict-transport-security" not in headers, "HSTS is for production"


@pytest.mark.asvs("4.1.1")
def test_security_headers_stand_on_every_kind_of_answer(customer: Customer, world: World) -> None:
    utility = customer.utility
    employee = utility.employee()
    for answer in (
        employee.get(customer.path),
        employee.post(f"{customer.path}/invitations"),
        employee.get(f"/customers/{new_id()}/portal"),
        employee.put("/organisation/portal-settings", {"nonsense": 1}),
        utility.portal.get("/portal/me"),
        utility.portal.post("/portal/tokens/inspect", {"token": "noise"}),
        *(world.http.request(method, url) for method, url, _, _ in _places(world)),
        world.http.get(f"{world.url}/healthz"),
        world.http.get(f"{world.url}/docs"),
    ):
        assert CORRELATION_ID.fullmatch(answer.headers["x-correlation-id"])
        _secured(answer)


@pytest.mark.asvs("3.4.3")
def test_the_explorer_takes_nothing_from_elsewhere(world: World) -> None:
    page = world.http.get(f"{world.url}/docs")
    assert page.status_code == 200
    assert "'unsafe-inline'" not in page.headers["content-security-policy"]
    addresses = set(re.findall(r"\b(?:src|href)=\"([^\"]+)\"", page.text)) - {"data:,"}  # no icon
    assert {"openapi.json", "docs/explorer/explorer.js"} <= addresses
    for address in addresses:
        answer = world.http.get(page.url.join(address))
        assert str(answer.url).startswith(world.url)
        assert answer.status_code == 200
        _secured(answer)


def test_without_a_demonstration_the_explorer_lets_nobody_in(world: World) -> None:
    page = world.http.get(f"{world.url}/docs").text
    assert "Sign in as" not in page
    assert "eyJ" not in page, "no token"


def test_answers_are_camel_case_and_times_end_with_z(customer: Customer) -> None:
    customer.active()
    employee, me = customer.utility.employee(), customer.logged_in()
    answers = [
        employee.get(customer.path),
        employee.get(f"{customer.path}/invitations"),
        employee.get(f"{customer.path}/activities"),
        employee.get("/organisation/portal-settings"),
        employee.get("/organisation/activities"),
        customer.save(
            documents=[
                {
                    "documentId": str(new_id()),
                    "name": "A letter",
                    "visibility": "portal",
                    "createdDateTime": "2026-03-01T12:00:00+01:00",
                }
            ]
        ),
        me.get("/portal/me"),
        me.get("/portal/sessions"),
        customer.log_in(),
    ]
    times = 0
    for answer in answers:
        assert answer.status_code in (200, 201), answer.text
        assert answer.headers["content-type"] == "application/json"
        for name, value in _members(answer.json()):
            assert _CAMEL.fullmatch(name), name
            assert name.endswith("DateTime") == bool(isinstance(value, str) and _TIME.fullmatch(value)) or (
                name.endswith("DateTime") and value is None
            ), (name, value)
            times += name.endswith("DateTime")
    assert times > 20
    assert answers[5].json()["documents"][0]["createdDateTime"] == "2026-03-01T11:00:00Z"


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name, inner
            yield from _members(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _members(inner)
