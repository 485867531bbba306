"""Logging in, and every way in which it is refused."""

from typing import Any
from uuid import UUID

import pytest

from tests.journeys.reading import newest_mail, refusal, without_identity
from tests.journeys.test_races import at_once
from tests.support.world import PASSWORD, Customer, Utility

WRONG = "seven cold radiators"
REFUSED = (401, "INVALID_CREDENTIALS")


def failures(customer: Customer) -> list[dict[str, Any]]:
    """The payloads of the customer's failed logins, newest first."""
    return [entry["payload"] for entry in customer.activities() if entry["type"] == "PortalLoginFailed"]


def failures_of_nobody(utility: Utility) -> list[dict[str, Any]]:
    """The organisation's failed logins that meant no customer."""
    answer = utility.employee().get("/organisation/activities?type=PortalLoginFailed")
    return [entry for entry in answer.json()["results"] if entry["customerId"] is None]


def failed(reason: str) -> dict[str, Any]:
    return {"key": "INVALID_CREDENTIALS", "reason": reason}


def namesakes(utility: Utility, *passwords: str) -> list[Customer]:
    """Customers with one address, each with an active account and a password of their own."""
    first = utility.customer()
    customers = [first, *(utility.customer(email=first.email) for _ in passwords[1:])]
    for number, (customer, password) in enumerate(zip(customers, passwords, strict=True), start=1):
        customer.invite()
        invitation = newest_mail(utility, first.email, "register", number).token
        assert customer.register(invitation, password=password).status_code == 201
        confirmation = newest_mail(utility, first.email, "confirm-email", number).token
        assert customer.confirm(confirmation).status_code == 200
    return customers


def test_an_active_customer_logs_in(customer: Customer) -> None:
    customer.active()
    assert customer.card()["lastActiveDateTime"] is None
    answer = customer.log_in()
    assert answer.status_code == 201
    assert set(answer.json()) == {"accessToken", "expiresDateTime", "customerId"}
    assert answer.json()["expiresDateTime"].endswith("Z")
    assert customer.card()["lastActiveDateTime"] is not None


def test_the_address_may_be_written_in_capitals_and_the_number_may_be_given(customer: Customer) -> None:
    customer.active()
    assert customer.log_in(email=f" {customer.email.upper()} ").status_code == 201
    assert customer.log_in(customerNumber=customer.number).status_code == 201
    pasted = f" {customer.number[:4]}\N{NO-BREAK SPACE}{customer.number[4:]} "
    assert customer.log_in(customerNumber=pasted).status_code == 201


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(customer: Customer) -> None:
    customer.active()
    wrong, unknown = customer.log_in(password=WRONG), customer.log_in(email="nobody@example.com")
    assert refusal(wrong) == refusal(unknown) == REFUSED
    assert without_identity(wrong) == without_identity(unknown)
    assert customer.log()[-1] == "PortalLoginFailed"
    assert customer.activities()[0]["payload"] == {"key": "INVALID_CREDENTIALS"}


def test_a_wrong_customer_number_is_wrong_too(customer: Customer) -> None:
    customer.active()
    neighbour = customer.utility.customer()
    for number in ("1", neighbour.number):
        assert refusal(customer.log_in(customerNumber=number)) == REFUSED
    assert failures(customer) == [failed("customernumber")] * 2
    assert failures(neighbour) == failures_of_nobody(customer.utility) == []


def test_an_invited_customer_cannot_log_in(customer: Customer) -> None:
    customer.invited()
    assert refusal(customer.log_in(email=customer.email.upper())) == REFUSED
    [entry] = [entry for entry in customer.activities() if entry["type"] == "PortalLoginFailed"]
    assert entry["payload"] == failed("noaccount")
    assert entry["subject"] == {"type": "customer", "id": str(customer.id)}
    assert entry["actor"]["id"] == str(customer.id)


def test_only_the_right_password_learns_that_the_address_is_not_confirmed(customer: Customer) -> None:
    customer.registered()
    assert refusal(customer.log_in()) == (403, "EMAIL_NOT_CONFIRMED")
    wrong, unknown = customer.log_in(password=WRONG), customer.log_in(email="nobody@example.com")
    assert refusal(wrong) == REFUSED
    assert without_identity(wrong) == without_identity(unknown)
    assert customer.log()[-2:] == ["PortalLoginFailed", "PortalLoginFailed"]
    assert [entry["payload"]["key"] for entry in customer.activities()[:2]] == [
        "INVALID_CREDENTIALS",
        "EMAIL_NOT_CONFIRMED",
    ]


@pytest.mark.asvs("6.2.8")
def test_a_password_is_not_cut_and_not_trimmed(customer: Customer) -> None:
    customer.active()
    for password in (PASSWORD[:-1], f"{PASSWORD} ", f" {PASSWORD}", PASSWORD.upper(), PASSWORD + "x" * 300):
        assert refusal(customer.log_in(password=password)) == REFUSED


def test_another_organisation_knows_nobody(customer: Customer) -> None:
    customer.active()
    stranger = customer.utility.world.utility()
    answer = stranger.portal.post("/portal/sessions", {"email": customer.email, "password": PASSWORD})
    assert refusal(answer) == REFUSED


