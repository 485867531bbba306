"""Journeys through the platform's existing calls alone; what they do is seen on the card and in the log."""

from datetime import timedelta

import pytest

from app.ids import new_id
from app.permissions import Permission
from tests.api.expect import problem
from tests.api.platform_shapes import customer_of, nothing_in, refused_with, text_of
from tests.journeys.front_end import FrontEnd
from tests.journeys.reading import expires_in, newest_mail, reset_link, wait_for_jobs
from tests.journeys.test_races import at_once
from tests.support.world import NEW_PASSWORD, Client, Customer, Utility


def test_a_customer_is_shown_with_all_that_the_platform_knows(utility: Utility) -> None:
    contract = {"contractId": str(new_id()), "contractNumber": "C-1", "status": "signed", "invoiceCount": 2}
    customer = utility.customer(contracts=[contract])
    shown = FrontEnd.of(customer).shown()
    assert (shown.id, shown.organisationId) == (customer.id, utility.organisation)
    assert (shown.accountNumber, shown.shortDisplayName) == (customer.number, "Jan Peeters")
    assert [(one.contactType, one.value, one.primaryForType) for one in shown.contactDetails] == [
        ("email", customer.email, True)
    ]
    [linked] = shown.contracts
    assert (str(linked.contractId), linked.contractNumber) == (contract["contractId"], "C-1")
    assert linked.currentContractStatus == "signed"
    assert {shown.hasErrors, shown.hasWarnings, shown.requireAttention, shown.isReadOnly} == {False}
    assert shown.portalProperties.applicationUserId is None
    assert (shown.portalProperties.email, shown.portalProperties.emailConfirmed) == (None, False)


def test_a_customer_without_an_address_has_no_contact_details(utility: Utility) -> None:
    assert FrontEnd.of(utility.customer(email=None)).shown().contactDetails == []


def test_the_account_is_the_live_one(active: Customer) -> None:
    active.import_account(live=False, email="older@example.com")
    live = next(one for one in active.accounts() if one["state"] == "live")
    shown = FrontEnd.of(active).shown().portalProperties
    assert str(shown.applicationUserId) == live["accountId"]
    assert (shown.email, shown.emailConfirmed) == (active.email, True)


def test_the_etag_changes_with_whatever_is_shown(customer: Customer) -> None:
    page = FrontEnd.of(customer)
    tags = [page.shown().etag]
    assert page.shown().etag == tags[0]
    customer.save(displayName="Jan Janssens")
    tags.append(page.shown().etag)
    token = customer.registered()
    tags.append(page.shown().etag)
    tags.append(customer_of(page.confirm(token)).etag)
    assert len(set(tags)) == 4


def test_a_customer_is_found_by_number_in_the_address_and_in_the_query(customer: Customer) -> None:
    employee = customer.utility.employee()
    found = f"{customer.utility.world.url}/api/md/Customers/ByAccountNumber"
    assert customer_of(employee.get(f"{found}/{customer.number}")).id == customer.id
    assert customer_of(employee.get(found, params={"customerAccountNumber": customer.number})).id == customer.id
    other = customer.utility.customer(accountNumber="A/7 b")
    assert customer_of(employee.get(found, params={"customerAccountNumber": "A/7 b"})).id == other.id
    foreign = customer.utility.world.utility().customer()
    for number in ("0", foreign.number):
        problem(employee.get(f"{found}/{number}"), 404, "CUSTOMER_DOES_NOT_EXIST")
        problem(employee.get(found, params={"customerAccountNumber": number}), 404, "CUSTOMER_DOES_NOT_EXIST")
    assert refused_with(employee.get(found)) == ["VALIDATION_FAILED"]
    assert refused_with(employee.get(found, params={"customerAccountNumber": "1\x00"})) == ["VALIDATION_FAILED"]


def test_whoever_has_no_account_is_sent_an_invitation(customer: Customer) -> None:
    nothing_in(FrontEnd.of(customer).send("portalconfirmation"))
    token = newest_mail(customer.utility, customer.email, "register").token
    assert customer.card()["pendingInvitation"]["email"] == customer.email
    assert customer.log() == ["PortalInvitationSent"]
    assert customer.register(token).status_code == 201


def test_whoever_waits_for_a_confirmation_is_sent_a_new_one(customer: Customer) -> None:
    old = customer.registered()
    page = FrontEnd.of(customer)
    nothing_in(page.send("portalconfirmation"))
    new = newest_mail(customer.utility, customer.email, "confirm-email", 2).token
    assert refused_with(page.confirm(old)) == ["CONFIRMATION_TOKEN_MISSING"]
    assert customer_of(page.confirm(new)).portalProperties.emailConfirmed is True
    assert customer.card()["portalStatus"] == "active"


