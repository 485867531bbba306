"""Logging in, and every way in which it is refused."""

from tests.journeys.reading import newest_mail, refusal, without_identity
from tests.support.world import PASSWORD, Customer, Utility

WRONG = "seven cold radiators"
REFUSED = (401, "INVALID_CREDENTIALS")


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


def test_an_invited_customer_cannot_log_in(customer: Customer) -> None:
    customer.invited()
    assert refusal(customer.log_in()) == REFUSED


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
