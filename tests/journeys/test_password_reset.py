"""A password reset: an employee sends the link, the customer chooses a new password, everything older ends."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from tests.journeys.reading import actions, newest_mail, refusal, refused_links, reset_link, wait_for_jobs
from tests.journeys.test_races import at_once, count_of
from tests.support.world import NEW_PASSWORD, PASSWORD, Customer, Utility

# --- the story -------------------------------------------------------------------------------------------------


def test_an_employee_sends_a_link_and_the_card_shows_it(active: Customer) -> None:
    answer = active.send_reset()
    assert answer.status_code == 201
    reset = answer.json()
    assert (reset["email"], reset["status"], reset["customerId"]) == (active.email, "pending", str(active.id))
    assert reset["createdBy"] == {"type": "employee", "id": "employee-7", "name": "Eva Maes"}
    lives = datetime.fromisoformat(reset["expiresDateTime"]) - datetime.fromisoformat(reset["createdDateTime"])
    assert lives == timedelta(minutes=60)
    mail = newest_mail(active.utility, active.email, "reset-password")
    assert mail.page == "https://portal.example.com/reset-password"
    assert mail.token in mail.html
    assert mail.token not in answer.text
    assert active.card()["pendingPasswordReset"]["id"] == reset["id"]
    assert active.log()[-1] == "PortalPasswordResetSent"


@pytest.mark.asvs("7.4.3")
def test_the_new_password_works_and_everything_older_ends(active: Customer) -> None:
    phone, laptop = active.logged_in(), active.logged_in()
    token = reset_link(active)
    assert active.log_in().status_code == 201, "a link that nobody used changes nothing"
    answer = active.choose_password(token, passwordConfirmation=NEW_PASSWORD)
    assert answer.status_code == 200
    assert answer.json() == {"portalStatus": "active", "email": active.email}
    for device in (phone, laptop):
        assert refusal(device.get("/portal/me")) == (401, "SESSION_ENDED")
    assert refusal(active.log_in()) == (401, "INVALID_CREDENTIALS")
    assert active.log_in(password=NEW_PASSWORD).status_code == 201
    assert active.card()["pendingPasswordReset"] is None


def test_nobody_is_logged_in_by_a_new_password(active: Customer) -> None:
    answer = active.choose_password(reset_link(active))
    assert "accessToken" not in answer.text
    assert "set-cookie" not in answer.headers
    assert active.utility.world.sql.value("SELECT count(*) FROM sessions WHERE customer_id = $1", active.id) == 0


@pytest.mark.asvs("6.3.6")
def test_the_customer_is_told_of_the_new_password(active: Customer) -> None:
    token = reset_link(active)
    wait_for_jobs(active.utility)
    before = len(active.utility.world.mailbox.to(active.email))
    active.choose_password(token)
    notice = active.mail(before + 1)
    assert "#token=" not in notice.text
    assert NEW_PASSWORD not in notice.text
    kinds = active.utility.world.sql.rows(
        "SELECT kind, automatic FROM communications WHERE customer_id = $1 ORDER BY created_at DESC LIMIT 1", active.id
    )
    assert kinds == [{"kind": "passwordchanged", "automatic": True}]


def test_the_log_tells_the_whole_story(active: Customer) -> None:
    active.logged_in()
    before = len(active.log())
    active.choose_password(reset_link(active))
    assert active.log()[before:] == [
        "PortalPasswordResetSent",
        "PortalPasswordResetCompleted",
        "PortalSessionsEnded",
    ]
    ended, completed, *_ = [entry for entry in active.activities() if not entry["type"].startswith("PortalCommun")]
    assert completed["actor"] == {"type": "customer", "id": str(active.id), "name": "Jan Peeters"}
    assert completed["subject"]["type"] == "passwordreset"
    assert ended["payload"] == {"reason": "passwordreset", "count": 1}
    for secret in (NEW_PASSWORD, PASSWORD, active.email, "argon2"):
        assert secret not in str(active.activities())


@pytest.mark.asvs("6.5.1")
def test_a_link_is_good_for_one_password(active: Customer) -> None:
    token = reset_link(active)
    assert active.choose_password(token).status_code == 200
    assert refusal(active.choose_password(token, password="another cold windmill")) == (410, "TOKEN_USED")
    assert active.log_in(password=NEW_PASSWORD).status_code == 201
    assert refused_links(active) == [{"purpose": "passwordreset", "state": "used"}]


def test_sending_twice_with_one_key_sends_once(active: Customer) -> None:
    first, again = active.send_reset(**{"Idempotency-Key": "k-1"}), active.send_reset(**{"Idempotency-Key": "k-1"})
    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert again.headers["idempotency-replayed"] == "true"
    assert count_of(active, "PortalPasswordResetSent") == 1
    assert refusal(active.send_reset({}, **{"Idempotency-Key": "k-1"})) == (422, "IDEMPOTENCY_KEY_REUSED")


# --- who gets none ---------------------------------------------------------------------------------------------


def test_without_an_account_there_is_nothing_to_reset(customer: Customer) -> None:
    assert refusal(customer.send_reset()) == (409, "USER_NOT_FOUND")
    assert actions(customer.card())["sendpasswordreset"] == "USER_NOT_FOUND"


def test_an_unproven_address_gets_no_reset(customer: Customer) -> None:
    customer.registered()
    assert refusal(customer.send_reset()) == (409, "EMAIL_NOT_CONFIRMED")
    assert actions(customer.card())["sendpasswordreset"] == "EMAIL_NOT_CONFIRMED"
    assert "PortalPasswordResetSent" not in customer.log()


@pytest.mark.parametrize(
    ("settings", "key"), [({"portalEnabled": False}, "PORTAL_NOT_ENABLED"), ({"portalUrl": None}, "PORTAL_URL_MISSING")]
)
def test_without_a_portal_nothing_is_sent(settings: dict[str, Any], key: str, active: Customer) -> None:
    active.utility.change_settings(**settings)
    assert refusal(active.send_reset()) == (409, key)
    assert actions(active.card())["sendpasswordreset"] == key


def test_another_utilitys_customer_is_unknown(active: Customer) -> None:
    stranger = active.utility.world.utility().employee()
    assert refusal(stranger.post(f"{active.path}/password-resets")) == (404, "CUSTOMER_DOES_NOT_EXIST")
    assert "PortalPasswordResetSent" not in active.log()


@pytest.mark.parametrize("body", [{"email": "thief@example.com"}, {"password": NEW_PASSWORD}, ["thief@example.com"]])
def test_nobody_chooses_where_the_link_goes(body: Any, active: Customer) -> None:
    assert refusal(active.send_reset(body)) == (422, "VALIDATION_FAILED")
    assert "PortalPasswordResetSent" not in active.log()
    assert active.send_reset({}).status_code == 201


# --- passwords that are refused --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"password": "eleven char"}, "PASSWORD_MINIMUM_LENGTH_12"),
        ({"password": "long " * 52}, "PASSWORD_TOO_LONG"),
        ({"password": "password1234"}, "PASSWORD_TOO_COMMON"),
        ({"password": "Zonneveld Warmte"}, "PASSWORD_TOO_COMMON"),
        ({"password": "Jan Peeters 1"}, "PASSWORD_TOO_COMMON"),
        ({"passwordConfirmation": "nine cold windmill"}, "CONFIRM_PASSWORD_DOES_NOT_MATCH"),
    ],
)
def test_a_refused_password_leaves_the_link_usable(given: dict[str, str], key: str, active: Customer) -> None:
    token = reset_link(active)
    assert refusal(active.choose_password(token, **given)) == (422, key)
    assert active.log_in().status_code == 201
    assert active.choose_password(token).status_code == 200


def test_the_customers_own_number_and_address_are_no_passwords(active: Customer) -> None:
    token = reset_link(active)
    for password in (f"{active.number}{active.number}", active.email):
        assert refusal(active.choose_password(token, password=password)) == (422, "PASSWORD_TOO_COMMON")


# --- several at once -------------------------------------------------------------------------------------------


def test_twenty_passwords_by_one_link_at_once_are_one(active: Customer) -> None:
    token = reset_link(active)
    passwords = [f"{NEW_PASSWORD} number {number}" for number in range(20)]
    answers = at_once([partial(active.choose_password, token, password=password) for password in passwords])
    [winner] = [password for password, answer in zip(passwords, answers, strict=True) if answer.status_code == 200]
    losers = [answer for answer in answers if answer.status_code != 200]
    assert {refusal(answer) for answer in losers} == {(410, "TOKEN_USED")}
    assert len(losers) == 19
    assert active.log_in(password=winner).status_code == 201
    assert count_of(active, "PortalPasswordResetCompleted") == 1
    assert count_of(active, "PortalTokenRefused") == 19
    wait_for_jobs(active.utility)
    notices = active.utility.world.sql.value(
        "SELECT count(*) FROM communications WHERE customer_id = $1 AND kind = 'passwordchanged'", active.id
    )
    assert notices == 1


def test_two_links_at_once_leave_exactly_one(utility: Utility) -> None:
    for _ in range(10):
        customer = utility.customer().active()
        answers = at_once([customer.send_reset] * 2)
        assert [answer.status_code for answer in answers] == [201, 201]
        states = utility.world.sql.rows(
            "SELECT state FROM tokens WHERE customer_id = $1 AND purpose = 'passwordreset' ORDER BY state", customer.id
        )
        assert [row["state"] for row in states] == ["pending", "superseded"]


def test_a_new_password_and_a_login_at_once_leave_no_session_of_the_old_one(utility: Utility) -> None:
    for _ in range(10):
        customer = utility.customer().active()
        token = reset_link(customer)
        completed, logged_in = at_once([partial(customer.choose_password, token), customer.log_in])
        assert completed.status_code == 200
        live = utility.world.sql.value(
            "SELECT count(*) FROM sessions WHERE customer_id = $1 AND ended_at IS NULL", customer.id
        )
        assert live == 0, logged_in.text