def test_two_accounts_with_one_address_and_password_need_the_number(utility: Utility) -> None:
    one, other = namesakes(utility, PASSWORD, PASSWORD)
    assert refusal(one.log_in()) == (409, "CUSTOMER_NUMBER_REQUIRED")
    for customer in (one, other):
        answer = one.log_in(customerNumber=customer.number)
        assert answer.status_code == 201
        assert answer.json()["customerId"] == str(customer.id)
    assert refusal(one.log_in(password=WRONG)) == REFUSED


def test_two_accounts_with_one_address_and_their_own_passwords_need_no_number(utility: Utility) -> None:
    customers = namesakes(utility, PASSWORD, "eight warm radiators")
    for customer, password in zip(customers, (PASSWORD, "eight warm radiators"), strict=True):
        answer = customer.log_in(password=password)
        assert answer.status_code == 201
        assert answer.json()["customerId"] == str(customer.id)
    assert refusal(customers[0].log_in(customerNumber=customers[1].number)) == REFUSED


def test_more_than_five_accounts_of_an_address_need_the_number_before_any_is_tried(utility: Utility) -> None:
    words = ["first", "second", "third", "fourth", "fifth", "sixth"]
    customers = namesakes(utility, *[f"{word} warm radiators" for word in words])
    last = customers[-1]
    assert refusal(last.log_in(password="sixth warm radiators")) == (409, "CUSTOMER_NUMBER_REQUIRED")
    assert last.log_in(password="sixth warm radiators", customerNumber=last.number).status_code == 201


def test_a_login_with_the_contact_address_of_an_account_that_has_another_is_remembered(customer: Customer) -> None:
    customer.active()
    contact = f"billing.{customer.number}@example.com"
    customer.save(email=contact)
    assert refusal(customer.log_in(email=contact)) == REFUSED
    assert failures(customer) == [failed("noaccount")]


def test_a_retired_account_logs_nobody_in(customer: Customer) -> None:
    customer.active()
    customer.save(email=None)
    customer.utility.world.sql.run("UPDATE accounts SET state = 'retired' WHERE customer_id = $1", customer.id)
    assert refusal(customer.log_in()) == REFUSED
    assert failures(customer) == [failed("noaccount")]


@pytest.mark.asvs("16.3.1")
def test_a_login_that_means_nobody_stands_in_the_organisations_log(utility: Utility) -> None:
    unknown = "nobody.at.all@example.com"
    answer = utility.portal.post("/portal/sessions", {"email": unknown, "password": PASSWORD})
    assert refusal(answer) == REFUSED
    [entry] = failures_of_nobody(utility)
    assert entry["payload"] == failed("unknown")
    assert entry["subject"] == {"type": "organisation", "id": str(utility.organisation)}
    assert entry["actor"]["type"] == "system"
    assert entry["accountNumber"] is None
    assert entry["correlationId"] == answer.headers["x-correlation-id"]
    assert unknown not in str(entry)
    assert failures_of_nobody(utility.world.utility()) == []


def test_at_most_five_customers_of_an_address_are_told_about_a_login(utility: Utility) -> None:
    first = utility.customer()
    customers = [first, *(utility.customer(email=first.email.upper()) for _ in range(6))]
    assert refusal(first.log_in()) == REFUSED
    assert sum(len(failures(customer)) for customer in customers) == 5
    assert failures_of_nobody(utility) == []


def test_an_account_that_changes_while_its_password_is_checked_opens_no_session(customer: Customer) -> None:
    customer.active()
    sql = customer.utility.world.sql
    account = sql.value("SELECT id FROM accounts WHERE customer_id = $1", customer.id)
    assert isinstance(account, UUID)
    answers = at_once(
        [
            customer.log_in,
            lambda: sql.run("UPDATE accounts SET password_hash = NULL WHERE id = $1", account),
        ]
    )
    assert refusal(customer.log_in()) == REFUSED
    lost = answers[0].status_code == 401
    assert len(failures(customer)) == 1 + lost


def test_while_the_portal_is_off_every_login_gets_the_same_answer(customer: Customer) -> None:
    customer.active()
    utility = customer.utility
    utility.change_settings(portalEnabled=False)
    answers = [customer.log_in(), customer.log_in(password=WRONG), customer.log_in(email="nobody@example.com")]
    assert {refusal(answer) for answer in answers} == {(409, "PORTAL_NOT_ENABLED")}
    assert len({without_identity(answer) for answer in answers}) == 1
    assert "settings" not in answers[0].json()["solution"], "it is told to a customer"
    assert failures(customer) == failures_of_nobody(utility) == []
    utility.change_settings()
    assert customer.log_in().status_code == 201


def test_an_organisation_that_is_not_known_yet_has_no_portal(customer: Customer) -> None:
    unknown = {"zf-tuuid": str(customer.id), "zf-ouuid": str(customer.id)}
    answer = customer.utility.portal.post(
        "/portal/sessions", {"email": customer.email, "password": PASSWORD}, headers=unknown
    )
    assert refusal(answer) == (409, "PORTAL_NOT_ENABLED")
