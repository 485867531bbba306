"""The account reset and the mail: what has not gone is dropped, and a new invitation goes out if wanted."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.journeys.acting import open_token, reset, run, token_state, unchanged, value
from tests.journeys.reading import newest_mail, refusal, wait_for_jobs
from tests.support.world import Customer

# --- mail that has not gone yet ------------------------------------------------------------------------------


def unsent(customer: Customer, status: str) -> UUID:
    """The newest mail of the customer, as if it had not gone yet."""
    wait_for_jobs(customer.utility)
    newest = "SELECT id FROM communications WHERE customer_id = $1 ORDER BY created_at DESC, id DESC LIMIT 1"
    mail: UUID = value(customer, newest)
    run(customer, "UPDATE communications SET status = $2 WHERE customer_id = $1 AND id = $3", status, mail)
    return mail


def delivery(customer: Customer, mail: UUID) -> tuple[str, str | None]:
    row = value(
        customer, "SELECT ARRAY[status, last_error] FROM communications WHERE customer_id = $1 AND id = $2", mail
    )
    return row[0], row[1]


@pytest.mark.parametrize("status", ["queued", "sending"])
def test_unsent_mail_is_dropped_and_says_why(status: str, customer: Customer) -> None:
    customer.registered()
    mail = unsent(customer, status)
    assert reset(customer).status_code == 200
    assert delivery(customer, mail) == ("skipped", "The account was reset before the mail was sent.")
    assert value(customer, "SELECT ended_at IS NOT NULL FROM communications WHERE id = $2 AND customer_id = $1", mail)


def test_a_mail_that_cannot_go_out_yet_never_goes_out_after_the_reset(customer: Customer) -> None:
    token = customer.invited()
    mailbox = customer.utility.world.mailbox
    mailbox.replies[customer.email] = ["451 4.3.0 come back later"]
    assert customer.register(token).status_code == 201
    assert reset(customer).status_code == 200
    wait_for_jobs(customer.utility)
    assert len(mailbox.to(customer.email)) == 1, "the invitation alone"
    wanted = "SELECT status FROM communications WHERE customer_id = $1 AND kind = 'emailconfirmation'"
    assert value(customer, wanted) == "skipped"


def test_mail_that_has_gone_stays_as_it_is(customer: Customer) -> None:
    customer.registered()
    wait_for_jobs(customer.utility)
    assert reset(customer).status_code == 200
    assert value(customer, "SELECT array_agg(DISTINCT status) FROM communications WHERE customer_id = $1") == [
        "successful"
    ]


@pytest.mark.parametrize(("left", "expected"), [(timedelta(hours=1), "queued"), (timedelta(hours=-1), "skipped")])
def test_a_mail_that_carries_another_customers_living_link_goes_on(
    left: timedelta, expected: str, customer: Customer
) -> None:
    customer.registered()
    mail = unsent(customer, "queued")
    neighbour = customer.utility.customer()
    shared = open_token(neighbour, "passwordreset")
    run(
        neighbour,
        "UPDATE tokens SET communication_id = $2, expires_at = now() + $4 WHERE customer_id = $1 AND id = $3",
        mail,
        shared,
        left,
    )
    assert reset(customer).status_code == 200
    assert delivery(customer, mail)[0] == expected
    assert token_state(neighbour, shared) == "pending"


# --- and invited again ---------------------------------------------------------------------------------------


def test_reinvite_mails_a_new_invitation_at_once(customer: Customer) -> None:
    customer.active()
    wait_for_jobs(customer.utility)
    card = reset(customer, {"reinvite": True}).json()
    assert card["pendingInvitation"]["email"] == customer.email
    assert card["pendingInvitation"]["createdBy"]["id"] == "employee-7"
    assert customer.log()[-2:] == ["PortalAccountReset", "PortalInvitationSent"]
    assert customer.register(newest_mail(customer.utility, customer.email, "register", 2).token).status_code == 201


def test_a_given_address_is_stored_and_invited(customer: Customer) -> None:
    customer.active()
    right = f"right.{customer.number}@example.com"
    card = reset(customer, {"reason": "Wrong address", "reinvite": True, "email": right}).json()
    assert (card["contactEmail"], card["pendingInvitation"]["email"]) == (right, right)
    assert customer.log()[-3:] == ["PortalAccountReset", "PortalContactEmailChanged", "PortalInvitationSent"]
    assert customer.register(newest_mail(customer.utility, right, "register").token).status_code == 201
    assert customer.card()["email"] == right


def test_a_given_address_is_stored_without_an_invitation_too(customer: Customer) -> None:
    customer.active()
    right = f"right.{customer.number}@example.com"
    card = reset(customer, {"email": right}).json()
    assert (card["contactEmail"], card["pendingInvitation"]) == (right, None)
    assert customer.log()[-2:] == ["PortalAccountReset", "PortalContactEmailChanged"]


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"portalEnabled": False}, "PORTAL_NOT_ENABLED"),
        ({"portalUrl": None}, "PORTAL_URL_MISSING"),
    ],
)
def test_when_the_invitation_is_refused_nothing_is_reset(
    settings: dict[str, Any], key: str, customer: Customer
) -> None:
    client = customer.active().logged_in()
    customer.utility.change_settings(**settings)
    card, log = customer.card(), customer.log()
    answer = reset(customer, {"reinvite": True, "email": "other@example.com"})
    assert refusal(answer) == (409, key)
    unchanged(customer, card, log)
    customer.utility.change_settings()
    assert client.get("/portal/me").status_code == 200
    customer.utility.change_settings(**settings)
    assert reset(customer).status_code == 200, "the reset itself needs no portal"


def test_without_an_address_there_is_no_reset_that_invites(customer: Customer) -> None:
    customer.active()
    customer.save(email=None)
    card, log = customer.card(), customer.log()
    assert refusal(reset(customer, {"reinvite": True})) == (409, "USER_HAS_NO_EMAIL_ADDRESS")
    unchanged(customer, card, log)
    assert reset(customer, {"reinvite": True, "email": customer.email}).status_code == 200
