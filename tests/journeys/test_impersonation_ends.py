"""How an impersonation ends: by its banner, by others, by the next one, by time; and what the customer hears of it."""

import asyncio
from datetime import datetime, timedelta

import pytest

from app.database import Database
from app.domain.callers import Actor, ActorType, Seen
from app.permissions import Permission, Role
from app.repositories.unit_of_work import Transactions
from app.services.deeds.sessions import end_impersonations
from tests.journeys.impersonating import ENDED, count, end, its_time_comes, last, time_passes
from tests.journeys.reading import inspect, refusal, wait_for_jobs
from tests.support.world import Client, Customer, Utility, handed_over


@pytest.fixture
def active(customer: Customer) -> Customer:
    """A customer with a confirmed account."""
    return customer.active()


def me(client: Client) -> tuple[int, str] | int:
    """How the portal greets this session: 200, or the refusal."""
    answer = client.get("/portal/me")
    return 200 if answer.status_code == 200 else refusal(answer)


def test_the_banner_ends_it_and_once_more_is_fine(active: Customer) -> None:
    employee, own = active.impersonated(), active.logged_in()
    answers = [employee.post("/portal/impersonations/current/end") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json() == active.impersonations()[0]
    ended = answers[0].json()
    assert (ended["state"], ended["endReason"]) == ("ended", "banner")
    assert ended["endedBy"] == {"type": "employee", "id": "employee-7", "name": "Eva Maes"}
    assert me(employee) == ENDED
    assert me(own) == 200
    assert count(active, "PortalImpersonationEnded") == 1
    assert last(active, "PortalImpersonationEnded")["payload"] == {"reason": "banner", "state": "ended"}


def test_a_customer_has_no_such_button(active: Customer) -> None:
    own = active.logged_in()
    assert refusal(own.post("/portal/impersonations/current/end")) == (404, "RESOURCE_NOT_FOUND")
    assert me(own) == 200


def test_logging_out_ends_the_impersonation(active: Customer) -> None:
    employee = active.impersonated()
    for _ in range(2):
        assert employee.delete("/portal/sessions/current").status_code == 204
    assert me(employee) == ENDED
    assert active.impersonations()[0]["endReason"] == "loggedout"
    assert count(active, "PortalImpersonationEnded") == 1
    assert count(active, "PortalLoggedOut") == 0


def test_another_employee_with_the_permission_ends_it(active: Customer) -> None:
    started = active.impersonate()
    assert active.redeem(started).status_code == 201
    other = active.utility.employee(subject="employee-9", name="An Admin")
    first, again = end(active, started, other), end(active, started, other)
    assert first == again
    assert (first["endReason"], first["endedBy"]["id"]) == ("employee", "employee-9")
    entry = last(active, "PortalImpersonationEnded")
    assert (entry["actor"]["id"], entry["impersonation"]["employeeId"]) == ("employee-9", "employee-7")
    assert count(active, "PortalImpersonationEnded") == 1


def test_without_the_permission_an_employee_ends_only_their_own(active: Customer) -> None:
    started = active.impersonate()
    path = f"{active.path}/impersonation-sessions/{started['id']}/end"
    colleague = active.utility.employee(Role.READONLY, subject="employee-9")
    machine = active.utility.employee(Role.READONLY, application=True)  # of the same subject, yet somebody else
    for stranger in (colleague, machine):
        answer = stranger.post(path)
        assert refusal(answer) == (403, "PERMISSION_INVALID")
        assert "portal.impersonate" in answer.json()["detail"]
    assert active.impersonations()[0]["state"] == "pending"
    nobody, unknown = active.utility.employee(None), f"{active.path}/impersonation-sessions/{active.id}/end"
    assert refusal(nobody.post(unknown)) == (403, "PERMISSION_INVALID"), "nor learns which there are"
    assert refusal(nobody.post(path, headers={"Idempotency-Key": ""})) == (422, "VALIDATION_FAILED")
    for _ in range(2):
        assert end(active, started, nobody)["state"] == "ended", "one's own needs no permission"


def test_the_permission_alone_ends_anybodys(active: Customer) -> None:
    started = active.impersonate()
    other = active.utility.employee(None, Permission.PORTAL_IMPERSONATE, subject="employee-9")
    assert end(active, started, other)["endedBy"]["id"] == "employee-9"


def test_a_link_whose_impersonation_was_ended_opens_nothing(active: Customer) -> None:
    started = active.impersonate()
    end(active, started)
    answer = active.redeem(started)
    assert refusal(answer) == (410, "TOKEN_REVOKED")
    assert "customer's card" in answer.json()["solution"]
    assert inspect(active.utility, handed_over(started)).json()["state"] == "revoked"
    entry = last(active, "PortalImpersonationRefused")
    assert entry["payload"] == {"key": "TOKEN_REVOKED"}
    assert entry["impersonation"]["sessionId"] == started["id"]


def test_a_link_works_once(active: Customer) -> None:
    started = active.impersonate()
    assert active.redeem(started).status_code == 201
    assert refusal(active.redeem(started)) == (410, "TOKEN_USED")
    end(active, started)
    assert refusal(active.redeem(started)) == (410, "TOKEN_USED")


@pytest.mark.parametrize("same", [True, False])
def test_starting_another_ends_the_first(utility: Utility, same: bool) -> None:
    first = utility.customer().active()
    second = first if same else utility.customer().active()
    started = first.impersonate()
    employee = Client(utility.world, {"Authorization": f"Bearer {first.redeem(started).json()['accessToken']}"})
    assert me(employee) == 200
    newer = second.impersonate()
    assert me(employee) == ENDED
    old = first.impersonations()[-1]
    assert (old["state"], old["endReason"]) == ("ended", "superseded")
    assert last(first, "PortalImpersonationEnded")["payload"] == {
        "reason": "superseded",
        "state": "ended",
        "supersededBy": newer["id"],
    }
    newest = second.impersonate()
    assert refusal(second.redeem(newer)) == (410, "TOKEN_SUPERSEDED")
    assert inspect(utility, handed_over(newer)).json()["state"] == "superseded"
    assert second.redeem(newest).status_code == 201


def test_another_employees_impersonation_goes_on(active: Customer) -> None:
    first = active.impersonated()
    second = active.impersonated(active.utility.employee(subject="employee-8", name="Tom Claes"))
    assert (me(first), me(second)) == (200, 200)
    assert second.get("/portal/me").json()["impersonation"]["employeeName"] == "Tom Claes"


def test_a_hand_off_lives_a_minute(active: Customer) -> None:
    started = active.impersonate()
    time_passes(active, timedelta(seconds=57))
    assert active.redeem(started).status_code == 201
    late = active.impersonate()
    time_passes(active, timedelta(seconds=61))
    assert refusal(active.redeem(late)) == (410, "TOKEN_EXPIRED")
    assert inspect(active.utility, handed_over(late)).json()["state"] == "expired"
    shown = next(one for one in active.impersonations() if one["id"] == late["id"])
    assert (shown["state"], shown["endReason"]) == ("expired", "expired")
    assert shown["endedBy"] == {"type": "system", "id": "time", "name": None}
    assert active.card()["activeImpersonation"] is None


def test_after_fifteen_minutes_it_is_over_however_busy_it_was(active: Customer) -> None:
    employee = active.impersonated()
    time_passes(active, timedelta(minutes=14, seconds=50))
    assert me(employee) == 200
    assert active.card()["activeImpersonation"]["state"] == "active"
    time_passes(active, timedelta(seconds=11))
    assert me(employee) == ENDED
    shown = active.impersonations()[0]
    assert shown["state"] == "expired"
    assert shown["endedDateTime"] == shown["expiresDateTime"]
    assert active.card()["activeImpersonation"] is None
    assert employee.post("/portal/impersonations/current/end").json() == shown
    assert end(active, {"id": shown["id"]}) == shown


def test_the_idle_limit_of_the_customers_sessions_is_not_its_own(active: Customer) -> None:
    employee = active.impersonated()
    active.utility.world.sql.run(
        "UPDATE sessions SET last_seen_at = last_seen_at - interval '2 hours' WHERE customer_id = $1", active.id
    )
    assert me(employee) == 200


def test_what_time_has_ended_is_closed_as_expired_by_whoever_comes_next(active: Customer) -> None:
    active.impersonated()
    time_passes(active, timedelta(minutes=16))
    active.impersonate()
    assert [one["state"] for one in active.impersonations()] == ["pending", "expired"]
    entry = last(active, "PortalImpersonationEnded")
    assert entry["payload"] == {"reason": "expired", "state": "expired"}
    assert entry["actor"] == {"type": "system", "id": "time", "name": None}


def test_when_its_time_is_up_the_log_says_so_by_itself(active: Customer) -> None:
    started = active.impersonate()
    assert active.redeem(started).status_code == 201
    time_passes(active, timedelta(minutes=15))
    its_time_comes(active, started)
    wait_for_jobs(active.utility)
    assert count(active, "PortalImpersonationEnded") == 1
    entry = last(active, "PortalImpersonationEnded")
    assert entry["actor"]["type"] == "system"
    assert entry["impersonation"]["employeeName"] == "Eva Maes"
    ended = active.utility.world.sql.value("SELECT ended_at FROM impersonations WHERE customer_id = $1", active.id)
    assert ended == datetime.fromisoformat(active.impersonations()[0]["expiresDateTime"])


def test_what_ends_all_of_a_customers_impersonations_ends_them_at_the_next_request(active: Customer) -> None:
    employee, pending = active.impersonated(), active.impersonate(active.utility.employee(subject="employee-8"))

    async def reset() -> int:
        settings = active.utility.world.settings
        database = await Database.connect(str(settings.database_url), settings)
        async with Transactions(database)(active.utility.organisation) as uow:
            standing = await uow.customers.locked_standing(active.id)
            by = Actor(ActorType.EMPLOYEE, "employee-9", "An Admin")
            ended = await end_impersonations(uow, standing, "accountreset", by=by, seen=Seen("test"))
        await database.close()
        return ended

    assert asyncio.run(reset()) == 2
    assert me(employee) == ENDED
    assert refusal(active.redeem(pending)) == (410, "TOKEN_REVOKED")
    assert [one["endReason"] for one in active.impersonations()] == ["accountreset", "accountreset"]
    assert count(active, "PortalImpersonationEnded") == 2


@pytest.mark.parametrize("change", ["email_confirmed_at = NULL", "state = 'retired', retired_at = now()"])
def test_it_needs_the_same_live_and_active_account_to_the_end(active: Customer, change: str) -> None:
    employee = active.impersonated()
    pending = active.impersonate(active.utility.employee(subject="employee-8"))
    active.utility.world.sql.run(f"UPDATE accounts SET {change} WHERE customer_id = $1", active.id)
    assert me(employee) == ENDED
    assert active.redeem(pending).status_code in (409, 410)
    assert [one["state"] for one in active.impersonations()] == ["pending", "active"]


@pytest.mark.parametrize(
    ("settings", "key"),
    [({"portalEnabled": False}, "PORTAL_NOT_ENABLED"), ({"impersonationEnabled": False}, "FEATURE_NOT_ENABLED")],
)
def test_switched_off_in_between_nobody_gets_in_or_stays(active: Customer, settings: dict[str, bool], key: str) -> None:
    employee = active.impersonated()
    pending = active.impersonate(active.utility.employee(subject="employee-8"))
    active.utility.change_settings(**settings)
    assert refusal(active.redeem(pending)) == (409, key)
    assert me(employee) == ENDED
    assert last(active, "PortalImpersonationRefused")["payload"] == {"key": key}
    active.utility.change_settings()
    assert active.redeem(pending).status_code == 201


def notices(customer: Customer) -> list[str]:
    """Where notices of an employee's visit went or go."""
    rows = customer.utility.world.sql.rows(
        "SELECT email, status FROM communications WHERE customer_id = $1 AND kind = 'accessnotice'", customer.id
    )
    return [f"{row['email']}: {row['status']}" for row in rows]


def test_the_customer_is_told_once_when_it_is_over(active: Customer) -> None:
    active.utility.change_settings(notifyAfterImpersonation=True)
    started = active.impersonate()
    assert active.redeem(started).status_code == 201
    wait_for_jobs(active.utility)
    assert notices(active) == []
    end(active, started)
    wait_for_jobs(active.utility)
    assert notices(active) == [f"{active.email}: successful"]
    its_time_comes(active, started)
    wait_for_jobs(active.utility)
    assert notices(active) == [f"{active.email}: successful"]


def test_the_customer_is_told_when_time_ended_it(active: Customer) -> None:
    active.utility.change_settings(notifyAfterImpersonation=True)
    started = active.impersonate()
    assert active.redeem(started).status_code == 201
    time_passes(active, timedelta(minutes=15))
    its_time_comes(active, started)
    wait_for_jobs(active.utility)
    assert notices(active) == [f"{active.email}: successful"]


def test_there_is_nothing_to_tell_of_a_link_that_nobody_opened(active: Customer) -> None:
    active.utility.change_settings(notifyAfterImpersonation=True)
    started = active.impersonate()
    end(active, started)
    its_time_comes(active, started)
    wait_for_jobs(active.utility)
    assert notices(active) == []


def test_the_notice_is_automatic_and_the_organisations_to_switch_off(active: Customer) -> None:
    active.utility.change_settings(notifyAfterImpersonation=True, communicationEnabled=False)
    active.impersonated().post("/portal/impersonations/current/end")
    wait_for_jobs(active.utility)
    assert notices(active) == [f"{active.email}: skipped"]
    active.utility.change_settings(notifyAfterImpersonation=False)
    other = active.utility.customer().active()
    other.impersonated().post("/portal/impersonations/current/end")
    wait_for_jobs(active.utility)
    assert notices(other) == []


@pytest.mark.asvs("8.3.2")
def test_an_assigned_permission_that_is_taken_away_ends_it_at_the_next_request(active: Customer) -> None:
    utility = active.utility
    helper = utility.newcomer("employee-5", Permission.PORTAL_READ)
    assignment = utility.assign("employee-5", utility.role(Permission.PORTAL_IMPERSONATE))
    employee, by_bearer = active.impersonated(helper), active.impersonated()
    assert (me(employee), me(by_bearer)) == (200, 200)
    assert utility.employee().delete(f"/organisation/role-assignments/{assignment}").status_code == 204
    assert (me(employee), me(by_bearer)) == (ENDED, 200)
    entry = last(active, "PortalImpersonationEnded")
    assert entry["payload"] == {"reason": "permissionlost", "state": "ended"}
    assert (entry["actor"]["id"], entry["impersonation"]["employeeId"]) == ("employee-7", "employee-5")
    again = helper.post(f"{active.path}/impersonation-sessions", {"reason": "Help with an invoice"})
    assert refusal(again) == (403, "PERMISSION_INVALID")


def test_so_does_a_role_that_no_longer_has_it_but_not_one_of_two(active: Customer) -> None:
    utility = active.utility
    helper, role = utility.newcomer("employee-5"), utility.role(Permission.PORTAL_IMPERSONATE)
    utility.assign("employee-5", role)
    other = utility.assign("employee-5", Role.ADMINISTRATOR)
    utility.assign("employee-9", Role.ADMINISTRATOR)
    employee = active.impersonated(helper)
    less = {"name": "Service desk", "permissions": ["portal.read"]}
    assert utility.employee().put(f"/organisation/roles/{role}", less).status_code == 200
    assert me(employee) == 200, "the other role still has it"
    more = {"name": "Service desk", "permissions": ["portal.read", "portal.impersonate"]}
    assert utility.employee().put(f"/organisation/roles/{role}", more).status_code == 200
    assert utility.employee().delete(f"/organisation/role-assignments/{other}").status_code == 204
    assert me(employee) == 200
    assert utility.employee().put(f"/organisation/roles/{role}", less).status_code == 200
    assert me(employee) == ENDED


def test_a_right_that_came_in_the_bearer_is_judged_at_the_start(active: Customer) -> None:
    utility = active.utility
    assignment = utility.assign("employee-7", utility.role(Permission.PORTAL_IMPERSONATE))
    employee = active.impersonated()
    assert utility.employee().delete(f"/organisation/role-assignments/{assignment}").status_code == 204
    assert me(employee) == 200


def test_an_account_reset_ends_it_and_its_record_stays(active: Customer) -> None:
    employee = active.impersonated()
    assert active.utility.employee().post(f"{active.path}/reset").status_code == 200
    assert me(employee) == ENDED
    assert [one["state"] for one in active.impersonations()] == ["ended"]
    assert active.card()["activeImpersonation"] is None
