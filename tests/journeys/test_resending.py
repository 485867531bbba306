"""Sending a mail again: the deed behind it, for one customer, with the same rules."""

from datetime import timedelta

import httpx
import pytest

from app.ids import new_id
from app.permissions import Permission, Role
from tests.journeys.mails import age, mails_of, newest, once, reset_mail
from tests.journeys.reading import newest_mail, refusal, wait_for_jobs
from tests.journeys.test_races import at_once
from tests.support.world import PASSWORD, Client, Customer, Utility


def resend(
    customer: Customer, mail_id: object, by: Client | None = None, headers: dict[str, str] | None = None
) -> httpx.Response:
    """An employee has a mail sent again."""
    path = f"{customer.path}/communications/{mail_id}/resend"
    return (by or customer.utility.employee()).post(path, headers=headers or {})


def why_not(answer: httpx.Response) -> str:
    """What a mail that cannot be sent again says."""
    assert refusal(answer) == (409, "COMMUNICATION_NOT_RESENDABLE")
    return str(answer.json()["detail"])


def delivered_invitation(customer: Customer) -> str:
    """The id of an invitation's mail that has arrived."""
    customer.invite()
    return str(once(customer, "successful")["id"])


def test_an_invitation_sent_again_is_a_new_link_and_ends_the_old_one(customer: Customer) -> None:
    old_token = customer.invited()
    old = once(customer, "successful")
    answer = resend(customer, old["id"])
    assert answer.status_code == 201, answer.text
    new = answer.json()
    assert (new["status"], new["kind"], new["email"], new["automatic"]) == (
        "queued",
        "invitation",
        customer.email,
        False,
    )
    assert new["resentFrom"] == old["id"] != new["id"]
    assert new["createdBy"]["id"] == "employee-7"
    token = customer.mail(2).token
    assert token != old_token
    assert refusal(customer.register(old_token)) == (410, "TOKEN_SUPERSEDED")
    assert customer.card()["pendingInvitation"]["id"] == new["links"][0]["id"]
    assert [mail["links"][0]["state"] for mail in mails_of(customer)] == ["pending", "superseded"]
    assert customer.register(token).status_code == 201


def test_the_log_tells_the_deed_and_that_it_was_a_repetition(customer: Customer) -> None:
    old = delivered_invitation(customer)
    new = resend(customer, old, headers={"X-Correlation-Id": "card-8"}).json()
    assert customer.log() == [
        "PortalInvitationSent",
        "PortalInvitationSuperseded",
        "PortalInvitationSent",
        "PortalCommunicationResent",
    ]
    entry = next(one for one in customer.activities() if one["type"] == "PortalCommunicationResent")
    assert entry["subject"] == {"type": "communication", "id": old}
    assert entry["payload"] == {"kind": "invitation", "communicationId": new["id"]}
    assert (entry["actor"]["id"], entry["correlationId"]) == ("employee-7", "card-8")


def test_a_mail_that_failed_goes_to_the_address_that_counts_today(customer: Customer) -> None:
    customer.utility.world.mailbox.replies[customer.email] = ["550 5.1.1 no such user"]
    customer.invite(language="fr-BE")
    failed = once(customer, "failed")
    right = f"right.{customer.number}@example.com"
    assert customer.save(email=right).status_code == 200
    again = resend(customer, failed["id"]).json()
    assert (again["email"], again["language"]) == (right, "fr-BE")
    assert customer.mail(address=right).page.endswith("/register")


def test_a_confirmation_is_sent_again_to_the_accounts_address(customer: Customer) -> None:
    old_token = customer.registered()
    old = once(customer, "successful", "emailconfirmation")
    right = {"email": f"right.{customer.number}@example.com"}
    assert customer.utility.employee().post(f"{customer.path}/email-confirmations", right).status_code == 201
    customer.mail(address=right["email"])
    again = resend(customer, old["id"])
    assert again.status_code == 201
    assert again.json()["email"] == right["email"]
    assert refusal(customer.confirm(old_token)) == (410, "TOKEN_SUPERSEDED")
    assert customer.confirm(customer.mail(2, right["email"]).token).status_code == 200
    assert "another address" in why_not(resend(customer, old["id"]))


