"""The portal's e-mail address, changed by the platform's front end."""

from functools import partial
from typing import Any

import pytest

from app.permissions import Permission, Role
from tests.api.expect import problem
from tests.api.platform_shapes import customer_of, refused_with
from tests.journeys.front_end import FrontEnd
from tests.journeys.reading import links_to, newest_mail, refusal, reset_link, wait_for_jobs
from tests.journeys.test_races import at_once
from tests.support.world import PASSWORD, Client, Customer


def new_address(customer: Customer, word: str = "new") -> str:
    return f"{word}.{customer.number}@example.com"


def test_a_confirmed_address_gives_way_to_one_that_has_to_be_confirmed(active: Customer) -> None:
    page, session, new = FrontEnd.of(active), active.logged_in(), new_address(active)
    account = page.shown().portalProperties.applicationUserId
    changed = customer_of(page.details(email=new, sendCommunication=True)).portalProperties
    assert (changed.applicationUserId, changed.email, changed.emailConfirmed) == (account, new, False)
    card = active.card()
    assert (card["portalStatus"], card["email"], card["contactEmail"]) == ("notconfirmed", new, active.email)
    assert card["pendingEmailConfirmation"]["email"] == new
    problem(session.get("/portal/me"), 401, "SESSION_ENDED")
    assert refusal(active.log_in()) == (401, "INVALID_CREDENTIALS")
    assert refusal(active.log_in(email=new)) == (403, "EMAIL_NOT_CONFIRMED")

    confirmed = customer_of(page.confirm(newest_mail(active.utility, new, "confirm-email").token))
    assert confirmed.portalProperties.emailConfirmed is True
    assert active.log_in(email=new).status_code == 201, "the password stayed"


def test_the_log_tells_it_with_a_masked_address(active: Customer) -> None:
    active.logged_in()
    start = len(active.log())
    customer_of(FrontEnd.of(active).details(email=new_address(active), sendCommunication=True))
    assert active.log()[start:] == ["PortalEmailChanged", "PortalSessionsEnded", "PortalEmailConfirmationSent"]
    entry = next(one for one in active.activities() if one["type"] == "PortalEmailChanged")
    assert entry["payload"]["email"] == "n***@example.com"
    assert (entry["actor"]["type"], entry["actor"]["name"]) == ("employee", "Eva Maes")
    assert new_address(active) not in str(active.activities())


def test_the_old_address_is_told_even_while_automatic_mails_are_off(active: Customer) -> None:
    active.utility.change_settings(communicationEnabled=False)
    new = new_address(active)
    customer_of(FrontEnd.of(active).details(email=new))
    wait_for_jobs(active.utility)
    told = active.utility.world.mailbox.to(active.email)[-1]
    assert "e-mail address" in told.subject
    assert new not in told.text + told.html
    assert "#token=" not in told.text
    assert active.utility.world.mailbox.to(new) == [], "nothing was asked to be sent there"


def test_links_and_impersonations_of_the_old_address_end(active: Customer) -> None:
    reset, employee = reset_link(active), active.impersonated()
    customer_of(FrontEnd.of(active).details(email=new_address(active)))
    assert refusal(active.choose_password(reset)) == (410, "TOKEN_REVOKED")
    problem(employee.get("/portal/me"), 401, "SESSION_ENDED")
    assert active.impersonations()[0]["endReason"] == "emailchanged"


def test_a_change_that_the_customer_had_asked_for_does_not_come_after_all(active: Customer) -> None:
    own = new_address(active, "own")
    asked = active.logged_in().post("/portal/me/email", {"currentPassword": PASSWORD, "email": own})
    assert asked.status_code == 202
    token = newest_mail(active.utility, own, "confirm-email").token
    customer_of(FrontEnd.of(active).details(email=new_address(active)))
    assert refusal(active.confirm(token)) == (410, "TOKEN_REVOKED")
    assert active.card()["email"] == new_address(active)


def test_an_unconfirmed_address_is_corrected(customer: Customer) -> None:
    old, right = customer.registered(), new_address(customer, "right")
    page = FrontEnd.of(customer)
    assert customer_of(page.details(email=right)).portalProperties.email == right
    assert refused_with(page.confirm(old)) == ["CONFIRMATION_TOKEN_MISSING"]
    assert customer.card()["pendingEmailConfirmation"] is None
    wait_for_jobs(customer.utility)
    assert customer.utility.world.mailbox.to(right) == []
    customer_of(page.details(sendCommunication=True))
    assert customer_of(page.confirm(newest_mail(customer.utility, right, "confirm-email").token))
    assert (customer.card()["portalStatus"], customer.card()["email"]) == ("active", right)


