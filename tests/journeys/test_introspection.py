"""Introspection: other services of the platform ask who a portal session is (RFC 7662)."""

from typing import Any

import httpx
import pytest

from app.permissions import Permission, Role
from tests.api.expect import fields, problem
from tests.journeys.impersonating import end
from tests.support.world import Client, Customer, Utility

PATH = "/portal/sessions/introspect"


@pytest.fixture
def active(customer: Customer) -> Customer:
    """A customer with a confirmed account."""
    return customer.active()


def ask(utility: Utility, form: Any, **headers: str) -> httpx.Response:
    """Another service of the platform asks."""
    machine = utility.bearer(None, Permission.PORTAL_INTROSPECT, subject="meter-service", application=True)
    url = f"{utility.world.url}/api/portal/v1{PATH}"
    if isinstance(form, dict):
        return utility.world.http.post(url, data=form, headers=machine | headers)
    form_type = {"Content-Type": "application/x-www-form-urlencoded"}
    return utility.world.http.post(url, content=form, headers=machine | form_type | headers)


def told(utility: Utility, client: Client) -> dict[str, Any]:
    """What the service is told of a session."""
    answer = ask(utility, {"token": client.headers["Authorization"].removeprefix("Bearer ")})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_a_customers_own_session(active: Customer) -> None:
    answer = told(active.utility, active.logged_in())
    assert answer.pop("exp") - answer.pop("iat") == 12 * 3600
    assert answer == {
        "active": True,
        "sub": str(active.id),
        "organisation_id": str(active.utility.organisation),
        "account_number": active.number,
        "scope": "look change owners",
    }


@pytest.mark.parametrize(("mode", "scope"), [("readonly", "look"), ("full", "look change")])
def test_an_employee_in_the_portal(active: Customer, mode: str, scope: str) -> None:
    answer = told(active.utility, active.impersonated(accessMode=mode))
    assert 0 < answer["exp"] - answer["iat"] <= 15 * 60
    assert answer["sub"] == str(active.id)
    assert answer["act"] == {"sub": "employee-7", "name": "Eva Maes"}
    assert (answer["access_mode"], answer["scope"]) == (mode, scope)


def test_whatever_is_no_live_session_is_inactive(active: Customer) -> None:
    ended, started = active.logged_in(), active.impersonate()
    assert ended.delete("/portal/sessions/current").status_code == 204
    token = active.redeem(started).json()["accessToken"]
    employee = Client(active.utility.world, {"Authorization": f"Bearer {token}"})
    assert told(active.utility, employee)["active"] is True
    end(active, started)
    idle = active.logged_in()
    active.utility.world.sql.run(
        "UPDATE sessions SET last_seen_at = last_seen_at - interval '31 minutes' WHERE customer_id = $1", active.id
    )
    for client in (ended, employee, idle):
        assert told(active.utility, client) == {"active": False}
    bearer = active.utility.bearer()["Authorization"].removeprefix("Bearer ")
    for noise in ("noise", "zfp_", token[:-1] + ("A" if token[-1] != "A" else "B"), bearer, "x" * 5000):
        assert ask(active.utility, {"token": noise}).json() == {"active": False}


def test_while_the_portal_is_off_no_session_is_active(active: Customer) -> None:
    client = active.logged_in()
    active.utility.change_settings(portalEnabled=False)
    assert told(active.utility, client) == {"active": False}
    active.utility.change_settings()
    assert told(active.utility, client)["active"] is True


def test_another_organisations_session_is_inactive(active: Customer) -> None:
    session = active.logged_in()
    assert told(active.utility.world.utility(), session) == {"active": False}
    assert told(active.utility, session)["active"] is True


def test_asking_is_no_sign_of_life(active: Customer) -> None:
    session = active.logged_in()
    sql = active.utility.world.sql
    seen = "SELECT last_seen_at FROM sessions WHERE customer_id = $1"
    sql.run("UPDATE sessions SET last_seen_at = last_seen_at - interval '20 minutes' WHERE customer_id = $1", active.id)
    before = sql.value(seen, active.id), active.card()["lastActiveDateTime"], len(active.activities())
    assert told(active.utility, session)["active"] is True
    assert (sql.value(seen, active.id), active.card()["lastActiveDateTime"], len(active.activities())) == before


def test_it_takes_the_permission(active: Customer) -> None:
    url = f"{active.utility.world.url}/api/portal/v1{PATH}"
    for role in (Role.USER, Role.READONLY, None):
        answer = active.utility.world.http.post(url, data={"token": "noise"}, headers=active.utility.bearer(role))
        assert "portal.introspect" in problem(answer, 403, "PERMISSION_INVALID")["detail"]
    problem(active.utility.world.http.post(url, data={"token": "noise"}), 401, "UNAUTHENTICATED")


def test_it_takes_a_form(utility: Utility) -> None:
    assert ask(utility, {"token": "noise", "token_type_hint": "access_token"}).json() == {"active": False}
    json = {"Content-Type": "application/json"}
    problem(ask(utility, b'{"token": "noise"}', **json), 415, "UNSUPPORTED_MEDIA_TYPE")
    problem(ask(utility, b"token=" + b"x" * 70_000), 413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize(
    ("form", "field"),
    [
        (b"", "token"),
        (b"token=", "token"),
        (b"token=a&token=b", "token"),
        (b"token=a&secret=b", "secret"),
        (b"token", "body"),
        (b"token=a&token_type_hint=b&x=1", "body"),
        ("token=é".encode(), "body"),
        (b"token=%ff", "body"),
        (b"\x00", "body"),
    ],
)
def test_a_form_is_read_strictly(utility: Utility, form: bytes, field: str) -> None:
    assert fields(problem(ask(utility, form), 422, "VALIDATION_FAILED")) == {field}
