"""Proving the account's address, and getting another link for it."""

from datetime import timedelta

import pytest

from tests.journeys.reading import expires_in, links_to, newest_mail, refusal, wait_for_jobs
from tests.support.world import Client, Customer, Utility


def ask_again(utility: Utility, address: str) -> bytes:
    """The portal's "send me another one"; its answer."""
    answer = utility.portal.post("/portal/email-confirmations/resend", {"email": address})
    assert answer.status_code == 202, answer.text
    return answer.content


def resend(employee: Client, customer: Customer, **body: str) -> dict[str, object]:
    """An employee has another link sent."""
    answer = employee.post(f"{customer.path}/email-confirmations", body or None)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_confirming_makes_the_account_active(customer: Customer) -> None:
    answer = customer.confirm(customer.registered())
    assert answer.status_code == 200
    assert answer.json() == {"portalStatus": "active", "email": customer.email}
    card = customer.card()
    assert card["portalStatus"] == "active"
    assert card["emailConfirmed"] is True
    assert card["emailConfirmedDateTime"]
    assert card["pendingEmailConfirmation"] is None


def test_confirming_twice_is_fine_and_happens_once(customer: Customer) -> None:
    token = customer.registered()
    first, again = customer.confirm(token), customer.confirm(token)
    assert first.status_code == again.status_code == 200
    assert first.content == again.content
    assert customer.log().count("PortalEmailConfirmed") == 1
    assert "PortalTokenRefused" not in customer.log()


def test_confirming_again_after_the_links_life_is_still_fine(customer: Customer) -> None:
    token = customer.registered()
    pending = customer.card()["pendingEmailConfirmation"]["id"]
    assert customer.confirm(token).status_code == 200
    expires_in(customer.utility, pending, timedelta(seconds=-1))
    assert customer.confirm(token).status_code == 200


def test_an_employee_sends_another_link_and_the_old_one_ends(customer: Customer) -> None:
    old = customer.registered()
    sent = resend(customer.utility.employee(), customer)
    assert sent["email"] == customer.email
    assert sent["status"] == "pending"
    new = newest_mail(customer.utility, customer.email, "confirm-email", 2).token
    assert refusal(customer.confirm(old)) == (410, "TOKEN_SUPERSEDED")
    assert customer.confirm(new).status_code == 200
    assert customer.log() == [
        "PortalInvitationSent",
        "PortalAccountRegistered",
        "PortalEmailConfirmationSent",
        "PortalEmailConfirmationSuperseded",
        "PortalEmailConfirmationSent",
        "PortalTokenRefused",
        "PortalEmailConfirmed",
    ]


def test_an_employee_corrects_the_address_of_an_unconfirmed_account(customer: Customer) -> None:
    old = customer.registered()
    right = f"right.{customer.number}@example.com"
    assert resend(customer.utility.employee(), customer, email=right)["email"] == right
    card = customer.card()
    assert card["email"] == right
    assert card["portalStatus"] == "notconfirmed"
    assert refusal(customer.confirm(old)) == (410, "TOKEN_SUPERSEDED")
    assert customer.confirm(newest_mail(customer.utility, right, "confirm-email").token).status_code == 200
    assert customer.log_in(email=right).status_code == 201
    assert refusal(customer.log_in()) == (401, "INVALID_CREDENTIALS")


def test_a_corrected_address_stands_in_the_log(customer: Customer) -> None:
    customer.registered()
    right = f"right.{customer.number}@example.com"
    resend(customer.utility.employee(), customer, email=right)
    [changed] = [entry for entry in customer.activities() if entry["type"] == "PortalEmailChanged"]
    assert changed["actor"]["type"] == "employee"
    assert right not in str(changed)


def test_the_old_addresss_link_stays_dead_after_the_correction_was_undone(customer: Customer) -> None:
    old = customer.registered()
    resend(customer.utility.employee(), customer, email=f"wrong.{customer.number}@example.com")
    resend(customer.utility.employee(), customer, email=customer.email)
    assert refusal(customer.confirm(old)) == (410, "TOKEN_SUPERSEDED")
    assert customer.confirm(newest_mail(customer.utility, customer.email, "confirm-email", 2).token).status_code == 200


