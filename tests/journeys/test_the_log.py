"""The log tells the story: who, when, which request; and never a secret."""

import json
from typing import Any

import asyncpg
import httpx
import pytest

from tests.journeys.reading import newest_mail, wait_for_jobs
from tests.support.world import PASSWORD, Customer, Utility

EMPLOYEE = {"type": "employee", "id": "employee-7", "name": "Eva Maes"}
MAILER = {"type": "system", "id": "mail", "name": "Portal Access"}


def post(customer: Customer, path: str, body: dict[str, Any], correlation_id: str) -> httpx.Response:
    """A call of the portal that names itself."""
    answer = customer.utility.portal.post(path, body, headers={"X-Correlation-Id": correlation_id})
    assert answer.headers["x-correlation-id"] == correlation_id
    return answer


def tell_the_story(customer: Customer) -> list[str]:
    """From the invitation to the end of a session; the secrets that passed by."""
    path, headers = f"{customer.path}/invitations", {"X-Correlation-Id": "card-1"}
    assert customer.utility.employee().post(path, headers=headers).status_code == 201
    invitation = customer.mail().token
    post(customer, "/portal/tokens/inspect", {"token": invitation}, "page-2")
    registration = {"token": invitation, "customerNumber": customer.number, "password": PASSWORD}
    post(customer, "/portal/registrations", registration | {"customerNumber": "1"}, "page-3")
    post(customer, "/portal/registrations", registration, "page-4")
    first = newest_mail(customer.utility, customer.email, "confirm-email").token
    post(customer, "/portal/email-confirmations/resend", {"email": customer.email}, "page-5")
    second = newest_mail(customer.utility, customer.email, "confirm-email", 2).token
    post(customer, "/portal/email-confirmations", {"token": first}, "page-6")
    post(customer, "/portal/email-confirmations", {"token": second}, "page-7")
    login = {"email": customer.email, "password": PASSWORD}
    post(customer, "/portal/sessions", login | {"password": "wrong radiators"}, "page-8")
    session = post(customer, "/portal/sessions", login, "page-9").json()["accessToken"]
    answer = customer.utility.world.http.delete(
        f"{customer.utility.world.url}/api/portal/v1/portal/sessions/current",
        headers={"Authorization": f"Bearer {session}", "X-Correlation-Id": "page-10"},
    )
    assert answer.status_code == 204
    wait_for_jobs(customer.utility)
    return [invitation, first, second, session, PASSWORD, "wrong radiators"]


@pytest.mark.asvs("16.2.1")
def test_the_log_tells_the_story(customer: Customer) -> None:
    tell_the_story(customer)
    by = {"type": "customer", "id": str(customer.id), "name": "Jan Peeters"}
    entries = [entry for entry in reversed(customer.activities()) if entry["type"] != "PortalCommunicationSent"]
    assert [(entry["correlationId"], entry["type"], entry["actor"]) for entry in entries] == [
        ("card-1", "PortalInvitationSent", EMPLOYEE),
        ("page-2", "PortalInvitationViewed", by),
        ("page-3", "PortalRegistrationRefused", by),
        ("page-4", "PortalAccountRegistered", by),
        ("page-4", "PortalEmailConfirmationSent", by),
        ("page-5", "PortalEmailConfirmationSuperseded", by),
        ("page-5", "PortalEmailConfirmationSent", by),
        ("page-6", "PortalTokenRefused", by),
        ("page-7", "PortalEmailConfirmed", by),
        ("page-8", "PortalLoginFailed", by),
        ("page-9", "PortalLoginSucceeded", by),
        ("page-10", "PortalLoggedOut", by),
    ]
    for entry in entries:
        assert entry["customerId"] == str(customer.id)
        assert entry["accountNumber"] == customer.number
        assert entry["occurredDateTime"].endswith("Z")
        assert entry["impersonation"] is None
        assert entry["ipAddress"] == "127.0.0.1"
        assert entry["userAgent"].startswith("python-httpx/")


