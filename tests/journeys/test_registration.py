"""Registration: by link, customer number and password."""

import pytest

from tests.journeys.reading import actions, links_to, newest_mail, refusal, wait_for_jobs
from tests.support.world import PASSWORD, Customer, Utility


def test_a_registered_customer_waits_for_the_confirmation(customer: Customer) -> None:
    answer = customer.register(customer.invited(), passwordConfirmation=PASSWORD)
    assert answer.status_code == 201
    assert answer.json() == {"portalStatus": "notconfirmed", "email": customer.email}
    card = customer.card()
    assert card["portalStatus"] == "notconfirmed"
    assert card["hasAccount"] is True
    assert card["email"] == customer.email
    assert card["emailConfirmed"] is False
    assert card["registeredDateTime"]
    assert card["accountCount"] == 1
    assert card["pendingInvitation"] is None
    assert card["pendingEmailConfirmation"]["email"] == customer.email
    assert actions(card) == {
        "sendinvitation": "USER_ALREADY_EXISTS",
        "sendpasswordreset": "EMAIL_NOT_CONFIRMED",
        "resendconfirmation": None,
        "resetaccount": None,
        "impersonate": "EMAIL_NOT_CONFIRMED",
        "logoutcustomer": None,
        "reactivateaccount": "USER_NOT_FOUND",
    }


def test_with_a_live_account_nobody_is_invited(customer: Customer) -> None:
    customer.registered()
    answer = customer.utility.employee().post(f"{customer.path}/invitations", {"email": "other@example.com"})
    assert refusal(answer) == (409, "USER_ALREADY_EXISTS")
    assert customer.card()["contactEmail"] == customer.email
    assert "PortalContactEmailChanged" not in customer.log()


@pytest.mark.parametrize("spelling", ["{0} ", " {0}", "{1} {2}", " {1}  {2} "])
def test_spaces_in_the_customer_number_are_forgiven(spelling: str, customer: Customer) -> None:
    number = customer.number
    written = spelling.format(number, number[:4], number[4:])
    assert customer.register(customer.invited(), customerNumber=written).status_code == 201


def test_letters_in_the_customer_number_may_be_small(utility: Utility, customer: Customer) -> None:
    lettered = utility.customer(accountNumber=f"KL-{customer.number}", email=f"kl.{customer.number}@example.com")
    assert lettered.register(lettered.invited(), customerNumber=f"kl-{customer.number}").status_code == 201


def test_a_wrong_customer_number_is_refused_and_the_link_stays_usable(customer: Customer) -> None:
    token = customer.invited()
    assert refusal(customer.register(token, customerNumber="1")) == (422, "CUSTOMER_NUMBER_MISMATCH")
    assert customer.card()["portalStatus"] == "noaccount"
    assert customer.register(token).status_code == 201
    assert customer.log()[:3] == ["PortalInvitationSent", "PortalRegistrationRefused", "PortalAccountRegistered"]


def test_another_customers_number_does_not_fit_the_link(utility: Utility, customer: Customer) -> None:
    neighbour = utility.customer()
    answer = customer.register(customer.invited(), customerNumber=neighbour.number)
    assert refusal(answer) == (422, "CUSTOMER_NUMBER_MISMATCH")
    assert neighbour.card()["hasAccount"] is False
    assert neighbour.log() == []


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"password": "too short"}, "PASSWORD_MINIMUM_LENGTH_12"),
        ({"password": "password1234"}, "PASSWORD_TOO_COMMON"),
        ({"password": "long " * 52}, "PASSWORD_TOO_LONG"),
        ({"passwordConfirmation": "seven cold radiators"}, "CONFIRM_PASSWORD_DOES_NOT_MATCH"),
        ({"email": "jan at example"}, "FIELD_NOT_AN_EMAILADRESS"),
    ],
)
def test_a_refused_registration_spends_nothing(given: dict[str, str], key: str, customer: Customer) -> None:
    token = customer.invited()
    assert refusal(customer.register(token, **given)) == (422, key)
    assert customer.card()["portalStatus"] == "noaccount"
    assert customer.register(token).status_code == 201


