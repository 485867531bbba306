"""The account reset: the account is gone, the customer registers again, what happened stays known."""

from functools import partial
from typing import Any

import pytest

from app.ids import new_id
from tests.journeys.acting import open_token, reset, run, token_state, unchanged, value
from tests.journeys.reading import actions, invitations, refusal, wait_for_jobs
from tests.journeys.test_races import at_once
from tests.support.world import Customer, Utility

ENDED = (401, "SESSION_ENDED")
NO_ACCOUNT = (409, "USER_NOT_FOUND")
ROUNDS = 10


# --- the story -----------------------------------------------------------------------------------------------


@pytest.mark.asvs("7.4.2")
def test_a_reset_deletes_the_account_and_the_customer_registers_again(customer: Customer) -> None:
    client = customer.active().logged_in()
    generation = value(customer, "SELECT generation FROM accounts WHERE customer_id = $1")
    answer = reset(customer, {"reason": "Registered with a neighbour's address"})
    assert answer.status_code == 200, answer.text
    card = answer.json()
    assert card == customer.card()
    assert (card["portalStatus"], card["hasAccount"], card["email"], card["accountCount"]) == (
        "noaccount",
        False,
        None,
        0,
    )
    assert card["contactEmail"] == customer.email
    works = actions(card)
    assert works["sendinvitation"] is None
    assert works["resetaccount"] == works["logoutcustomer"] == "USER_NOT_FOUND"
    assert refusal(client.get("/portal/me")) == ENDED
    assert customer.log()[-2:] == ["PortalAccountReset", "PortalSessionsEnded"]
    assert refusal(customer.log_in()) == (401, "INVALID_CREDENTIALS")
    assert value(customer, "SELECT count(*) FROM accounts WHERE customer_id = $1") == 0
    entry = next(one for one in customer.activities() if one["type"] == "PortalAccountReset")
    assert entry["actor"] == {"type": "employee", "id": "employee-7", "name": "Eva Maes"}
    assert entry["subject"]["type"] == "account"
    assert entry["payload"] == {"reason": "Registered with a neighbour's address", "reinvite": False}
    told = "SELECT account_generation FROM activities WHERE customer_id = $1 AND type = 'PortalAccountReset'"
    assert value(customer, told) == generation
    customer.active()
    assert customer.log_in().status_code == 201
    assert value(customer, "SELECT generation FROM accounts WHERE customer_id = $1") == generation + 1


def test_what_happened_before_stays_known(customer: Customer) -> None:
    customer.active().logged_in()
    document = new_id()
    run(
        customer,
        "INSERT INTO document_views (organisation_id, customer_id, document_id) VALUES ($2, $1, $3)",
        customer.utility.organisation,
        document,
    )
    before = customer.activities()
    assert reset(customer).status_code == 200
    assert [one for one in customer.activities() if one in before] == before
    assert value(customer, "SELECT document_id FROM document_views WHERE customer_id = $1") == document
    assert [one["status"] for one in invitations(customer)] == ["used"]


def test_an_unconfirmed_account_is_reset_too_and_its_link_is_dead(customer: Customer) -> None:
    token = customer.registered()
    assert reset(customer).status_code == 200
    assert refusal(customer.confirm(token)) == (410, "TOKEN_REVOKED")
    assert customer.card()["pendingEmailConfirmation"] is None
    assert customer.log()[-2:] == ["PortalAccountReset", "PortalTokenRefused"]


@pytest.mark.parametrize("purpose", ["invitation", "emailconfirmation", "passwordreset"])
def test_every_link_of_the_customer_ends_and_no_one_elses(purpose: str, customer: Customer) -> None:
    customer.active()
    neighbour = customer.utility.customer()
    mine, theirs = open_token(customer, purpose), open_token(neighbour, purpose)
    assert reset(customer).status_code == 200
    assert token_state(customer, mine) == "revoked"
    assert token_state(neighbour, theirs) == "pending"
    assert ("PortalInvitationRevoked" in customer.log()) is (purpose == "invitation")


def test_an_impersonation_ends_and_its_record_stays(customer: Customer) -> None:
    employee = customer.active().impersonated()
    assert reset(customer).status_code == 200
    assert refusal(employee.get("/portal/me")) == ENDED
    [record] = customer.impersonations()
    assert (record["state"], record["endReason"], record["endedBy"]["id"]) == ("ended", "accountreset", "employee-7")
    assert customer.log()[-1] == "PortalImpersonationEnded"


def test_retired_duplicates_stay(customer: Customer) -> None:
    customer.active()
    duplicate = customer.import_account(live=False).json()
    card = reset(customer).json()
    assert (card["portalStatus"], card["accountCount"]) == ("noaccount", 1)
    assert actions(card)["reactivateaccount"] is None
    assert [one["accountId"] for one in customer.accounts()] == [duplicate["accountId"]]