def test_a_notice_is_simply_sent_again(utility: Utility) -> None:
    utility.change_settings(confirmOnInvitation=True, communicationEnabled=True)
    customer = utility.customer()
    assert customer.register(customer.invited()).status_code == 201
    old = once(customer, "successful", "accountmade")
    utility.change_settings(communicationEnabled=False)
    again = resend(customer, old["id"])
    assert again.status_code == 201
    assert (again.json()["automatic"], again.json()["links"]) == (False, []), "an employee asked for it by name"
    sent = once(customer, "successful", "accountmade")
    assert (sent["id"], sent["email"], sent["resentFrom"]) == (again.json()["id"], old["email"], old["id"])
    customer.mail(3)
    assert customer.log()[-1] == "PortalCommunicationResent"


def test_an_old_notice_does_not_tell_an_old_address_the_new_one(utility: Utility) -> None:
    utility.change_settings(confirmOnInvitation=True)
    customer = utility.customer()
    assert customer.register(customer.invited()).status_code == 201
    old = once(customer, "successful", "accountmade")
    new = f"new.{customer.number}@example.com"
    body = {"currentPassword": PASSWORD, "email": new}
    assert customer.logged_in().post("/portal/me/email", body).status_code == 202
    assert customer.confirm(newest_mail(utility, new, "confirm-email").token).status_code == 200
    assert "another address" in why_not(resend(customer, old["id"]))


def test_a_password_reset_is_sent_again_for_this_customer_alone(utility: Utility) -> None:
    address = f"family.{new_id()}@example.com"
    jan, eva = (utility.customer(email=address).active() for _ in range(2))
    shared = reset_mail(jan, eva)
    again = resend(eva, shared)
    assert again.status_code == 201, again.text
    [link] = again.json()["links"]
    assert (link["purpose"], link["state"]) == ("passwordreset", "pending")
    assert eva.card()["pendingPasswordReset"]["id"] == link["id"]
    assert jan.card()["pendingPasswordReset"] is None
    assert [mail["id"] for mail in mails_of(jan) if mail["kind"] == "passwordreset"] == [shared]
    assert eva.log()[-2:] == ["PortalPasswordResetSent", "PortalCommunicationResent"]
    assert "PortalPasswordResetSent" not in jan.log()


def test_each_mail_needs_the_permission_of_its_deed(utility: Utility) -> None:
    customer = utility.customer().active()
    reset = reset_mail(customer)
    inviter = utility.employee(None, Permission.PORTAL_INVITE)
    answer = resend(customer, reset, inviter)
    assert refusal(answer) == (403, "PERMISSION_INVALID")
    assert "portal.resetpassword" in answer.json()["detail"]
    assert refusal(resend(customer, reset, utility.employee(None, Permission.PORTAL_RESET_PASSWORD)))[0] == 403
    both = utility.employee(None, Permission.PORTAL_INVITE, Permission.PORTAL_RESET_PASSWORD)
    assert resend(customer, reset, both).status_code == 201
    guest = utility.customer()
    assert resend(guest, delivered_invitation(guest), inviter).status_code == 201
    assert refusal(resend(guest, newest(guest)["id"], utility.employee(Role.READONLY)))[0] == 403


def test_the_deeds_own_refusals_hold(utility: Utility) -> None:
    customer = utility.customer()
    invitation = delivered_invitation(customer)
    utility.change_settings(portalEnabled=False)
    assert refusal(resend(customer, invitation)) == (409, "PORTAL_NOT_ENABLED")
    utility.change_settings(portalUrl=None)
    assert refusal(resend(customer, invitation)) == (409, "PORTAL_URL_MISSING")
    utility.change_settings()
    customer.save(email=None)
    assert refusal(resend(customer, invitation)) == (409, "USER_HAS_NO_EMAIL_ADDRESS")
    customer.save()
    token = customer.registered()
    assert refusal(resend(customer, invitation)) == (409, "USER_ALREADY_EXISTS")
    assert refusal(resend(customer, reset_mail(customer))) == (409, "EMAIL_NOT_CONFIRMED")
    confirmation = once(customer, "successful", "emailconfirmation")["id"]
    assert customer.confirm(token).status_code == 200
    assert refusal(resend(customer, confirmation)) == (409, "EMAIL_ALREADY_CONFIRMED")
    assert customer.log().count("PortalCommunicationResent") == 0


