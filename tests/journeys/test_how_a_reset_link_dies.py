"""Each way in which a reset link dies, and what it is useless for."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from tests.journeys.reading import expires_in, inspect, refusal, refused_links, reset_link
from tests.journeys.test_races import count_of
from tests.support.world import NEW_PASSWORD, Customer


def test_a_new_link_ends_the_one_before(active: Customer) -> None:
    old, new = reset_link(active), reset_link(active, 2)
    assert refusal(active.choose_password(old)) == (410, "TOKEN_SUPERSEDED")
    assert count_of(active, "PortalPasswordResetSuperseded") == 1
    assert active.choose_password(new).status_code == 200
    assert refusal(active.choose_password(old)) == (410, "TOKEN_SUPERSEDED")


def test_an_expired_link_sets_no_password(active: Customer) -> None:
    token = reset_link(active)
    expires_in(active.utility, active.card()["pendingPasswordReset"]["id"], timedelta(seconds=-1))
    assert refusal(active.choose_password(token)) == (410, "TOKEN_EXPIRED")
    assert active.log_in().status_code == 201
    assert refused_links(active) == [{"purpose": "passwordreset", "state": "expired"}]


def test_the_organisation_decides_how_long_a_reset_lives(active: Customer) -> None:
    active.utility.change_settings(tokenLifetimes={"passwordResetMinutes": 15})
    reset = active.send_reset().json()
    lives = datetime.fromisoformat(reset["expiresDateTime"]) - datetime.fromisoformat(reset["createdDateTime"])
    assert lives == timedelta(minutes=15)


def _address_changed(customer: Customer) -> None:
    customer.utility.world.sql.run("UPDATE accounts SET email = 'new@example.com' WHERE customer_id = $1", customer.id)


def _retired(customer: Customer) -> None:
    customer.utility.world.sql.run("UPDATE accounts SET state = 'retired' WHERE customer_id = $1", customer.id)


def _deleted(customer: Customer) -> None:
    customer.utility.world.sql.run("DELETE FROM sessions WHERE customer_id = $1", customer.id)
    customer.utility.world.sql.run("DELETE FROM accounts WHERE customer_id = $1", customer.id)


@pytest.mark.parametrize("change", [_address_changed, _retired, _deleted])
def test_a_link_that_has_outlived_its_account_is_withdrawn(
    change: Callable[[Customer], None], active: Customer
) -> None:
    token = reset_link(active)
    before = active.utility.world.sql.rows("SELECT password_hash FROM accounts WHERE customer_id = $1", active.id)
    change(active)
    for _ in range(2):
        assert refusal(active.choose_password(token)) == (410, "TOKEN_REVOKED")
    assert inspect(active.utility, token).json()["state"] == "revoked"
    assert refused_links(active) == [{"purpose": "passwordreset", "state": "revoked"}] * 2
    after = active.utility.world.sql.rows("SELECT password_hash FROM accounts WHERE customer_id = $1", active.id)
    assert after in (before, [])


def test_a_link_of_the_account_before_sets_no_password_of_the_next_one(active: Customer) -> None:
    token = reset_link(active)
    _deleted(active)
    active.active()
    assert refusal(active.choose_password(token)) == (410, "TOKEN_REVOKED")
    assert active.log_in().status_code == 201


def test_a_portal_that_is_off_sets_no_password_and_spends_nothing(active: Customer) -> None:
    token = reset_link(active)
    active.utility.change_settings(portalEnabled=False)
    assert refusal(active.choose_password(token)) == (409, "PORTAL_NOT_ENABLED")
    assert refused_links(active)[0]["key"] == "PORTAL_NOT_ENABLED"
    active.utility.change_settings()
    assert active.choose_password(token).status_code == 200


def test_a_waiting_change_of_address_ends_with_the_old_password(active: Customer) -> None:
    """Whoever knew the old password may have entered an address of their own."""
    token = reset_link(active)
    sql = active.utility.world.sql
    sql.run(
        "INSERT INTO tokens (organisation_id, id, purpose, customer_id, account_id, email, language, state,"
        " created_by_type, created_by_id, expires_at)"
        " SELECT organisation_id, gen_random_uuid(), 'emailconfirmation', customer_id, id, 'thief@example.com',"
        " 'en-GB', 'pending', 'customer', 'x', now() + interval '1 day' FROM accounts WHERE customer_id = $1",
        active.id,
    )
    assert active.choose_password(token).status_code == 200
    assert sql.value("SELECT state FROM tokens WHERE email = 'thief@example.com' AND customer_id = $1", active.id) == (
        "revoked"
    )


# --- forged and misused ----------------------------------------------------------------------------------------


def test_a_damaged_link_is_noise(active: Customer) -> None:
    token = reset_link(active)
    damaged = token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1]
    for noise in (damaged, token + "A", "", "noise", token.upper()):
        assert refusal(active.choose_password(noise)) == (400, "TOKEN_INVALID")
    assert refused_links(active) == []


def test_links_of_other_purposes_set_no_password(customer: Customer) -> None:
    invitation = customer.invited()
    assert refusal(customer.choose_password(invitation)) == (400, "TOKEN_INVALID")
    confirmation = customer.registered()
    assert refusal(customer.choose_password(confirmation)) == (400, "TOKEN_INVALID")
    assert customer.confirm(confirmation).status_code == 200
    reset = reset_link(customer)
    assert refusal(customer.register(reset)) == (400, "TOKEN_INVALID")
    assert refusal(customer.confirm(reset)) == (400, "TOKEN_INVALID")
    assert customer.choose_password(reset).status_code == 200


def test_a_link_is_nothing_at_another_utility(active: Customer) -> None:
    token = reset_link(active)
    stranger = active.utility.world.utility()
    answer = stranger.portal.post("/portal/password-resets/complete", {"token": token, "password": NEW_PASSWORD})
    assert refusal(answer) == (400, "TOKEN_INVALID")
    assert refusal(inspect(stranger, token)) == (400, "TOKEN_INVALID")
    assert active.choose_password(token).status_code == 200


def test_looking_at_the_link_spends_nothing(active: Customer) -> None:
    token = reset_link(active)
    looks = [inspect(active.utility, token) for _ in range(3)]
    assert {look.status_code for look in looks} == {200}
    seen = looks[0].json()
    assert (seen["purpose"], seen["state"]) == ("passwordreset", "pending")
    assert (seen["email"], seen["accountNumberRequired"]) == ("j***@example.com", False)
    assert active.card()["pendingPasswordReset"]["viewedDateTime"] is not None
    assert active.choose_password(token).status_code == 200
    assert inspect(active.utility, token).json()["state"] == "used"


@pytest.mark.parametrize("field", ["status", "emailConfirmed", "email", "customerId"])
def test_a_new_password_changes_nothing_else(field: str, active: Customer) -> None:
    token = reset_link(active)
    assert refusal(active.choose_password(token, **{field: "x"})) == (422, "VALIDATION_FAILED")
    assert active.choose_password(token).status_code == 200
