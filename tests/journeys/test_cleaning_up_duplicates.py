"""Cleaning up duplicates: the right account becomes the live one, the others let nobody in."""

from functools import partial
from typing import Any
from uuid import UUID

import bcrypt
import httpx
import pytest

from app.ids import new_id
from tests.journeys.acting import open_token, token_state, value
from tests.journeys.reading import actions, invitations, links_to, newest_mail, refusal, wait_for_jobs
from tests.journeys.test_races import at_once
from tests.support.world import Customer, Utility

OLD_PASSWORD = "eight warm radiators"
OLD_HASH = bcrypt.hashpw(OLD_PASSWORD.encode(), bcrypt.gensalt(4)).decode()
REFUSED = (401, "INVALID_CREDENTIALS")
ENDED = (401, "SESSION_ENDED")
NOT_FOUND = (404, "RESOURCE_NOT_FOUND")
ROUNDS = 10


def duplicate(customer: Customer, **given: Any) -> str:
    """A retired account of an older system, with a password of its own; its id."""
    answer = customer.import_account(**{"live": False, "passwordHash": OLD_HASH} | given)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["accountId"])


def reactivate(customer: Customer, account_id: str | UUID, **headers: str) -> httpx.Response:
    """An administrator chooses the right account."""
    path = f"{customer.path}/accounts/{account_id}/reactivate"
    return customer.utility.employee().post(path, headers=headers)


def states(customer: Customer) -> dict[str, str]:
    return {one["accountId"]: one["state"] for one in customer.accounts()}


def live_account(customer: Customer) -> str:
    [found] = [account for account, state in states(customer).items() if state == "live"]
    return found


def test_the_right_account_becomes_live_and_the_other_retires(customer: Customer) -> None:
    client = customer.active().logged_in()
    wrong, right = live_account(customer), duplicate(customer)
    answer = reactivate(customer, right)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["accountId"], answer.json()["state"]) == (right, "live")
    assert states(customer) == {right: "live", wrong: "retired"}
    assert refusal(client.get("/portal/me")) == ENDED
    assert refusal(customer.log_in()) == REFUSED
    assert customer.log_in(password=OLD_PASSWORD).status_code == 201
    card = customer.card()
    assert (card["portalStatus"], card["registeredDateTime"]) == ("active", "2021-03-04T09:12:45Z")
    assert actions(card)["reactivateaccount"] is None
    log = [kind for kind in customer.log() if kind in ("PortalAccountRetired", "PortalAccountReactivated")]
    assert log == ["PortalAccountRetired", "PortalAccountReactivated"]
    about = {entry["type"]: entry for entry in customer.activities()}
    assert about["PortalAccountRetired"]["subject"]["id"] == wrong
    assert about["PortalAccountRetired"]["payload"] == {"by": right}
    assert about["PortalAccountReactivated"]["subject"]["id"] == right
    assert about["PortalAccountReactivated"]["actor"]["id"] == "employee-7"


def test_and_back_again(customer: Customer) -> None:
    customer.active()
    first, second = live_account(customer), duplicate(customer)
    assert reactivate(customer, second).status_code == 200
    assert customer.log_in(password=OLD_PASSWORD).status_code == 201
    assert reactivate(customer, first).status_code == 200
    assert states(customer) == {first: "live", second: "retired"}
    assert refusal(customer.log_in(password=OLD_PASSWORD)) == REFUSED
    assert customer.log_in().status_code == 201


def test_each_entry_of_the_log_counts_as_its_own_accounts(customer: Customer) -> None:
    customer.active()
    mine, other = live_account(customer), duplicate(customer)
    customer.log_in()
    reactivate(customer, other)
    customer.log_in(password=OLD_PASSWORD)
    assert customer.utility.employee().post(f"{customer.path}/reset").status_code == 200
    told = "SELECT account_generation FROM activities WHERE customer_id = $1 AND type = $2 ORDER BY id DESC LIMIT 1"
    generations = {
        "PortalAccountRegistered": 1,
        "PortalAccountImported": 2,
        "PortalAccountRetired": 1,
        "PortalAccountReactivated": 2,
        "PortalLoginSucceeded": 2,
        "PortalAccountReset": 2,
    }
    assert {kind: value(customer, told, kind) for kind in generations} == generations
    assert states(customer) == {mine: "retired"}


def test_the_one_that_is_live_already_stays_as_it_is_and_the_others_are_done_with(customer: Customer) -> None:
    client = customer.active().logged_in()
    other = duplicate(customer)
    card, log, mine = customer.card(), customer.log(), live_account(customer)
    for _ in range(2):
        answer = reactivate(customer, mine)
        assert (answer.status_code, answer.json()["state"]) == (200, "live")
    assert customer.card() == card
    assert customer.log() == [*log, "PortalAccountRetired"]
    assert customer.activities()[0]["subject"]["id"] == other
    assert states(customer)[other] == "retired"
    assert client.get("/portal/me").status_code == 200


def test_a_duplicate_can_be_reactivated_when_nothing_is_live(customer: Customer) -> None:
    customer.active()
    right = duplicate(customer)
    assert customer.utility.employee().post(f"{customer.path}/reset").status_code == 200
    invitation = customer.invited()
    assert reactivate(customer, right).status_code == 200
    assert states(customer) == {right: "live"}
    assert [one["status"] for one in invitations(customer)] == ["revoked", "used"]
    assert refusal(customer.register(invitation)) == (410, "TOKEN_REVOKED")
    assert "PortalAccountRetired" not in customer.log()
    assert customer.log_in(password=OLD_PASSWORD).status_code == 201