def test_a_password_reset_is_sent_and_works(active: Customer) -> None:
    nothing_in(FrontEnd.of(active).send("portalresetpassword"))
    assert active.card()["pendingPasswordReset"]["email"] == active.email
    token = newest_mail(active.utility, active.email, "reset-password").token
    assert active.choose_password(token).status_code == 200
    assert active.log_in(password=NEW_PASSWORD).status_code == 201


def test_confirming_is_done_by_the_platform_for_the_customer(customer: Customer) -> None:
    token = customer.registered()
    application = customer.utility.employee(None, Permission.PORTAL_INVITE, application=True, subject="front-end")
    confirmed = customer_of(FrontEnd.of(customer, application).confirm(token))
    assert (confirmed.portalProperties.email, confirmed.portalProperties.emailConfirmed) == (customer.email, True)
    assert customer.log()[-1] == "PortalEmailConfirmed"
    entry = next(one for one in customer.activities() if one["type"] == "PortalEmailConfirmed")
    assert (entry["actor"]["type"], entry["actor"]["id"]) == ("application", "front-end")
    assert customer.log_in().status_code == 201


def test_the_same_token_confirms_again_and_once(customer: Customer) -> None:
    token = customer.registered()
    page = FrontEnd.of(customer)
    answers = at_once([lambda: page.confirm(token)] * 6 + [lambda: customer.confirm(token)] * 6)
    assert {answer.status_code for answer in answers} == {200}
    assert customer.log().count("PortalEmailConfirmed") == 1
    assert customer_of(page.confirm(token)).portalProperties.emailConfirmed is True


def test_another_customers_token_confirms_nobody(customer: Customer) -> None:
    other = customer.utility.customer()
    token = customer.registered()
    stranger = customer.utility.world.utility().customer()
    for page in (FrontEnd.of(other), FrontEnd.of(stranger)):
        assert refused_with(page.confirm(token)) == ["CONFIRMATION_TOKEN_MISSING"]
    assert customer.card()["portalStatus"] == "notconfirmed"
    assert "PortalTokenRefused" not in other.log() + stranger.log() + customer.log()
    customer_of(FrontEnd.of(customer).confirm(token))


@pytest.mark.parametrize("token", ["", None, "noise", "a" * 200])
def test_what_is_no_token_confirms_nobody(token: str | None, customer: Customer) -> None:
    customer.registered()
    assert refused_with(FrontEnd.of(customer).confirm(token)) == ["CONFIRMATION_TOKEN_MISSING"]
    assert customer.card()["portalStatus"] == "notconfirmed"


def test_a_dead_token_is_refused_and_remembered(customer: Customer) -> None:
    token = customer.registered()
    expires_in(customer.utility, customer.card()["pendingEmailConfirmation"]["id"], timedelta(seconds=-1))
    assert refused_with(FrontEnd.of(customer).confirm(token)) == ["CONFIRMATION_TOKEN_MISSING"]
    assert customer.log()[-1] == "PortalTokenRefused"
    assert customer.activities()[0]["payload"] == {"purpose": "emailconfirmation", "state": "expired"}


def test_tokens_of_other_purposes_confirm_nobody(active: Customer) -> None:
    reset, page = reset_link(active), FrontEnd.of(active)
    for token in (reset, text_of(page.impersonate())):
        assert refused_with(page.confirm(token)) == ["CONFIRMATION_TOKEN_MISSING"]
    assert active.choose_password(reset).status_code == 200


def test_a_reset_deletes_the_account_and_invites_to_the_given_address(active: Customer) -> None:
    session, new = active.logged_in(), f"new.{active.number}@example.com"
    after = customer_of(FrontEnd.of(active).reset(communicationEmail=new, sendCommunication=True))
    assert after.portalProperties.applicationUserId is None
    assert [one.value for one in after.contactDetails] == [new]
    card = active.card()
    assert (card["portalStatus"], card["contactEmail"]) == ("noaccount", new)
    assert card["pendingInvitation"]["email"] == new
    problem(session.get("/portal/me"), 401, "SESSION_ENDED")
    assert active.log()[-4:] == [
        "PortalAccountReset",
        "PortalSessionsEnded",
        "PortalContactEmailChanged",
        "PortalInvitationSent",
    ]
    assert active.register(newest_mail(active.utility, new, "register").token).status_code == 201