def test_each_mail_is_told_with_the_request_that_asked_for_it(customer: Customer) -> None:
    tell_the_story(customer)
    path = f"{customer.path}/activities?type=PortalCommunicationSent"
    sent = customer.utility.employee().get(path).json()["results"]
    assert sorted(entry["correlationId"] for entry in sent) == ["card-1", "page-4", "page-5"]
    for entry in sent:
        assert entry["actor"] == MAILER
        assert entry["subject"]["type"] == "communication"


def test_what_each_entry_is_about(customer: Customer) -> None:
    invited = customer.invite()
    customer.register(customer.mail().token)
    registered = {entry["type"]: entry for entry in customer.activities()}
    assert registered["PortalInvitationSent"]["subject"] == {"type": "invitation", "id": invited["id"]}
    assert registered["PortalAccountRegistered"]["subject"]["type"] == "account"
    assert registered["PortalAccountRegistered"]["payload"]["invitationId"] == invited["id"]
    pending = customer.card()["pendingEmailConfirmation"]["id"]
    assert registered["PortalEmailConfirmationSent"]["subject"] == {"type": "emailconfirmation", "id": pending}


@pytest.mark.asvs("16.2.5")
def test_addresses_are_masked_and_no_secret_stands_in_the_log(customer: Customer) -> None:
    secrets = tell_the_story(customer)
    log = json.dumps(customer.activities())
    assert "j***@example.com" in log
    for secret in (*secrets, customer.email, "$argon2"):
        assert secret not in log


@pytest.mark.asvs("6.5.2")
def test_no_secret_stands_in_any_row_of_the_database(customer: Customer) -> None:
    sql = customer.utility.world.sql
    secrets = tell_the_story(customer)
    tables = [
        row["relname"]
        for row in sql.rows(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        )
    ]
    assert {"tokens", "activities", "communications", "pgqueuer", "pgqueuer_log"} <= set(tables)
    for table in tables:
        for secret in secrets:
            for form in (secret, secret.encode().hex()):
                found = sql.value(f'SELECT count(*) FROM "{table}" t WHERE position($1 in t::text) > 0', form)
                assert found == 0, f"{table} holds a secret"


def test_the_log_can_be_filtered_and_paged(customer: Customer) -> None:
    tell_the_story(customer)
    employee = customer.utility.employee()
    everything = customer.activities()
    several = employee.get(
        f"{customer.path}/activities?type=PortalLoginFailed&type=PortalLoginSucceeded&actorType=customer"
    ).json()["results"]
    assert [entry["type"] for entry in several] == ["PortalLoginSucceeded", "PortalLoginFailed"]
    paged: list[dict[str, Any]] = []
    token = None
    while True:
        given: dict[str, str] = {"continuationToken": token} if token else {}
        page = employee.get(f"{customer.path}/activities?pageSize=4", headers=given).json()
        paged += page["results"]
        token = page["nextPageToken"]
        assert page["hasNextPage"] is (token is not None)
        if token is None:
            break
    assert paged == everything
    moment = several[0]["occurredDateTime"]
    since = employee.get(f"{customer.path}/activities?fromDateTime={moment}").json()["results"]
    before = employee.get(f"{customer.path}/activities?toDateTime={moment}").json()["results"]
    assert since + before == everything
    assert since[-1]["type"] == "PortalLoginSucceeded"


def test_a_neighbours_log_stays_empty(utility: Utility, customer: Customer) -> None:
    neighbour = utility.customer()
    tell_the_story(customer)
    assert neighbour.activities() == []


@pytest.mark.parametrize(
    "statement", ["UPDATE activities SET type = 'PortalLoggedOut'", "DELETE FROM activities", "TRUNCATE activities"]
)
@pytest.mark.asvs("16.4.2")
def test_nobody_changes_or_deletes_the_log(statement: str, customer: Customer) -> None:
    customer.invite()
    with pytest.raises(asyncpg.RestrictViolationError):
        customer.utility.world.sql.run(statement)
    assert customer.log() == ["PortalInvitationSent"]
