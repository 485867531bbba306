"""Pages that failed: the portal tells, the employee sees it with the customer, and no secret comes along."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from app.ids import new_id
from tests.api.expect import fields, problem
from tests.journeys.reading import refusal
from tests.journeys.test_races import at_once
from tests.support.databases import Sql
from tests.support.mail import Mailbox
from tests.support.service import listening, test_settings
from tests.support.world import Client, Customer, Utility, World

_REPORTS = "/portal/error-reports"


def report(client: Client, page: str = "/invoices", **given: Any) -> httpx.Response:
    """The portal tells of a page."""
    return client.post(_REPORTS, {"page": page} | given)


def reported(customer: Customer) -> list[dict[str, Any]]:
    """The reports in the customer's log, newest first."""
    return [entry for entry in customer.activities() if entry["type"] == "PortalErrorReported"]


def of_organisation(utility: Utility) -> list[dict[str, Any]]:
    """All reports in the organisation's log, newest first."""
    answer = utility.employee().get("/organisation/activities", params={"type": "PortalErrorReported"})
    return list(answer.json()["results"])


def test_a_report_stands_with_the_customer_who_was_there(active: Customer) -> None:
    answer = report(active.logged_in(), message="TypeError: total is undefined")
    assert answer.status_code == 202
    assert answer.json() == {"accepted": True}
    [entry] = reported(active)
    assert entry["payload"] == {"page": "/invoices", "message": "TypeError: total is undefined"}
    assert entry["actor"]["type"] == "customer"
    assert entry["subject"] == {"type": "customer", "id": str(active.id)}
    assert entry["customerId"] == str(active.id)


def test_an_ended_session_still_tells_whose_it_was(active: Customer) -> None:
    client = active.logged_in()
    client.delete("/portal/sessions/current")
    assert report(client).status_code == 202
    assert len(reported(active)) == 1
    assert refusal(client.get("/portal/me")) == (401, "SESSION_ENDED")


def test_before_login_it_is_the_organisations(utility: Utility) -> None:
    assert report(utility.portal, "/login").status_code == 202
    [entry] = of_organisation(utility)
    assert entry["customerId"] is None
    assert entry["payload"] == {"page": "/login", "message": None}
    assert entry["actor"] == {"type": "system", "id": "portal", "name": "Customer portal"}
    assert entry["subject"] == {"type": "organisation", "id": str(utility.organisation)}


def test_during_an_impersonation_the_entry_names_both(active: Customer) -> None:
    assert report(active.impersonated()).status_code == 202
    [entry] = reported(active)
    assert entry["actor"]["type"] == "employee"
    assert entry["impersonation"]["employeeName"] == "Eva Maes"


def test_the_diagnosis_tells_of_it(active: Customer) -> None:
    report(active.logged_in(), "/consumption")
    findings = active.utility.employee().get(f"{active.path}/diagnosis").json()["findings"]
    [finding] = [one for one in findings if one["code"] == "portalpageerror"]
    assert finding["evidence"]["page"] == "/consumption"


_LINK_TOKEN = "IkFBQUFBQUFBQUFBQUFBQUFBQUFBQUEi.pZ3qk0cJ9l2mVxw8nYt4rQs6uA1bE5dG"


@pytest.mark.parametrize(
    ("page", "kept"),
    [
        (f"/register#token={_LINK_TOKEN}", "/register"),
        (f"/reset-password?token={_LINK_TOKEN}", "/reset-password"),
        (f"/reset-password%23token={_LINK_TOKEN}", "/reset-password"),
        (f"/reset-password%3Ftoken={_LINK_TOKEN}#again", "/reset-password"),
        (f"https://portal.example.com/confirm-email#token={_LINK_TOKEN}", "https://portal.example.com/confirm-email"),
        (f"/register/{_LINK_TOKEN}", "/register/…"),
        ("/invoices?" + "x" * 5000, "/invoices"),
        ("#/invoices", "/"),
        ("?a", "/"),
    ],
)
def test_a_page_is_kept_without_what_may_be_secret(active: Customer, page: str, kept: str) -> None:
    assert report(active.logged_in(), page).status_code == 202
    assert reported(active)[0]["payload"]["page"] == kept


