"""A customer without an account: what the card shows, and which of its buttons work for whom."""

import pytest

from app.permissions import Permission, Role
from tests.journeys.reading import actions, refusal
from tests.support.world import Customer, Utility

NO_ACCOUNT = {
    "sendinvitation": None,
    "sendpasswordreset": "USER_NOT_FOUND",
    "resendconfirmation": "USER_NOT_FOUND",
    "resetaccount": "USER_NOT_FOUND",
    "impersonate": "USER_NOT_FOUND",
    "logoutcustomer": "USER_NOT_FOUND",
    "reactivateaccount": "USER_NOT_FOUND",
}
NOT_PERMITTED = dict.fromkeys(NO_ACCOUNT, "PERMISSION_INVALID")
NEEDS_RESET = ("resetaccount", "logoutcustomer", "reactivateaccount")


def test_the_card_says_no_account(customer: Customer) -> None:
    card = customer.card()
    assert card["customerId"] == str(customer.id)
    assert card["accountNumber"] == customer.number
    assert card["displayName"] == "Jan Peeters"
    assert card["contactEmail"] == customer.email
    assert card["portalEnabled"] is True
    assert card["portalUrl"] == "https://portal.example.com"
    assert card["portalStatus"] == "noaccount"
    assert card["hasAccount"] is False
    assert card["emailConfirmed"] is False
    assert card["accountCount"] == 0
    nothing_yet = ("email", "emailConfirmedDateTime", "registeredDateTime", "lastActiveDateTime")
    nothing_pending = ("pendingInvitation", "pendingPasswordReset", "pendingEmailConfirmation", "activeImpersonation")
    for field in (*nothing_yet, *nothing_pending):
        assert card[field] is None, field


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (Role.ADMINISTRATOR, NO_ACCOUNT),
        (Role.USER, NO_ACCOUNT | dict.fromkeys((*NEEDS_RESET, "impersonate"), "PERMISSION_INVALID")),
        (Role.READONLY, NOT_PERMITTED),
    ],
)
def test_each_role_sees_its_own_buttons(role: Role, expected: dict[str, str | None], customer: Customer) -> None:
    card = customer.utility.employee(role).get(customer.path).json()
    assert actions(card) == expected


def test_a_single_permission_allows_a_single_button(customer: Customer) -> None:
    reader = customer.utility.employee(None, Permission.PORTAL_READ, Permission.PORTAL_INVITE)
    assert actions(reader.get(customer.path).json()) == NOT_PERMITTED | {
        "sendinvitation": None,
        "resendconfirmation": "USER_NOT_FOUND",
    }


def test_a_readonly_employee_cannot_invite(customer: Customer) -> None:
    readonly = customer.utility.employee(Role.READONLY)
    for path in ("invitations", "email-confirmations"):
        answer = readonly.post(f"{customer.path}/{path}")
        assert refusal(answer) == (403, "PERMISSION_INVALID")
        assert "portal.invite" in answer.json()["detail"]
    assert customer.card()["pendingInvitation"] is None
    assert customer.log() == []


def test_a_user_can_invite(customer: Customer) -> None:
    answer = customer.utility.employee(Role.USER).post(f"{customer.path}/invitations")
    assert answer.status_code == 201
    assert customer.card()["pendingInvitation"]["id"] == answer.json()["id"]


def test_no_confirmation_is_sent_without_an_account(customer: Customer) -> None:
    answer = customer.utility.employee().post(f"{customer.path}/email-confirmations")
    assert refusal(answer) == (409, "USER_NOT_FOUND")


@pytest.mark.parametrize(
    ("settings", "key"),
    [({"portalEnabled": False}, "PORTAL_NOT_ENABLED"), ({"portalUrl": None}, "PORTAL_URL_MISSING")],
)
def test_without_a_portal_there_is_nothing_to_invite_to(
    settings: dict[str, object], key: str, customer: Customer
) -> None:
    customer.utility.change_settings(**settings)
    assert actions(customer.card())["sendinvitation"] == key
    assert refusal(customer.utility.employee().post(f"{customer.path}/invitations")) == (409, key)
    assert customer.log() == []


def test_a_customer_without_an_address_cannot_be_invited_until_one_is_given(utility: Utility) -> None:
    customer = utility.customer(email=None)
    assert actions(customer.card())["sendinvitation"] == "USER_HAS_NO_EMAIL_ADDRESS"
    answer = utility.employee().post(f"{customer.path}/invitations")
    assert refusal(answer) == (409, "USER_HAS_NO_EMAIL_ADDRESS")
    assert customer.invite(email=f"{customer.number}@example.com")["status"] == "pending"
    assert actions(customer.card())["sendinvitation"] is None


def test_an_unknown_customer_and_another_organisations_customer_get_the_same_answer(
    utility: Utility, customer: Customer
) -> None:
    stranger = utility.world.utility().employee()
    foreign = stranger.get(customer.path)
    unknown = stranger.get(customer.path.replace(str(customer.id), str(utility.tenant)))
    assert refusal(foreign) == refusal(unknown) == (404, "CUSTOMER_DOES_NOT_EXIST")
    assert refusal(stranger.post(f"{customer.path}/invitations")) == (404, "CUSTOMER_DOES_NOT_EXIST")
