"""Many at once: one outcome."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import TypeVar

import httpx
import pytest

from tests.journeys.reading import invitations, refusal, wait_for_jobs
from tests.support.world import Customer, Utility

T = TypeVar("T")
MANY = 50
ROUNDS = 20


def at_once(calls: Sequence[Callable[[], T]]) -> list[T]:
    """What the calls answer when all start together."""
    ready = Barrier(len(calls))

    def start(call: Callable[[], T]) -> T:
        ready.wait(20)
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(start, calls))


def post_late(utility: Utility, path: str, number: int) -> httpx.Response:
    """An employee's call that meets the hashing of a password somewhere else in each round."""
    time.sleep(number * 0.004)
    return utility.employee().post(path)


def count_of(customer: Customer, activity: str) -> int:
    """How often something happened."""
    return customer.log().count(activity)


def test_fifty_registrations_of_one_invitation_make_one_account(customer: Customer) -> None:
    token = customer.invited()
    answers = at_once([lambda: customer.register(token)] * MANY)
    losers = [answer for answer in answers if answer.status_code != 201]
    assert len(losers) == MANY - 1
    assert {refusal(answer) for answer in losers} == {(410, "TOKEN_USED")}
    assert customer.card()["accountCount"] == 1
    assert count_of(customer, "PortalAccountRegistered") == 1
    assert count_of(customer, "PortalEmailConfirmationSent") == 1
    assert count_of(customer, "PortalTokenRefused") == MANY - 1
    wait_for_jobs(customer.utility)
    assert len(customer.utility.world.mailbox.to(customer.email)) == 2


def test_fifty_confirmations_by_one_link_change_one_thing(customer: Customer) -> None:
    token = customer.registered()
    answers = at_once([lambda: customer.confirm(token)] * MANY)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert count_of(customer, "PortalEmailConfirmed") == 1
    assert count_of(customer, "PortalTokenRefused") == 0


def test_fifty_looks_at_one_link_are_one_first_look(customer: Customer) -> None:
    token = customer.invited()
    inspect = {"token": token}
    answers = at_once([lambda: customer.utility.portal.post("/portal/tokens/inspect", inspect)] * MANY)
    assert {answer.status_code for answer in answers} == {200}
    assert count_of(customer, "PortalInvitationViewed") == 1


def test_wrong_numbers_at_once_are_all_counted(customer: Customer) -> None:
    token = customer.invited()
    answers = at_once([lambda: customer.register(token, customerNumber="1")] * 25)
    outcomes = [refusal(answer) for answer in answers]
    assert outcomes.count((422, "CUSTOMER_NUMBER_MISMATCH")) == 10
    assert outcomes.count((410, "TOKEN_REVOKED")) == 15
    assert count_of(customer, "PortalInvitationRevoked") == 1


@pytest.mark.asvs("2.3.4")
def test_two_invitations_at_once_leave_exactly_one(utility: Utility) -> None:
    for _ in range(ROUNDS):
        customer = utility.customer()
        sent = at_once([customer.invite, customer.invite])
        listed = invitations(customer)
        assert sorted(one["status"] for one in listed) == ["pending", "superseded"]
        assert {one["id"] for one in listed} == {one["id"] for one in sent}
        pending = next(one for one in listed if one["status"] == "pending")
        assert customer.card()["pendingInvitation"]["id"] == pending["id"]
        assert customer.log().count("PortalInvitationSuperseded") == 1


@pytest.mark.asvs("2.3.4", "15.4.2")
def test_a_registration_and_a_new_invitation_at_once_have_one_outcome(utility: Utility) -> None:
    for number in range(ROUNDS):
        customer = utility.customer()
        token = customer.invited()
        invite_again = partial(post_late, utility, f"{customer.path}/invitations", number)
        registered, invited = at_once([partial(customer.register, token), invite_again])
        card = customer.card()
        if registered.status_code == 201:
            assert refusal(invited) == (409, "USER_ALREADY_EXISTS")
            assert card["portalStatus"] == "notconfirmed"
            assert card["pendingInvitation"] is None
            assert [one["status"] for one in invitations(customer)] == ["used"]
        else:
            assert refusal(registered) == (410, "TOKEN_SUPERSEDED")
            assert invited.status_code == 201
            assert card["portalStatus"] == "noaccount"
            assert card["pendingInvitation"]["id"] == invited.json()["id"]
            assert [one["status"] for one in invitations(customer)] == ["pending", "superseded"]


def test_a_registration_and_a_withdrawal_at_once_have_one_outcome(utility: Utility) -> None:
    for number in range(ROUNDS):
        customer = utility.customer()
        token = customer.invited()
        [invitation] = invitations(customer)
        path = f"{customer.path}/invitations/{invitation['id']}/revoke"
        withdraw = partial(post_late, utility, path, number)
        registered, withdrawn = at_once([partial(customer.register, token), withdraw])
        if registered.status_code == 201:
            assert refusal(withdrawn) == (409, "TOKEN_USED")
            assert customer.card()["hasAccount"] is True
        else:
            assert refusal(registered) == (410, "TOKEN_REVOKED")
            assert withdrawn.status_code == 200
            assert customer.card()["hasAccount"] is False


def test_a_confirmation_and_a_correction_at_once_have_one_outcome(utility: Utility) -> None:
    for _ in range(ROUNDS // 2):
        customer = utility.customer()
        token = customer.registered()
        right = {"email": f"right.{customer.number}@example.com"}
        correct = partial(utility.employee().post, f"{customer.path}/email-confirmations", right)
        confirmed, corrected = at_once([partial(customer.confirm, token), correct])
        card = customer.card()
        if confirmed.status_code == 200:
            assert refusal(corrected) == (409, "EMAIL_ALREADY_CONFIRMED")
            assert (card["portalStatus"], card["email"]) == ("active", customer.email)
        else:
            assert refusal(confirmed) == (410, "TOKEN_SUPERSEDED")
            assert corrected.status_code == 201
            assert (card["portalStatus"], card["email"]) == ("notconfirmed", right["email"])


def test_logins_at_once_all_succeed(customer: Customer) -> None:
    customer.active()
    answers = at_once([customer.log_in] * 8)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["accessToken"] for answer in answers}) == 8
    assert count_of(customer, "PortalLoginSucceeded") == 8
