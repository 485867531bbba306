"""Customers who change their password."""

from typing import Any

import httpx
import pytest

from tests.journeys.reading import refusal, wait_for_jobs
from tests.journeys.test_races import at_once
from tests.support.world import PASSWORD, Client, Customer

NEW = "nine windmills at sea"
OTHER = "ten quiet harbours"
WRONG = "seven cold radiators"
ENDED = (401, "SESSION_ENDED")


@pytest.fixture
def active(customer: Customer) -> Customer:
    """A customer with a confirmed account."""
    return customer.active()


def change(client: Client, **given: Any) -> httpx.Response:
    """The page that changes the password."""
    return client.put("/portal/me/password", {"currentPassword": PASSWORD, "password": NEW} | given)


def notices(customer: Customer) -> list[str]:
    """The subjects of the mails without a link that have come."""
    wait_for_jobs(customer.utility)
    mails = customer.utility.world.mailbox.to(customer.email)
    return [mail.subject for mail in mails if "#token=" not in mail.text]


@pytest.mark.asvs("6.2.2")
def test_a_new_password_counts_at_once_and_the_old_one_no_more(active: Customer) -> None:
    client = active.logged_in()
    answer = change(client, passwordConfirmation=NEW)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"portalStatus": "active", "email": active.email}
    assert active.log_in(password=NEW).status_code == 201
    assert refusal(active.log_in()) == (401, "INVALID_CREDENTIALS")


@pytest.mark.asvs("7.4.3")
def test_other_sessions_end_and_this_one_stays(active: Customer) -> None:
    phone, client, tablet = active.logged_in(), active.logged_in(), active.logged_in()
    assert change(client).status_code == 200
    assert client.get("/portal/me").status_code == 200
    for other in (phone, tablet):
        answer = other.get("/portal/me")
        assert refusal(answer) == ENDED
        assert "clear-site-data" not in answer.headers
    changed, ended = (
        next(entry for entry in active.activities() if entry["type"] == kind)
        for kind in ("PortalPasswordChanged", "PortalSessionsEnded")
    )
    assert changed["actor"] == {"type": "customer", "id": str(active.id), "name": "Jan Peeters"}
    assert ended["payload"] == {"reason": "passwordchanged", "count": 2}


@pytest.mark.asvs("6.3.6")
def test_the_accounts_address_is_told(active: Customer) -> None:
    assert change(active.logged_in()).status_code == 200
    [subject] = notices(active)
    assert "password" in subject
    assert "Zonneveld Warmte" in subject


@pytest.mark.asvs("6.2.3")
def test_a_wrong_current_password_changes_nothing_and_is_remembered(active: Customer) -> None:
    client, phone = active.logged_in(), active.logged_in()
    answer = change(client, currentPassword=WRONG)
    assert refusal(answer) == (401, "INVALID_CREDENTIALS")
    assert answer.json()["title"] == "The current password is wrong"
    assert phone.get("/portal/me").status_code == 200
    assert active.log_in().status_code == 201
    assert notices(active) == []
    failure = next(entry for entry in active.activities() if entry["type"] == "PortalLoginFailed")
    assert failure["payload"] == {"key": "INVALID_CREDENTIALS", "reason": "currentpassword"}
    assert "PortalPasswordChanged" not in active.log()


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"password": "elf chars.."}, "PASSWORD_MINIMUM_LENGTH_12"),
        ({"password": "long " * 60}, "PASSWORD_TOO_LONG"),
        ({"password": "password1234"}, "PASSWORD_TOO_COMMON"),
        ({"password": "Jan Peeters Zonneveld"}, "PASSWORD_TOO_COMMON"),
        ({"passwordConfirmation": OTHER}, "CONFIRM_PASSWORD_DOES_NOT_MATCH"),
        ({"emailConfirmed": True}, "VALIDATION_FAILED"),
        ({"currentPassword": None}, "VALIDATION_FAILED"),
    ],
)
def test_a_password_that_breaks_a_rule_is_refused(given: dict[str, Any], key: str, active: Customer) -> None:
    assert refusal(change(active.logged_in(), **given)) == (422, key)
    assert active.log_in().status_code == 201