@pytest.mark.parametrize("purpose", ["invitation", "emailconfirmation", "passwordreset"])
def test_every_link_of_the_customer_ends_and_no_one_elses(purpose: str, customer: Customer) -> None:
    customer.active()
    right, neighbour = duplicate(customer), customer.utility.customer()
    mine, theirs = open_token(customer, purpose), open_token(neighbour, purpose)
    assert reactivate(customer, right).status_code == 200
    assert token_state(customer, mine) == "revoked"
    assert token_state(neighbour, theirs) == "pending"


def test_an_impersonation_ends(customer: Customer) -> None:
    employee = customer.active().impersonated()
    assert reactivate(customer, duplicate(customer)).status_code == 200
    assert refusal(employee.get("/portal/me")) == ENDED
    assert customer.impersonations()[0]["endReason"] == "accountreactivated"
    assert "PortalImpersonationEnded" in customer.log()


# --- a retired account is no way in --------------------------------------------------------------------------


def test_a_retired_account_gets_no_confirmation(customer: Customer) -> None:
    address = f"retired.{customer.number}@example.com"
    customer.active()
    duplicate(customer, email=address, emailConfirmedDateTime=None)
    answer = customer.utility.portal.post("/portal/email-confirmations/resend", {"email": address})
    assert answer.status_code == 202
    wait_for_jobs(customer.utility)
    assert links_to(customer.utility, address, "confirm-email") == []
    assert refusal(customer.log_in(email=address, password=OLD_PASSWORD)) == REFUSED


def test_the_confirmation_of_an_account_that_was_retired_is_dead(customer: Customer) -> None:
    token = customer.registered()
    mine = live_account(customer)
    reactivate(customer, duplicate(customer))
    assert refusal(customer.confirm(token)) == (410, "TOKEN_REVOKED")
    reactivate(customer, mine)
    assert refusal(customer.confirm(token)) == (410, "TOKEN_REVOKED")
    assert customer.card()["portalStatus"] == "notconfirmed"
    customer.utility.employee().post(f"{customer.path}/email-confirmations")
    assert customer.confirm(newest_mail(customer.utility, customer.email, "confirm-email", 2).token).status_code == 200
    assert customer.log_in().status_code == 201


# --- refusals and repetition ---------------------------------------------------------------------------------


def test_no_ones_elses_account_can_be_reactivated(customer: Customer) -> None:
    customer.active()
    mine = duplicate(customer)
    neighbour, stranger = customer.utility.customer(), customer.utility.world.utility().customer()
    theirs, foreign = duplicate(neighbour), duplicate(stranger)
    for account in (theirs, foreign, new_id()):
        assert refusal(reactivate(customer, account)) == NOT_FOUND
    assert refusal(reactivate(neighbour, mine)) == NOT_FOUND
    path = f"{customer.path}/accounts/{mine}/reactivate"
    assert refusal(stranger.utility.employee().post(path)) == (404, "CUSTOMER_DOES_NOT_EXIST")
    assert states(customer)[mine] == "retired"
    assert set(states(neighbour).values()) == set(states(stranger).values()) == {"retired"}
    assert refusal(reactivate(customer, "no-uuid")) == (422, "VALIDATION_FAILED")


def test_the_same_key_reactivates_once_and_answers_the_same(customer: Customer) -> None:
    customer.active()
    right = duplicate(customer)
    first = reactivate(customer, right, **{"Idempotency-Key": "right-1"})
    again = reactivate(customer, right, **{"Idempotency-Key": "right-1"})
    assert (first.status_code, again.status_code, again.content) == (200, 200, first.content)
    assert customer.log().count("PortalAccountReactivated") == 1


# --- two at once ---------------------------------------------------------------------------------------------


def test_two_choices_at_once_leave_one_live_account(utility: Utility) -> None:
    for _ in range(ROUNDS):
        customer = utility.customer()
        one, other = duplicate(customer), duplicate(customer)
        answers = at_once([partial(reactivate, customer, one), partial(reactivate, customer, other)])
        assert {answer.status_code for answer in answers} == {200}
        assert sorted(states(customer).values()) == ["live", "retired"]
        log = customer.log()
        assert (log.count("PortalAccountReactivated"), log.count("PortalAccountRetired")) == (2, 2)


def test_a_login_at_the_same_time_fails_or_is_logged_out(utility: Utility) -> None:
    for _ in range(ROUNDS):
        customer = utility.customer().active()
        right = duplicate(customer)
        logged_in, answer = at_once([customer.log_in, partial(reactivate, customer, right)])
        assert answer.status_code == 200
        assert logged_in.status_code in (201, 401)
        open_sessions = "SELECT count(*) FROM sessions WHERE customer_id = $1 AND ended_at IS NULL"
        assert value(customer, open_sessions) == 0


def test_a_reset_at_the_same_time_has_one_outcome(utility: Utility) -> None:
    for _ in range(ROUNDS):
        customer = utility.customer().active()
        mine, right = live_account(customer), duplicate(customer)
        reset = partial(utility.employee().post, f"{customer.path}/reset")
        answers = at_once([reset, partial(reactivate, customer, right)])
        assert {answer.status_code for answer in answers} == {200}
        assert states(customer) in ({mine: "retired"}, {right: "live"})