def test_a_message_is_kept_without_what_looks_like_a_token(active: Customer) -> None:
    client = active.logged_in()
    session = client.headers["Authorization"].removeprefix("Bearer ")
    said = f"Failed: /register#token={_LINK_TOKEN} then {_LINK_TOKEN} then {session} at app.js:12 of i18n.nl"
    assert report(client, message=said).status_code == 202
    assert reported(active)[0]["payload"]["message"] == "Failed: /register… then … then … at app.js:12 of i18n.nl"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "page"),
        ({"page": ""}, "page"),
        ({"page": 7}, "page"),
        ({"page": None}, "page"),
        ({"page": "/" + "x" * 200}, "page"),
        ({"page": "/a\u001b[31m"}, "page"),
        ({"page": "/a", "message": "x" * 1001}, "message"),
        ({"page": "/a", "message": "one\ntwo"}, "message"),
        ({"page": "/a", "message": "\u202e\u0007"}, "message"),
        ({"page": "/a", "customerId": str(new_id())}, "customerId"),
    ],
)
def test_wrong_reports_are_refused(utility: Utility, body: dict[str, Any], field: str) -> None:
    assert fields(problem(utility.portal.post(_REPORTS, body), 422, "VALIDATION_FAILED")) == {field}
    assert of_organisation(utility) == []


def test_the_limits_themselves_are_fine(utility: Utility) -> None:
    assert report(utility.portal, "/" + "x" * 199, message="y" * 1000).status_code == 202


def test_a_wrong_bearer_is_not_taken_for_nobody(active: Customer) -> None:
    utility = active.utility
    for headers in ({"Authorization": "Bearer zfp_noise"}, {"Authorization": "Basic eDp5"}, {"Authorization": ""}):
        assert refusal(report(Client(utility.world, utility.headers | headers))) == (401, "UNAUTHENTICATED")
    assert refusal(report(utility.employee())) == (401, "UNAUTHENTICATED")
    elsewhere = Client(utility.world, active.logged_in().headers | utility.world.utility().headers)
    assert refusal(report(elsewhere)) == (401, "SESSION_ENDED")
    assert reported(active) == of_organisation(utility) == []


def test_without_session_the_headers_are_needed_and_an_unknown_organisation_keeps_nothing(world: World) -> None:
    problem(report(Client(world, {})), 400, "ORGANISATION_HEADER_INVALID")
    nobody = Utility(world, new_id(), new_id())
    assert report(nobody.portal).status_code == 202
    assert world.sql.value("SELECT count(*) FROM activities WHERE organisation_id = $1", nobody.organisation) == 0


@pytest.fixture
def strict(world: World) -> Iterator[World]:
    """A service of its own that takes three reports a minute."""
    settings = test_settings(
        database_url=str(world.settings.database_url),
        smtp_url=world.settings.smtp_url,
        data_dir=world.settings.data_dir,
        run_worker=False,
        error_reports_per_minute=3,
    )
    with listening(settings) as (url, _), httpx.Client(timeout=20) as http:
        yield World(url, settings, Sql(str(settings.database_url)), Mailbox(), http)


def test_a_flood_is_refused_and_told_when_to_come_back(strict: World) -> None:
    utility = strict.utility()
    answers = [report(utility.portal) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [202, 202, 202, 429, 429]
    problem(answers[3], 429, "TOO_MANY_REQUESTS")
    wait = int(answers[3].headers["Retry-After"])
    assert 1 <= wait <= 60
    assert answers[3].headers["RateLimit-Policy"] == '"error-reports";q=3;w=60'
    assert answers[3].headers["RateLimit"] == f'"error-reports";r=0;t={wait}'
    assert len(of_organisation(utility)) == 3


def test_the_limit_is_the_address_whatever_else_is_sent(strict: World) -> None:
    utility, other = strict.utility(), strict.utility()
    for client in (utility.portal, other.portal, Client(strict, {})):
        report(client)
    spoofed = other.portal.post(_REPORTS, {"page": "/a"}, headers={"X-Forwarded-For": "192.0.2.99"})
    assert refusal(spoofed) == (429, "TOO_MANY_REQUESTS")
    customer = utility.customer()
    assert customer.card()["portalStatus"] == "noaccount", "nothing else is slowed down"


def test_a_flood_at_once_gets_no_further(strict: World) -> None:
    utility = strict.utility()
    answers = at_once([lambda: report(utility.portal)] * 20)
    assert sorted({answer.status_code for answer in answers}) == [202, 429]
    assert sum(answer.status_code == 202 for answer in answers) == 3