def test_the_customers_number_and_address_are_no_password(active: Customer) -> None:
    client = active.logged_in()
    for word in (f"{active.number} {active.number}", active.email):
        assert refusal(change(client, password=word)) == (422, "PASSWORD_TOO_COMMON")


def test_of_two_changes_at_once_one_wins(active: Customer) -> None:
    client = active.logged_in()
    answers = at_once([lambda: change(client, password=NEW), lambda: change(client, password=OTHER)])
    assert sorted(answer.status_code for answer in answers) == [200, 401]
    assert {refusal(answer) for answer in answers if answer.status_code == 401} == {(401, "INVALID_CREDENTIALS")}
    won = NEW if answers[0].status_code == 200 else OTHER
    assert active.log_in(password=won).status_code == 201
    assert active.log().count("PortalPasswordChanged") == 1
    assert active.log().count("PortalLoginFailed") == 1


def test_of_changes_in_two_sessions_at_once_one_session_is_left(active: Customer) -> None:
    clients = [active.logged_in(), active.logged_in()]
    answers = at_once([lambda client=client: change(client) for client in clients])  # type: ignore[misc]
    assert sorted(answer.status_code for answer in answers) == [200, 401]
    assert sorted(client.get("/portal/me").status_code for client in clients) == [200, 401]


def test_a_login_at_the_same_time_fails_or_is_ended(active: Customer) -> None:
    for number in range(6):
        old, new = (PASSWORD, NEW) if number % 2 == 0 else (NEW, PASSWORD)
        client = Client(active.utility.world, _bearer(active, old))
        changed, late = at_once(
            [
                lambda client=client, old=old, new=new: change(client, currentPassword=old, password=new),  # type: ignore[misc]
                lambda old=old: active.log_in(password=old),  # type: ignore[misc]
            ]
        )
        assert changed.status_code == 200
        if late.status_code == 201:
            bearer = {"Authorization": f"Bearer {late.json()['accessToken']}"}
            assert refusal(Client(active.utility.world, bearer).get("/portal/me")) == ENDED
        else:
            assert refusal(late) == (401, "INVALID_CREDENTIALS")


def _bearer(customer: Customer, password: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {customer.log_in(password=password).json()['accessToken']}"}


def test_a_link_to_a_new_address_ends_with_the_old_password(active: Customer) -> None:
    client = active.logged_in()
    thief = f"thief.{active.number}@example.com"
    asked = client.post("/portal/me/email", {"currentPassword": PASSWORD, "email": thief})
    assert asked.status_code == 202
    token = active.mail(1, thief).token
    assert change(client).status_code == 200
    assert refusal(active.confirm(token)) == (410, "TOKEN_REVOKED")
    assert active.card()["email"] == active.email
    assert active.card()["pendingEmailConfirmation"] is None


def test_a_pending_reset_link_ends(active: Customer) -> None:
    client = active.logged_in()
    sql = active.utility.world.sql
    # Sending one is not this journey's business: the row is the whole truth about a link.
    sql.run(
        "INSERT INTO tokens (organisation_id, id, purpose, customer_id, account_id, email, language, state,"
        " created_by_type, created_by_id, expires_at)"
        " SELECT organisation_id, gen_random_uuid(), 'passwordreset', customer_id, id, email, 'en-GB', 'pending',"
        " 'employee', 'employee-7', now() + interval '1 hour' FROM accounts WHERE customer_id = $1",
        active.id,
    )
    assert active.card()["pendingPasswordReset"] is not None
    assert change(client).status_code == 200
    assert active.card()["pendingPasswordReset"] is None
    state = sql.value("SELECT state FROM tokens WHERE customer_id = $1 AND purpose = 'passwordreset'", active.id)
    assert state == "revoked"


def test_no_password_stands_in_the_log(active: Customer) -> None:
    client = active.logged_in()
    change(client, currentPassword=WRONG)
    change(client)
    log = str(active.activities())
    assert not any(word in log for word in (PASSWORD, NEW, WRONG, "argon2"))
