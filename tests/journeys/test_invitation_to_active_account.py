"""The story of the card: no account, an invitation, an active account, and a log that tells it."""

from tests.support.world import Customer


def test_a_customer_starts_without_an_account(customer: Customer) -> None:
    card = customer.card()
    assert card["portalStatus"] == "noaccount"
    assert card["hasAccount"] is False
    assert [one["action"] for one in card["actions"] if one["allowed"]] == ["sendinvitation"]


def test_an_invitation_becomes_an_active_account(customer: Customer) -> None:
    customer.invite()
    mail = customer.mail()
    assert mail.page == "https://portal.example.com/register"
    answer = customer.register(mail.token)
    assert answer.status_code == 201
    assert answer.json() == {"portalStatus": "notconfirmed", "email": customer.email}
    assert customer.card()["portalStatus"] == "notconfirmed"
    assert customer.confirm(customer.mail(2).token).status_code == 200
    me = customer.logged_in().get("/portal/me").json()
    assert me["customer"]["accountNumber"] == customer.number
    card = customer.card()
    assert card["portalStatus"] == "active"
    assert card["emailConfirmed"] is True
    assert customer.log() == [
        "PortalInvitationSent",
        "PortalAccountRegistered",
        "PortalEmailConfirmationSent",
        "PortalEmailConfirmed",
        "PortalLoginSucceeded",
    ]
