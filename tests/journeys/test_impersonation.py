"""Logging in to the portal as the customer: started, handed over, recognised, shown, and named in the log."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from app.permissions import Role
from tests.journeys.impersonating import end, last
from tests.journeys.reading import actions, inspect, refusal, sessions
from tests.support.world import Client, Customer, Utility, handed_over

WHY = "Customer asks for help with an invoice"


@pytest.fixture
def active(customer: Customer) -> Customer:
    """A customer with a confirmed account."""
    return customer.active()


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def try_to_start(customer: Customer, client: Client | None = None, **body: Any) -> tuple[int, str]:
    """How a start is refused."""
    client = client or customer.utility.employee()
    return refusal(client.post(f"{customer.path}/impersonation-sessions", {"reason": WHY} | body))


def test_an_employee_logs_in_as_the_customer(active: Customer) -> None:
    started = active.impersonate(reason=f"  {WHY} ", ticketReference="T-4711")
    assert started["customerId"] == str(active.id)
    assert started["employee"] == {"id": "employee-7", "name": "Eva Maes"}
    assert (started["reason"], started["ticketReference"]) == (WHY, "T-4711")
    assert (started["accessMode"], started["state"]) == ("readonly", "pending")
    assert started["redeemedDateTime"] is started["endedDateTime"] is started["endedBy"] is started["endReason"] is None
    began = moment(started["createdDateTime"])
    assert moment(started["expiresDateTime"]) - began == timedelta(minutes=15)
    assert moment(started["handoffExpiresDateTime"]) - began == timedelta(seconds=60)
    assert started["portalLoginUrl"].startswith("https://portal.example.com/impersonate#token=")
    answer = active.redeem(started)
    assert answer.status_code == 201
    assert answer.json()["customerId"] == str(active.id)
    assert answer.json()["expiresDateTime"] == started["expiresDateTime"]
    me = Client(active.utility.world, {"Authorization": f"Bearer {answer.json()['accessToken']}"}).get("/portal/me")
    assert me.json()["account"]["email"] == active.email
    shown = me.json()["impersonation"]
    until = f"{moment(started['expiresDateTime']):%H:%M} UTC"
    assert shown.pop("banner") == (
        f"Eva Maes of Zonneveld Warmte is logged in as Jan Peeters ({active.number}), looking only, until {until}."
    )
    assert shown == {
        "sessionId": started["id"],
        "employeeName": "Eva Maes",
        "accessMode": "readonly",
        "expiresDateTime": started["expiresDateTime"],
    }


@pytest.mark.parametrize("culture", ["nl-BE", "fr-BE", "de-DE", "fi-FI", "en-GB", "es-ES"])
def test_the_banner_speaks_the_customers_language(utility: Utility, culture: str) -> None:
    customer = utility.customer(language=culture).active()
    banner = customer.impersonated().get("/portal/me").json()["impersonation"]["banner"]
    assert banner.startswith("Eva Maes")
    word = {"nl": "aangemeld", "fr": "connecté", "de": "angemeldet", "fi": "kirjautunut"}.get(culture[:2], "logged in")
    assert word in banner


def test_the_log_names_both_from_start_to_end(active: Customer) -> None:
    started = active.impersonate(reason=WHY, accessMode="full")
    assert active.redeem(started).status_code == 201
    assert end(active, started)["state"] == "ended"
    both = {"sessionId": started["id"], "employeeId": "employee-7", "employeeName": "Eva Maes"}
    for kind in ("PortalImpersonationStarted", "PortalImpersonationRedeemed", "PortalImpersonationEnded"):
        entry = last(active, kind)
        assert entry["actor"] == {"type": "employee", "id": "employee-7", "name": "Eva Maes"}
        assert entry["impersonation"] == both
        assert (entry["customerId"], entry["accountNumber"]) == (str(active.id), active.number)
        assert entry["subject"] == {"type": "impersonation", "id": started["id"]}
    assert last(active, "PortalImpersonationStarted")["payload"] == {
        "reason": WHY,
        "ticketReference": None,
        "accessMode": "full",
        "rightAssigned": False,
    }
    found = active.utility.employee().get(f"{active.path}/activities?impersonated=true").json()["results"]
    assert len(found) == 3


@pytest.mark.parametrize(
    "reason", ["", " ", "too short", "  123456789  ", "x" * 501, "\u200b" * 12, "-" * 12, "ten letters\u0007", None, 10]
)
def test_a_reason_has_10_to_500_characters(active: Customer, reason: Any) -> None:
    assert try_to_start(active, reason=reason) == (422, "VALIDATION_FAILED")
    assert active.impersonations() == []


def test_a_reason_may_be_as_long_as_the_contract_says_and_typed_on_two_lines(active: Customer) -> None:
    assert active.impersonate(reason="x" * 500)["reason"] == "x" * 500
    assert active.impersonate(reason="0123456789")["reason"] == "0123456789"
    assert active.impersonate(reason="Help with\r\nan invoice")["reason"] == "Help with an invoice"


def test_without_a_reason_or_with_more_than_is_asked_nothing_starts(active: Customer) -> None:
    path = f"{active.path}/impersonation-sessions"
    for body in (None, {}, {"accessMode": "full"}, {"reason": WHY, "customerId": str(active.id)}):
        assert refusal(active.utility.employee().post(path, body))[0] in (415, 422)
    assert try_to_start(active, accessMode="everything") == (422, "VALIDATION_FAILED")
    assert active.impersonations() == []


def test_what_is_needed_to_start_is_each_necessary_and_its_lack_remembered(utility: Utility) -> None:
    stranger, unconfirmed, active = utility.customer(), utility.customer(), utility.customer().active()
    unconfirmed.registered()
    for customer, key in ((stranger, "USER_NOT_FOUND"), (unconfirmed, "EMAIL_NOT_CONFIRMED")):
        assert try_to_start(customer) == (409, key)
        assert actions(customer.card())["impersonate"] == key
    for settings, key in (
        ({"portalEnabled": False}, "PORTAL_NOT_ENABLED"),
        ({"portalUrl": None}, "PORTAL_URL_MISSING"),
        ({"impersonationEnabled": False}, "FEATURE_NOT_ENABLED"),
    ):
        utility.change_settings(**settings)
        assert try_to_start(active) == (409, key)
        assert last(active, "PortalImpersonationRefused")["payload"] == {"key": key}
        assert actions(active.card())["impersonate"] == key
    entry = last(active, "PortalImpersonationRefused")
    assert (entry["actor"]["id"], entry["customerId"]) == ("employee-7", str(active.id))
    assert entry["impersonation"] is None
    assert active.impersonations() == []


@pytest.mark.asvs("16.3.2")
def test_nobody_impersonates_without_the_permission_and_trying_is_remembered(active: Customer) -> None:
    for role in (Role.USER, Role.READONLY):
        assert try_to_start(active, active.utility.employee(role)) == (403, "PERMISSION_INVALID")
    assert active.log().count("PortalImpersonationRefused") == 2
    assert last(active, "PortalImpersonationRefused")["payload"] == {"key": "PERMISSION_INVALID"}


def test_an_application_is_nobody_whom_the_log_could_name(active: Customer) -> None:
    machine = active.utility.employee(subject="billing", application=True)
    answer = machine.post(f"{active.path}/impersonation-sessions", {"reason": WHY})
    assert refusal(answer) == (403, "PERMISSION_INVALID")
    assert "application" in answer.json()["detail"]
    assert last(active, "PortalImpersonationRefused")["actor"]["type"] == "application"
    assert actions(machine.get(active.path).json())["impersonate"] == "PERMISSION_INVALID"
    assert actions(active.card())["impersonate"] is None


@pytest.mark.asvs("8.2.2", "8.4.1")
def test_another_organisations_customer_and_session_do_not_exist(active: Customer) -> None:
    started = active.impersonate()
    other = active.utility.world.utility()
    theirs = Customer(other, active.id, active.record)
    assert try_to_start(theirs) == (404, "CUSTOMER_DOES_NOT_EXIST")
    path = f"{active.path}/impersonation-sessions"
    assert refusal(other.employee().get(path)) == (404, "CUSTOMER_DOES_NOT_EXIST")
    assert refusal(other.employee().post(f"{path}/{started['id']}/end")) == (404, "CUSTOMER_DOES_NOT_EXIST")
    neighbour = active.utility.customer()
    foreign = f"{neighbour.path}/impersonation-sessions/{started['id']}/end"
    assert refusal(active.utility.employee().post(foreign)) == (404, "RESOURCE_NOT_FOUND")
    redeem = {"token": handed_over(started)}
    assert refusal(other.portal.post("/portal/impersonations/redeem", redeem)) == (400, "TOKEN_INVALID")
    assert refusal(inspect(other, handed_over(started))) == (400, "TOKEN_INVALID")
    assert other.employee().get("/organisation/impersonation-sessions").json()["results"] == []
    assert active.redeem(started).status_code == 201


def test_the_card_shows_the_newest_that_is_open(active: Customer) -> None:
    assert active.card()["activeImpersonation"] is None
    first = active.impersonate()
    second = active.impersonate(active.utility.employee(subject="employee-8", name="Tom Claes"))
    assert active.card()["activeImpersonation"]["id"] == second["id"]
    assert active.card()["activeImpersonation"] == active.impersonations()[0]
    end(active, second)
    assert active.card()["activeImpersonation"]["id"] == first["id"]
    end(active, first)
    assert active.card()["activeImpersonation"] is None
    assert [one["state"] for one in active.impersonations()] == ["ended", "ended"]


def test_no_secret_stands_in_lists_card_or_log(active: Customer) -> None:
    started = active.impersonate()
    token = handed_over(started)
    session = active.redeem(started).json()["accessToken"]
    told = repr((active.card(), active.impersonations(), active.activities()))
    assert "portalLoginUrl" not in told
    assert token not in told
    assert session not in told


def test_the_list_comes_in_pages(active: Customer) -> None:
    made = [active.impersonate()["id"] for _ in range(3)]
    employee, path = active.utility.employee(), f"{active.path}/impersonation-sessions?pageSize=2"
    first = employee.get(path).json()
    second = employee.get(f"{path}&continuationToken={first['nextPageToken']}").json()
    assert [one["id"] for one in first["results"] + second["results"]] == made[::-1]
    assert second["hasNextPage"] is False
    assert active.utility.customer().impersonations() == []


def test_the_customers_own_sessions_are_untouched_and_do_not_show_it(active: Customer) -> None:
    own = active.logged_in()
    active.utility.world.sql.run(
        "UPDATE accounts SET last_active_at = last_active_at - interval '1 day' WHERE customer_id = $1", active.id
    )
    before = active.card()["lastActiveDateTime"]
    employee = active.impersonated()
    hidden = active.utility.world.sql.value(
        "SELECT id FROM sessions WHERE customer_id = $1 AND impersonation_id IS NOT NULL", active.id
    )
    active.utility.world.sql.run(
        "UPDATE sessions SET last_seen_at = last_seen_at - interval '14 minutes' WHERE id = $1", hidden
    )
    assert employee.get("/portal/me").status_code == 200
    assert active.card()["lastActiveDateTime"] == before
    assert [one["current"] for one in sessions(own)] == [True]
    assert [one["current"] for one in sessions(employee)] == [False]
    assert refusal(own.delete(f"/portal/sessions/{hidden}")) == (404, "RESOURCE_NOT_FOUND")
    assert employee.get("/portal/me").status_code == 200
    assert own.get("/portal/me").json()["impersonation"] is None


def test_the_link_can_be_looked_at_without_being_spent(active: Customer) -> None:
    started = active.impersonate()
    before = active.log()
    expected = {
        "purpose": "impersonation",
        "state": "pending",
        "email": f"j***@{active.email.partition('@')[2]}",
        "expiresDateTime": started["handoffExpiresDateTime"],
        "accountNumberRequired": False,
    }
    for _ in range(3):
        assert inspect(active.utility, handed_over(started)).json() == expected
    assert active.log() == before
    assert active.redeem(started).status_code == 201
    assert inspect(active.utility, handed_over(started)).json() == expected | {"state": "used"}


def test_a_hand_off_is_noise_elsewhere_and_other_links_are_noise_here(customer: Customer) -> None:
    confirmation = customer.registered()
    redeem = customer.utility.portal.post("/portal/impersonations/redeem", {"token": confirmation})
    assert refusal(redeem) == (400, "TOKEN_INVALID")
    assert customer.confirm(confirmation).status_code == 200
    started = customer.impersonate()
    token = handed_over(started)
    assert refusal(customer.confirm(token)) == refusal(customer.register(token)) == (400, "TOKEN_INVALID")
    damaged = {"token": token[:-1] + ("A" if token[-1] != "A" else "B")}
    assert refusal(customer.utility.portal.post("/portal/impersonations/redeem", damaged)) == (400, "TOKEN_INVALID")
    assert customer.redeem(started).status_code == 201


def test_the_customer_sees_who_looked_when_the_utility_shows_it(active: Customer) -> None:
    own = active.logged_in()
    assert refusal(own.get("/portal/me/access-log")) == (409, "FEATURE_NOT_ENABLED")
    active.utility.change_settings(showAccessLog=True)
    assert own.get("/portal/me/access-log").json()["results"] == []
    active.impersonate(reason="never handed over to the portal")
    started = active.impersonate(reason=WHY)
    assert active.redeem(started).status_code == 201
    ended = end(active, started)
    [entry] = own.get("/portal/me/access-log").json()["results"]
    assert entry == {
        "employeeName": "Eva Maes",
        "reason": WHY,
        "accessMode": "readonly",
        "createdDateTime": started["createdDateTime"],
        "redeemedDateTime": ended["redeemedDateTime"],
        "endedDateTime": ended["endedDateTime"],
    }
    assert active.utility.customer().active().logged_in().get("/portal/me/access-log").json()["results"] == []


def test_the_organisation_looks_back_on_all_of_them(utility: Utility) -> None:
    first, second = utility.customer().active(), utility.customer().active()
    started = first.impersonate(reason=WHY, accessMode="full")
    assert first.redeem(started).status_code == 201
    utility.world.sql.run(
        "UPDATE impersonations SET redeemed_at = redeemed_at - interval '70 seconds' WHERE customer_id = $1", first.id
    )
    pending = second.impersonate()  # the same employee: it ends the first
    everyone = utility.employee(Role.READONLY).get("/organisation/impersonation-sessions").json()["results"]
    assert [one["id"] for one in everyone] == [pending["id"], started["id"]]
    assert [one["accountNumber"] for one in everyone] == [second.number, first.number]
    assert [one["state"] for one in everyone] == ["pending", "ended"]
    assert everyone[0]["durationSeconds"] is None
    assert 70 <= everyone[1]["durationSeconds"] <= 100
    assert [one["actionCount"] for one in everyone] == [0, 0]
    assert (everyone[1]["reason"], everyone[1]["employee"]["name"]) == (WHY, "Eva Maes")
    page = utility.employee().get("/organisation/impersonation-sessions?pageSize=1").json()
    again = {"continuationToken": page["nextPageToken"]}
    older = utility.employee().get("/organisation/impersonation-sessions?pageSize=1", headers=again).json()
    assert [one["id"] for one in older["results"]] == [started["id"]]


def test_a_repeated_start_is_the_same_start_and_its_link_is_signed_again(active: Customer) -> None:
    employee, key = active.utility.employee(), {"Idempotency-Key": "start-1"}
    path, body = f"{active.path}/impersonation-sessions", {"reason": WHY}
    first, again = (employee.post(path, body, headers=key) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.content == first.content
    assert len(active.impersonations()) == 1
    kept = active.utility.world.sql.value(
        "SELECT body FROM idempotency_answers WHERE organisation_id = $1", active.utility.organisation
    )
    assert handed_over(first.json()) not in kept
    assert "#token" not in kept
    assert refusal(employee.post(path, {"reason": "Something else"}, headers=key)) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert active.redeem(again.json()).status_code == 201
    late = employee.post(path, body, headers=key)
    assert late.json() == first.json() | {"portalLoginUrl": None}
    assert len(active.impersonations()) == 1
