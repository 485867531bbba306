"""An employee logs a customer out, and has the browser forget what it keeps of the portal."""

from pathlib import Path

import httpx
import pytest

from app.permissions import Permission
from tests.journeys.reading import refusal, sessions
from tests.support.service import api_process
from tests.support.world import Client, Customer

CLEARED = '"cache", "storage"'
ENDED = (401, "SESSION_ENDED")


@pytest.fixture
def active(customer: Customer) -> Customer:
    """A customer with a confirmed account."""
    return customer.active()


def cleared(answer: httpx.Response) -> str | None:
    """What the answer tells the browser to forget."""
    return answer.headers.get("clear-site-data")


@pytest.mark.asvs("7.4.5")
def test_every_session_ends_and_each_is_told_to_clear_at_every_call(active: Customer) -> None:
    clients = [active.logged_in(), active.logged_in()]
    answer = active.log_out()
    assert answer.status_code == 200
    assert answer.json() == {"endedSessions": 2}
    for client in clients * 2:
        ended = client.get("/portal/me")
        assert refusal(ended) == ENDED
        assert cleared(ended) == CLEARED


def test_the_next_login_clears_too_and_the_one_after_does_not(active: Customer) -> None:
    assert cleared(active.log_in()) is None
    active.log_out()
    assert cleared(active.log_in(password="seven cold radiators")) is None
    next_one = active.log_in()
    assert next_one.status_code == 201
    assert cleared(next_one) == CLEARED
    assert cleared(active.log_in()) is None


def test_twice_is_fine_and_ends_nothing_more(active: Customer) -> None:
    active.logged_in()
    assert [active.log_out().json() for _ in range(2)] == [{"endedSessions": 1}, {"endedSessions": 0}]
    told = [entry for entry in active.activities() if entry["type"] == "PortalSessionsEnded"]
    assert [entry["payload"] for entry in told] == [
        {"reason": "customerlogout", "count": 0},
        {"reason": "customerlogout", "count": 1},
    ]
    assert told[0]["actor"]["type"] == "employee"


def test_the_same_idempotency_key_logs_out_once(active: Customer) -> None:
    active.logged_in()
    key = {"Idempotency-Key": "out"}
    employee = active.utility.employee()
    first = employee.post(f"{active.path}/logout", headers=key)
    client = active.logged_in()
    again = employee.post(f"{active.path}/logout", headers=key)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.content == first.content
    assert client.get("/portal/me").status_code == 200


def test_sessions_that_ended_otherwise_clear_nothing(active: Customer) -> None:
    left, other, last = active.logged_in(), active.logged_in(), active.logged_in()
    left.delete("/portal/sessions/current")
    last.delete(f"/portal/sessions/{sessions(last)[1]['id']}")
    active.log_out()
    for ended in (left, other):
        assert refusal(ended.get("/portal/me")) == ENDED
        assert cleared(ended.get("/portal/me")) is None
    assert cleared(last.get("/portal/me")) is not None


def test_sessions_that_time_has_ended_do_not_count(active: Customer) -> None:
    idle, live = active.logged_in(), active.logged_in()
    active.utility.world.sql.run(
        "UPDATE sessions SET last_seen_at = now() - interval '31 minutes' WHERE id = $1", sessions(idle)[1]["id"]
    )
    assert active.log_out().json() == {"endedSessions": 1}
    assert refusal(live.get("/portal/me")) == ENDED


def test_logging_out_of_an_ended_session_is_still_fine(active: Customer) -> None:
    client = active.logged_in()
    active.log_out()
    answer = client.delete("/portal/sessions/current")
    assert answer.status_code == 204
    assert cleared(answer) is not None, "it is the portal's next answer too"


def test_only_a_customer_with_an_account_can_be_logged_out(customer: Customer) -> None:
    assert refusal(customer.log_out()) == (409, "USER_NOT_FOUND")
    button = next(one for one in customer.card()["actions"] if one["action"] == "logoutcustomer")
    assert button["key"] == "USER_NOT_FOUND"


def test_an_account_that_is_not_confirmed_can_be_logged_out(customer: Customer) -> None:
    customer.registered()
    assert customer.log_out().json() == {"endedSessions": 0}


def test_another_organisations_customer_is_not_there(active: Customer) -> None:
    client = active.logged_in()
    answer = active.utility.world.utility().employee().post(f"{active.path}/logout")
    assert refusal(answer) == (404, "CUSTOMER_DOES_NOT_EXIST")
    assert client.get("/portal/me").status_code == 200


def test_it_needs_the_permission_to_reset_accounts(active: Customer) -> None:
    others = [permission for permission in Permission if permission is not Permission.PORTAL_RESET_ACCOUNT]
    answer = active.utility.employee(None, *others).post(f"{active.path}/logout")
    assert refusal(answer) == (403, "PERMISSION_INVALID")


def test_it_works_while_the_portal_is_off(active: Customer) -> None:
    client = active.logged_in()
    active.utility.change_settings(portalEnabled=False)
    assert active.log_out().json() == {"endedSessions": 1}
    assert refusal(client.get("/portal/me")) == ENDED


def test_open_impersonations_end_with_it(active: Customer) -> None:
    employee = active.impersonated()
    assert active.log_out().json() == {"endedSessions": 0}
    assert refusal(employee.get("/portal/me")) == ENDED
    assert active.impersonations()[0]["endReason"] == "customerlogout"
    assert "PortalImpersonationEnded" in active.log()


def test_it_acts_at_the_next_request_on_another_process(active: Customer, tmp_path: Path) -> None:
    world = active.utility.world
    with api_process(world.settings, tmp_path / "api.log", "--no-worker") as (url, _):
        clients = [active.logged_in() for _ in range(3)]

        def there(client: Client) -> httpx.Response:
            return client.get(f"{url}/api/portal/v1/portal/me")

        assert [there(client).status_code for client in clients] == [200] * 3
        clients[0].delete("/portal/sessions/current")
        assert refusal(there(clients[0])) == ENDED
        assert cleared(there(clients[0])) is None
        active.log_out()
        for client in clients[1:]:
            assert refusal(there(client)) == ENDED
            assert cleared(there(client)) == CLEARED
        active.utility.change_settings(portalEnabled=False)
        waiting = there(clients[1])
        assert refusal(waiting) == ENDED, "ended is ended, whether the portal is on or off"