# --- refusals and repetition ---------------------------------------------------------------------------------


def test_without_an_account_there_is_nothing_to_reset(customer: Customer) -> None:
    customer.invited()
    wait_for_jobs(customer.utility)
    card, log = customer.card(), customer.log()
    assert refusal(reset(customer, {"reinvite": True, "email": "other@example.com"})) == NO_ACCOUNT
    unchanged(customer, card, log)


def test_another_organisation_cannot_reset_the_account(customer: Customer) -> None:
    customer.active()
    stranger = customer.utility.world.utility()
    foreign = stranger.employee().post(f"{customer.path}/reset")
    unknown = stranger.employee().post(f"/customers/{new_id()}/portal/reset")
    assert refusal(foreign) == refusal(unknown) == (404, "CUSTOMER_DOES_NOT_EXIST")
    assert customer.card()["hasAccount"] is True


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ({"reason": ""}, "VALIDATION_FAILED"),
        ({"reason": "   "}, "VALIDATION_FAILED"),
        ({"reason": "x" * 501}, "VALIDATION_FAILED"),
        ({"reason": "a\u0007b"}, "VALIDATION_FAILED"),
        ({"email": "jan@"}, "FIELD_NOT_AN_EMAILADRESS"),
        ({"email": ["jan@example.com"]}, "VALIDATION_FAILED"),
        ({"reinvite": "perhaps"}, "VALIDATION_FAILED"),
        ({"status": "active"}, "VALIDATION_FAILED"),
    ],
)
def test_a_wrong_body_changes_nothing(body: dict[str, Any], key: str, customer: Customer) -> None:
    customer.active()
    card, log = customer.card(), customer.log()
    assert refusal(reset(customer, body)) == (422, key)
    unchanged(customer, card, log)
    assert reset(customer, {"reason": "x" * 500}).status_code == 200


def test_the_same_key_resets_once_and_answers_the_same(customer: Customer) -> None:
    customer.active()
    first = reset(customer, {"reinvite": True}, **{"Idempotency-Key": "reset-1"})
    again = reset(customer, {"reinvite": True}, **{"Idempotency-Key": "reset-1"})
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert refusal(reset(customer, {"reinvite": True})) == NO_ACCOUNT
    assert customer.log().count("PortalAccountReset") == 1
    assert len(invitations(customer)) == 2


# --- two at once ---------------------------------------------------------------------------------------------


def test_two_resets_at_once_are_one(utility: Utility) -> None:
    for _ in range(ROUNDS):
        customer = utility.customer()
        assert customer.import_account().status_code == 201
        answers = at_once([partial(reset, customer, {"reinvite": True})] * 2)
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        assert NO_ACCOUNT in [refusal(answer) for answer in answers if answer.status_code == 409]
        assert customer.log().count("PortalAccountReset") == 1
        assert [one["status"] for one in invitations(customer)] == ["pending"]


def test_a_login_at_the_same_time_fails_or_is_logged_out(utility: Utility) -> None:
    for _ in range(ROUNDS):
        customer = utility.customer().active()
        logged_in, answer = at_once([customer.log_in, partial(reset, customer)])
        assert answer.status_code == 200
        if logged_in.status_code == 201:
            bearer = {"Authorization": f"Bearer {logged_in.json()['accessToken']}"}
            me = utility.world.http.get(f"{utility.world.url}/api/portal/v1/portal/me", headers=bearer)
            assert refusal(me) == ENDED
        else:
            assert refusal(logged_in) == (401, "INVALID_CREDENTIALS")
        open_sessions = "SELECT count(*) FROM sessions WHERE customer_id = $1 AND ended_at IS NULL"
        assert value(customer, open_sessions) == 0


def test_a_confirmation_at_the_same_time_has_one_outcome(utility: Utility) -> None:
    for _ in range(ROUNDS):
        customer = utility.customer()
        token = customer.registered()
        confirmed, answer = at_once([partial(customer.confirm, token), partial(reset, customer)])
        assert answer.status_code == 200
        assert customer.card()["portalStatus"] == "noaccount"
        if confirmed.status_code != 200:
            assert refusal(confirmed) == (410, "TOKEN_REVOKED")
        assert customer.log().count("PortalEmailConfirmed") == (1 if confirmed.status_code == 200 else 0)


def test_a_registration_at_the_same_time_has_one_outcome(utility: Utility) -> None:
    for _ in range(ROUNDS):
        customer = utility.customer()
        token = customer.invited()
        registered, answer = at_once([partial(customer.register, token), partial(reset, customer)])
        assert registered.status_code == 201
        gone = answer.status_code == 200
        assert gone or refusal(answer) == NO_ACCOUNT
        assert customer.card()["portalStatus"] == ("noaccount" if gone else "notconfirmed")