def test_taking_a_confirmed_address_away_needs_the_right_to_reset(active: Customer) -> None:
    user = FrontEnd.of(active, active.utility.employee(Role.USER))
    before = active.log()
    detail = problem(user.details(email=new_address(active)), 403, "PERMISSION_INVALID")["detail"]
    assert Permission.PORTAL_RESET_ACCOUNT.value in detail
    assert (active.card()["email"], active.log()) == (active.email, before)
    waiting = active.utility.customer()
    waiting.registered()
    corrected = FrontEnd.of(waiting, active.utility.employee(Role.USER)).details(email=new_address(waiting))
    assert customer_of(corrected).portalProperties.email == new_address(waiting)


@pytest.mark.parametrize("body", [{}, {"email": None}, {"email": ""}, {"sendCommunication": None}])
def test_nothing_given_changes_nothing(body: dict[str, Any], active: Customer) -> None:
    before = active.log()
    assert customer_of(FrontEnd.of(active).details(**body)).portalProperties.emailConfirmed is True
    assert active.log() == before


def test_the_address_that_it_is_already_stays_confirmed(active: Customer) -> None:
    page = FrontEnd.of(active)
    for same in (active.email, active.email.upper()):
        kept = customer_of(page.details(email=same)).portalProperties
        assert (kept.email, kept.emailConfirmed) == (active.email, True)
        assert refused_with(page.details(email=same, sendCommunication=True)) == ["EMAIL_CANNOT_BE_CHANGED"]


def test_tokens_and_ids_from_outside_are_ignored(customer: Customer) -> None:
    ours = customer.registered()
    page = FrontEnd.of(customer)
    theirs = {"confirmAccountToken": "theirs", "resetPasswordToken": "theirs", "applicationUserId": "somebody"}
    kept = customer_of(page.details(**theirs)).portalProperties
    assert str(kept.applicationUserId) == customer.accounts()[0]["accountId"]
    assert refused_with(page.confirm("theirs")) == ["CONFIRMATION_TOKEN_MISSING"]
    customer_of(page.confirm(ours))


def test_without_an_account_there_is_nothing_to_change(customer: Customer) -> None:
    page = FrontEnd.of(customer)
    for body in ({}, {"email": new_address(customer)}, {"sendCommunication": True}):
        assert refused_with(page.details(**body)) == ["USER_NOT_FOUND"]


def test_a_confirmation_that_cannot_be_sent_changes_nothing(active: Customer) -> None:
    page, body = FrontEnd.of(active), {"email": new_address(active), "sendCommunication": True}
    active.utility.change_settings(portalUrl=None)
    assert refused_with(page.details(**body)) == ["PORTAL_URL_MISSING"]
    active.utility.change_settings(portalEnabled=False)
    assert refused_with(page.details(**body)) == ["FEATURE_NOT_YET_AVAILABLE"]
    assert (active.card()["email"], active.card()["emailConfirmed"]) == (active.email, True)


def test_of_two_changes_at_once_the_last_one_holds(active: Customer) -> None:
    page = FrontEnd.of(active)
    words = ("one", "other")
    changes = [partial(page.details, email=new_address(active, word), sendCommunication=True) for word in words]
    for answer in at_once(changes):
        customer_of(answer)
    card = active.card()
    assert card["pendingEmailConfirmation"]["email"] == card["email"]
    wait_for_jobs(active.utility)
    for word in words:
        for token in links_to(active.utility, new_address(active, word), "confirm-email"):
            answer = page.confirm(token)
            if new_address(active, word) == card["email"]:
                assert customer_of(answer).portalProperties.email == card["email"]
            else:
                assert refused_with(answer) == ["CONFIRMATION_TOKEN_MISSING"]
    assert active.log().count("PortalEmailChanged") == 2


def test_a_login_at_the_same_time_leaves_no_session_of_the_old_address(active: Customer) -> None:
    page = FrontEnd.of(active)
    logins = [active.log_in] * 4
    answers = at_once([*logins, lambda: page.details(email=new_address(active))])
    customer_of(answers[-1])
    for login in answers[:-1]:
        if login.status_code == 201:
            session = Client(active.utility.world, {"Authorization": f"Bearer {login.json()['accessToken']}"})
            problem(session.get("/portal/me"), 401, "SESSION_ENDED")


def test_a_repeated_change_is_one_change(active: Customer) -> None:
    page, body = FrontEnd.of(active), {"email": new_address(active)}
    first = page.post("/portaldetails", body, **{"Idempotency-Key": "click-1"})
    again = page.post("/portaldetails", body, **{"Idempotency-Key": "click-1"})
    assert customer_of(again) == customer_of(first)
    assert again.headers["idempotency-replayed"] == "true"
    assert active.log().count("PortalEmailChanged") == 1