def test_a_mail_on_its_way_or_skipped_cannot_be_sent_again(utility: Utility) -> None:
    customer = utility.customer()
    utility.world.mailbox.replies[customer.email] = ["452 4.2.2 mailbox full"]
    customer.invite()
    assert "on its way" in why_not(resend(customer, newest(customer)["id"]))
    utility.change_settings(communicationEnabled=False)
    other = utility.customer()
    assert other.register(other.invited()).status_code == 201
    skipped = once(other, "skipped", "emailconfirmation")
    assert "Automatic communication is switched off." in why_not(resend(other, skipped["id"]))


def test_sixty_days_are_the_limit(customer: Customer) -> None:
    mail = delivered_invitation(customer)
    age(customer, mail, timedelta(days=60, minutes=1))
    assert "60 days" in why_not(resend(customer, mail))
    age(customer, mail, timedelta(minutes=-2))
    assert resend(customer, mail).status_code == 201


@pytest.mark.parametrize("kind", ["accountmade", "emailconfirmation"])
def test_a_mail_about_an_account_that_is_gone_cannot_be_sent_again(utility: Utility, kind: str) -> None:
    utility.change_settings(confirmOnInvitation=kind == "accountmade")
    customer = utility.customer()
    assert customer.register(customer.invited()).status_code == 201
    mail = once(customer, "successful", kind)
    utility.world.sql.run(
        "DELETE FROM sessions WHERE organisation_id = $1 AND customer_id = $2", utility.organisation, customer.id
    )
    utility.world.sql.run(
        "DELETE FROM accounts WHERE organisation_id = $1 AND customer_id = $2", utility.organisation, customer.id
    )
    assert "reset" in why_not(resend(customer, mail["id"]))
    customer.invite()
    assert customer.register(newest_mail(utility, customer.email, "register", 2).token).status_code == 201
    assert "reset" in why_not(resend(customer, mail["id"])), "another account is not the one of the mail"


def test_a_change_of_address_is_the_customers_own_to_repeat(utility: Utility) -> None:
    customer = utility.customer().active()
    mail = newest(customer, "emailconfirmation")
    wait_for_jobs(utility)
    utility.world.sql.run(
        "UPDATE tokens SET email = 'new.address@example.com' WHERE organisation_id = $1 AND customer_id = $2"
        " AND purpose = 'emailconfirmation'",
        utility.organisation,
        customer.id,
    )
    assert "another address" in why_not(resend(customer, mail["id"]))


def test_nobody_elses_mail_is_sent_again(utility: Utility) -> None:
    customer, neighbour = utility.customer(), utility.customer()
    foreign = utility.world.utility().customer()
    mine, theirs = delivered_invitation(customer), delivered_invitation(foreign)
    for mail_id in (delivered_invitation(neighbour), theirs, new_id()):
        assert refusal(resend(customer, mail_id)) == (404, "RESOURCE_NOT_FOUND")
    stranger = foreign.utility.employee()
    assert refusal(resend(customer, mine, stranger)) == (404, "CUSTOMER_DOES_NOT_EXIST")
    answer = utility.employee().post(f"/customers/{new_id()}/portal/communications/{mine}/resend")
    assert refusal(answer) == (404, "CUSTOMER_DOES_NOT_EXIST")
    assert len(mails_of(customer)) == 1


def test_the_same_key_sends_once(customer: Customer) -> None:
    mail, key = delivered_invitation(customer), {"Idempotency-Key": "again-1"}
    first, second = resend(customer, mail, headers=key), resend(customer, mail, headers=key)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert second.headers["idempotency-replayed"] == "true"
    assert len(mails_of(customer)) == 2


def test_two_employees_at_once_leave_one_link(customer: Customer) -> None:
    mail = delivered_invitation(customer)
    answers = at_once([lambda: resend(customer, mail)] * 2)
    assert {answer.status_code for answer in answers} == {201}
    states = sorted(mail["links"][0]["state"] for mail in mails_of(customer))
    assert states == ["pending", "superseded", "superseded"]
    assert customer.log().count("PortalCommunicationResent") == 2