def test_a_confirmed_address_is_not_confirmed_again(customer: Customer) -> None:
    customer.active()
    employee = customer.utility.employee()
    for body in (None, {"email": "other@example.com"}):
        answer = employee.post(f"{customer.path}/email-confirmations", body)
        assert refusal(answer) == (409, "EMAIL_ALREADY_CONFIRMED")
    assert customer.card()["email"] == customer.email


def test_a_customer_asks_for_another_link(customer: Customer) -> None:
    old = customer.registered()
    ask_again(customer.utility, customer.email.upper())
    new = newest_mail(customer.utility, customer.email, "confirm-email", 2).token
    assert new != old
    assert refusal(customer.confirm(old)) == (410, "TOKEN_SUPERSEDED")
    assert customer.confirm(new).status_code == 200
    sent = next(entry for entry in customer.activities() if entry["type"] == "PortalEmailConfirmationSent")
    assert sent["actor"]["type"] == "customer"


def test_asking_answers_known_unknown_and_confirmed_addresses_alike(utility: Utility) -> None:
    unconfirmed, confirmed = utility.customer(), utility.customer()
    unconfirmed.registered()
    confirmed.active()
    unknown = f"nobody.{unconfirmed.number}@example.com"
    answers = {ask_again(utility, address) for address in (unconfirmed.email, confirmed.email, unknown)}
    assert len(answers) == 1
    newest_mail(utility, unconfirmed.email, "confirm-email", 2)
    wait_for_jobs(utility)
    assert len(links_to(utility, unconfirmed.email, "confirm-email")) == 2
    assert len(links_to(utility, confirmed.email, "confirm-email")) == 1
    assert utility.world.mailbox.to(unknown) == []


def test_five_mails_an_hour_are_enough_and_nobody_is_told(customer: Customer) -> None:
    customer.registered()
    answers = {ask_again(customer.utility, customer.email) for _ in range(8)}
    assert len(answers) == 1
    wait_for_jobs(customer.utility)
    sent = customer.log().count("PortalEmailConfirmationSent")
    assert sent == 1 + 5, "the registration's own, and five that were asked for"
    last = links_to(customer.utility, customer.email, "confirm-email")[-1]
    customer.utility.world.sql.run(
        "UPDATE tokens SET created_at = created_at - interval '61 minutes' WHERE customer_id = $1", customer.id
    )
    before = len(links_to(customer.utility, customer.email, "confirm-email"))
    ask_again(customer.utility, customer.email)
    new = newest_mail(customer.utility, customer.email, "confirm-email", before + 1).token
    assert refusal(customer.confirm(last)) == (410, "TOKEN_SUPERSEDED")
    assert customer.confirm(new).status_code == 200


def test_several_unconfirmed_accounts_of_one_address_each_get_their_link(utility: Utility) -> None:
    one = utility.customer()
    other = utility.customer(email=one.email)
    for customer in (one, other):
        customer.invite()
    for customer, mail in zip((one, other), _two_invitations(one), strict=True):
        assert customer.register(mail).status_code == 201
    newest_mail(utility, one.email, "confirm-email", 2)
    ask_again(utility, one.email)
    newest_mail(utility, one.email, "confirm-email", 4)
    for token in links_to(utility, one.email, "confirm-email")[-2:]:
        assert one.confirm(token).status_code == 200
    assert one.card()["portalStatus"] == other.card()["portalStatus"] == "active"


def _two_invitations(customer: Customer) -> list[str]:
    """The tokens of two invitations to one address, in the order in which they were sent."""
    utility = customer.utility
    newest_mail(utility, customer.email, "register", 2)
    tokens = links_to(utility, customer.email, "register")
    first = customer.register(tokens[0], customerNumber="0")
    assert refusal(first) == (422, "CUSTOMER_NUMBER_MISMATCH")
    return tokens if "PortalRegistrationRefused" in customer.log() else tokens[::-1]


@pytest.mark.parametrize("address", ["jan at example", "", "a@x.example,b@y.example"])
def test_what_is_no_address_cannot_be_asked_for(address: str, utility: Utility) -> None:
    answer = utility.portal.post("/portal/email-confirmations/resend", {"email": address})
    assert refusal(answer) == (422, "FIELD_NOT_AN_EMAILADRESS")