def test_where_an_invitation_proves_the_address_the_account_is_active_at_once(utility: Utility) -> None:
    utility.change_settings(confirmOnInvitation=True)
    customer = utility.customer()
    answer = customer.register(customer.invited())
    assert answer.json() == {"portalStatus": "active", "email": customer.email}
    assert customer.log_in().status_code == 201
    assert customer.log() == [
        "PortalInvitationSent",
        "PortalAccountRegistered",
        "PortalEmailConfirmed",
        "PortalLoginSucceeded",
    ]
    notice = customer.mail(2)
    assert notice.subject == "A portal account has been created at Zonneveld Warmte"
    wait_for_jobs(utility)
    assert links_to(utility, customer.email, "confirm-email") == []


def test_the_invited_address_may_be_written_in_capitals(utility: Utility) -> None:
    utility.change_settings(confirmOnInvitation=True)
    customer = utility.customer()
    answer = customer.register(customer.invited(), email=customer.email.upper())
    assert answer.json()["portalStatus"] == "active"


def test_an_invitation_proves_no_other_address(utility: Utility) -> None:
    utility.change_settings(confirmOnInvitation=True)
    customer = utility.customer()
    other = f"other.{customer.number}@example.com"
    answer = customer.register(customer.invited(), email=other)
    assert answer.json() == {"portalStatus": "notconfirmed", "email": other}
    assert customer.confirm(newest_mail(utility, other, "confirm-email").token).status_code == 200
    assert customer.log_in(email=other).status_code == 201


def test_the_invited_address_is_told_when_another_one_registers(customer: Customer) -> None:
    other = f"other.{customer.number}@example.com"
    assert customer.register(customer.invited(), email=other).status_code == 201
    notice = customer.mail(2)
    assert notice.subject == "A portal account has been created at Zonneveld Warmte"
    assert "#token=" not in notice.text + notice.html
    card = customer.card()
    assert card["email"] == other
    assert card["contactEmail"] == customer.email


def test_registering_with_the_invited_address_needs_no_notice(customer: Customer) -> None:
    customer.registered()
    wait_for_jobs(customer.utility)
    assert len(customer.utility.world.mailbox.to(customer.email)) == 2


def test_a_language_given_at_registration_is_the_accounts(customer: Customer) -> None:
    assert customer.register(customer.invited(), language="de-DE").status_code == 201
    mail = newest_mail(customer.utility, customer.email, "confirm-email")
    assert mail.subject == "Bestätigen Sie Ihre E-Mail-Adresse für das Kundenportal von Zonneveld Warmte"
    assert customer.confirm(mail.token).status_code == 200
    assert customer.logged_in().get("/portal/me").json()["customer"]["language"] == "de-DE"


def test_a_portal_switched_off_meanwhile_takes_no_registration(customer: Customer) -> None:
    token = customer.invited()
    customer.utility.change_settings(portalEnabled=False)
    assert refusal(customer.register(token)) == (409, "PORTAL_NOT_ENABLED")
    customer.utility.change_settings()
    assert customer.register(token).status_code == 201


def test_switched_off_communication_skips_the_automatic_mail_but_not_one_asked_for(utility: Utility) -> None:
    utility.change_settings(communicationEnabled=False)
    customer = utility.customer()
    assert customer.register(customer.invited()).status_code == 201
    wait_for_jobs(utility)
    assert customer.card()["pendingEmailConfirmation"]["communication"]["status"] == "skipped"
    assert utility.portal.post("/portal/email-confirmations/resend", {"email": customer.email}).status_code == 202
    assert customer.confirm(newest_mail(utility, customer.email, "confirm-email").token).status_code == 200


def test_a_portal_switched_off_refuses_the_registration_and_remembers_it(customer: Customer) -> None:
    token = customer.invited()
    customer.utility.change_settings(portalEnabled=False)
    assert refusal(customer.register(token)) == (409, "PORTAL_NOT_ENABLED")
    assert customer.log()[-1] == "PortalRegistrationRefused"
    assert customer.activities()[0]["payload"]["key"] == "PORTAL_NOT_ENABLED"
    customer.utility.change_settings()
    assert customer.register(token).status_code == 201, "the link was not spent"
