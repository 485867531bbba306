"""Customers who change their e-mail address."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.journeys.reading import expires_in, links_to, newest_mail, refusal, wait_for_jobs
from tests.journeys.test_races import at_once
from tests.support.world import PASSWORD, Client, Customer, Utility


@pytest.fixture
def active(customer: Customer) -> Customer:
    """A customer with a confirmed account."""
    return customer.active()


def new_address(customer: Customer, word: str = "new") -> str:
    return f"{word}.{customer.number}@example.com"


def ask(client: Client, to: str, **given: Any) -> httpx.Response:
    """The page that changes the address."""
    return client.post("/portal/me/email", {"currentPassword": PASSWORD, "email": to} | given)


def asked(customer: Customer, email: str) -> str:
    """The token that the new address is sent."""
    before = len(links_to(customer.utility, email, "confirm-email"))
    assert ask(customer.logged_in(), email).status_code == 202
    return newest_mail(customer.utility, email, "confirm-email", before + 1).token


def address(client: Client) -> str:
    """The address that the portal greets with."""
    return str(client.get("/portal/me").json()["account"]["email"])


def entry(customer: Customer, kind: str) -> dict[str, Any]:
    """The newest activity of this kind."""
    return next(one for one in customer.activities() if one["type"] == kind)


def test_the_new_address_counts_once_it_is_confirmed(active: Customer) -> None:
    client, new = active.logged_in(), new_address(active)
    answer = ask(client, new)
    assert answer.status_code == 202
    assert answer.json() == {"accepted": True}
    assert address(client) == active.email
    assert active.card()["portalStatus"] == "active"
    assert active.card()["pendingEmailConfirmation"]["email"] == new
    assert refusal(active.log_in(email=new)) == (401, "INVALID_CREDENTIALS")

    confirmed = active.confirm(newest_mail(active.utility, new, "confirm-email").token)
    assert confirmed.status_code == 200
    assert confirmed.json() == {"portalStatus": "active", "email": new}
    assert address(client) == new, "the account stayed active, and so did the session"
    card = active.card()
    assert (card["portalStatus"], card["email"], card["pendingEmailConfirmation"]) == ("active", new, None)
    assert card["contactEmail"] == active.email, "the contact address is the utility's own"
    assert active.log_in(email=new).status_code == 201
    assert refusal(active.log_in()) == (401, "INVALID_CREDENTIALS")


def test_the_log_tells_it_step_by_step_and_masks_the_addresses(active: Customer) -> None:
    new = new_address(active)
    start = len(active.log())
    assert active.confirm(asked(active, new)).status_code == 200
    assert active.log()[start:] == [
        "PortalLoginSucceeded",
        "PortalEmailChangeRequested",
        "PortalEmailConfirmationSent",
        "PortalEmailChanged",
        "PortalEmailConfirmed",
    ]
    for kind in ("PortalEmailChangeRequested", "PortalEmailChanged"):
        assert entry(active, kind)["payload"]["email"] == "n***@example.com"
        assert entry(active, kind)["actor"]["type"] == "customer"
    assert new not in str(active.activities())


@pytest.mark.asvs("6.3.6")
def test_the_old_address_is_told_even_while_automatic_mails_are_off(active: Customer) -> None:
    active.utility.change_settings(communicationEnabled=False)
    new = new_address(active)
    asked(active, new)
    wait_for_jobs(active.utility)
    told = active.utility.world.mailbox.to(active.email)[-1]
    assert "e-mail address" in told.subject
    assert new not in told.text
    assert "#token=" not in told.text
    assert len(active.utility.world.mailbox.to(new)) == 1


def test_other_sessions_end_and_this_one_stays(active: Customer) -> None:
    phone, client = active.logged_in(), active.logged_in()
    assert ask(client, new_address(active)).status_code == 202
    assert refusal(phone.get("/portal/me")) == (401, "SESSION_ENDED")
    assert client.get("/portal/me").status_code == 200
    assert entry(active, "PortalSessionsEnded")["payload"] == {"reason": "emailchangerequested", "count": 1}


@pytest.mark.asvs("7.5.1")
def test_a_wrong_current_password_changes_nothing_and_is_remembered(active: Customer) -> None:
    client, new = active.logged_in(), new_address(active)
    assert refusal(ask(client, new, currentPassword="seven cold radiators")) == (401, "INVALID_CREDENTIALS")
    assert active.log()[-1] == "PortalLoginFailed"
    assert active.activities()[0]["payload"]["reason"] == "currentpassword"
    wait_for_jobs(active.utility)
    assert active.utility.world.mailbox.to(new) == []
    assert active.card()["pendingEmailConfirmation"] is None


def test_where_contact_details_cannot_be_edited_it_is_refused(active: Customer) -> None:
    client = active.logged_in()
    active.utility.change_settings(features={"editContactDetails": False})
    answer = ask(client, new_address(active))
    assert refusal(answer) == (409, "FEATURE_NOT_ENABLED")
    assert "settings" not in answer.json()["solution"], "it is told to a customer"
    assert active.card()["pendingEmailConfirmation"] is None


def test_without_a_portal_url_there_is_no_link_to_send(active: Customer) -> None:
    client = active.logged_in()
    active.utility.change_settings(portalUrl=None)
    assert refusal(ask(client, new_address(active))) == (409, "PORTAL_URL_MISSING")


def test_the_address_that_it_is_already_is_refused(active: Customer) -> None:
    client = active.logged_in()
    for same in (active.email, active.email.upper()):
        answer = ask(client, same)
        assert refusal(answer) == (422, "VALIDATION_FAILED")
        assert answer.json()["errors"][0]["field"] == "email"


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"email": "jan at example"}, "FIELD_NOT_AN_EMAILADRESS"),
        ({"email": "a@x.example,b@y.example"}, "FIELD_NOT_AN_EMAILADRESS"),
        ({"email": ["a@x.example"]}, "VALIDATION_FAILED"),
        ({"emailConfirmed": True}, "VALIDATION_FAILED"),
    ],
)
def test_what_is_no_address_is_refused(given: dict[str, Any], key: str, active: Customer) -> None:
    assert refusal(ask(active.logged_in(), "new@example.com", **given)) == (422, key)


def test_confirming_twice_is_fine_and_happens_once(active: Customer) -> None:
    token = asked(active, new_address(active))
    answers = at_once([lambda: active.confirm(token)] * 10)
    assert {answer.status_code for answer in answers} == {200}
    assert active.log().count("PortalEmailChanged") == 1
    assert active.log().count("PortalEmailConfirmed") == 2, "the registration's own, and this one"
    assert "PortalTokenRefused" not in active.log()


def test_another_change_ends_the_first_ones_link(active: Customer) -> None:
    first = asked(active, new_address(active, "first"))
    second = asked(active, new_address(active, "second"))
    assert refusal(active.confirm(first)) == (410, "TOKEN_SUPERSEDED")
    assert active.confirm(second).status_code == 200
    assert active.card()["email"] == new_address(active, "second")


def test_back_to_the_old_address_and_the_first_link_stays_spent(active: Customer) -> None:
    there = asked(active, new_address(active))
    assert active.confirm(there).status_code == 200
    bearer = {"Authorization": f"Bearer {active.log_in(email=new_address(active)).json()['accessToken']}"}
    assert ask(Client(active.utility.world, bearer), active.email).status_code == 202
    back = newest_mail(active.utility, active.email, "confirm-email", 2).token
    assert active.confirm(back).status_code == 200
    assert refusal(active.confirm(there)) == (410, "TOKEN_USED")
    assert active.card()["email"] == active.email


def test_an_expired_link_changes_nothing(active: Customer) -> None:
    token = asked(active, new_address(active))
    expires_in(active.utility, active.card()["pendingEmailConfirmation"]["id"], timedelta(seconds=-1))
    assert refusal(active.confirm(token)) == (410, "TOKEN_EXPIRED")
    assert active.card()["email"] == active.email


def test_a_pending_reset_link_ends_when_the_new_address_is_confirmed(active: Customer) -> None:
    token = asked(active, new_address(active))
    sql = active.utility.world.sql
    # Sending one is not this journey's business: the row is the whole truth about a link.
    sql.run(
        "INSERT INTO tokens (organisation_id, id, purpose, customer_id, account_id, email, language, state,"
        " created_by_type, created_by_id, expires_at)"
        " SELECT organisation_id, gen_random_uuid(), 'passwordreset', customer_id, id, email, 'en-GB', 'pending',"
        " 'employee', 'employee-7', now() + interval '1 hour' FROM accounts WHERE customer_id = $1",
        active.id,
    )
    assert active.confirm(token).status_code == 200
    state = sql.value("SELECT state FROM tokens WHERE customer_id = $1 AND purpose = 'passwordreset'", active.id)
    assert state == "revoked"
    assert len(entry(active, "PortalEmailChanged")["payload"]["revokedPasswordResets"]) == 1


def test_another_customers_and_another_organisations_pages_do_not_spend_the_link(active: Customer) -> None:
    token = asked(active, new_address(active))
    stranger = active.utility.world.utility()
    assert refusal(stranger.portal.post("/portal/email-confirmations", {"token": token})) == (400, "TOKEN_INVALID")
    assert active.confirm(token).status_code == 200


def test_two_changes_at_once_leave_one_link(active: Customer) -> None:
    client = active.logged_in()
    words = ("one", "other")
    answers = at_once([lambda word=word: ask(client, new_address(active, word)) for word in words])  # type: ignore[misc]
    assert [answer.status_code for answer in answers] == [202, 202]
    wait_for_jobs(active.utility)
    pending = active.card()["pendingEmailConfirmation"]["email"]
    for word in words:
        for token in links_to(active.utility, new_address(active, word), "confirm-email"):
            # The link that was superseded may have been mailed before.
            assert active.confirm(token).status_code == (200 if new_address(active, word) == pending else 410)
    assert active.card()["email"] == pending
    assert active.log().count("PortalEmailConfirmationSuperseded") == 1


def test_an_address_may_belong_to_another_account_too(utility: Utility) -> None:
    one, other = utility.customer().active(), utility.customer().active()
    token = asked(one, other.email.upper())
    assert one.confirm(token).status_code == 200
    assert other.log_in().status_code == 409, "now the customer number is needed"
    assert other.log_in(customerNumber=other.number).json()["customerId"] == str(other.id)
    assert other.log_in(customerNumber=one.number).json()["customerId"] == str(one.id)