def test_a_reset_that_sends_nothing_leaves_the_contact_address(active: Customer) -> None:
    customer_of(FrontEnd.of(active).reset(communicationEmail="somewhere.else@example.com"))
    card = active.card()
    assert (card["portalStatus"], card["contactEmail"], card["pendingInvitation"]) == ("noaccount", active.email, None)


@pytest.mark.parametrize("empty", ["", "  ", None])
def test_a_reset_without_an_address_invites_to_the_one_that_is_known(empty: str | None, active: Customer) -> None:
    customer_of(FrontEnd.of(active).reset(communicationEmail=empty, sendCommunication=True))
    assert active.card()["pendingInvitation"]["email"] == active.email


def test_of_two_resets_at_once_one_finds_an_account(active: Customer) -> None:
    page = FrontEnd.of(active)
    answers = at_once([page.reset, page.reset])
    done, refused = sorted(answers, key=lambda answer: answer.status_code)
    customer_of(done)
    assert refused_with(refused) == ["USER_NOT_FOUND"]
    assert active.log().count("PortalAccountReset") == 1


def test_the_hand_off_token_opens_the_portal_for_the_employee(active: Customer) -> None:
    token = text_of(FrontEnd.of(active).impersonate())
    redeemed = active.utility.portal.post("/portal/impersonations/redeem", {"token": token})
    assert redeemed.status_code == 201
    portal = Client(active.utility.world, {"Authorization": f"Bearer {redeemed.json()['accessToken']}"})
    assert portal.get("/portal/me").json()["impersonation"]["employeeName"] == "Eva Maes"
    [session] = active.impersonations()
    assert (session["accessMode"], session["state"]) == ("readonly", "active")
    assert "platform's front end" in session["reason"]
    assert active.log()[-2:] == ["PortalImpersonationStarted", "PortalImpersonationRedeemed"]
    assert active.card()["activeImpersonation"]["id"] == session["id"]


def test_a_refused_impersonation_is_remembered(active: Customer) -> None:
    user = active.utility.employee(None, Permission.PORTAL_READ)
    problem(FrontEnd.of(active, user).impersonate(), 403, "PERMISSION_INVALID")
    application = active.utility.employee(application=True)
    problem(FrontEnd.of(active, application).impersonate(), 403, "PERMISSION_INVALID")
    active.utility.change_settings(impersonationEnabled=False)
    assert refused_with(FrontEnd.of(active).impersonate()) == ["FEATURE_NOT_YET_AVAILABLE"]
    assert active.log()[-3:] == ["PortalImpersonationRefused"] * 3


def test_a_repeated_start_gets_the_same_token_while_it_works_and_none_afterwards(active: Customer) -> None:
    page, key = FrontEnd.of(active), {"Idempotency-Key": "click-1"}
    first = page.post("/portal/impersonate", **key)
    again = page.post("/portal/impersonate", **key)
    assert text_of(again) == text_of(first)
    assert again.headers["idempotency-replayed"] == "true"
    assert len(active.impersonations()) == 1
    kept = "SELECT body FROM idempotency_answers WHERE organisation_id = $1"
    assert text_of(first) not in str(active.utility.world.sql.rows(kept, active.utility.organisation))
    assert active.redeem({"portalLoginUrl": f"/impersonate#token={text_of(first)}"}).status_code == 201
    nothing_in(page.post("/portal/impersonate", **key))


def test_a_repeated_sending_sends_once(customer: Customer) -> None:
    page, key = FrontEnd.of(customer), {"Idempotency-Key": "click-1"}
    answers = at_once([lambda: page.post("/send/portalconfirmation", **key)] * 5)
    for answer in answers:
        if answer.status_code == 409:
            problem(answer, 409, "IDEMPOTENCY_IN_PROGRESS")
        else:
            nothing_in(answer)
    nothing_in(page.post("/send/portalconfirmation", **key))
    problem(page.post("/send/portalresetpassword", **key), 422, "IDEMPOTENCY_KEY_REUSED")
    wait_for_jobs(customer.utility)
    assert customer.log() == ["PortalInvitationSent"]


def test_no_token_is_ever_shown(active: Customer) -> None:
    active.send_reset()
    waiting = active.utility.customer()
    waiting.registered()
    for customer in (active, waiting):
        properties = FrontEnd.of(customer).shown().portalProperties
        assert (properties.confirmAccountToken, properties.resetPasswordToken) == (None, None)
