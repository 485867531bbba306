"""Accounts of older systems: taken over with their dates and the hash of their password."""

import base64
import hashlib
import json
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import bcrypt
import pytest
from argon2 import PasswordHasher

from app.clock import utc_now
from app.ids import new_id
from tests.api.expect import fields, problem
from tests.journeys.acting import value
from tests.journeys.reading import actions, invitations, newest_mail, refusal
from tests.journeys.test_races import at_once
from tests.support.world import PASSWORD, Customer, Utility

REFUSED = (401, "INVALID_CREDENTIALS")
SHORT = "old & short"  # the older system asked for less than twelve characters


def hashed(password: str, scheme: str) -> str:
    """As an older system kept it."""
    if scheme == "argon2":
        return PasswordHasher(time_cost=1, memory_cost=1024, parallelism=2).hash(password)
    if scheme == "pbkdf2":
        raw = hashlib.pbkdf2_hmac("sha256", password.encode(), b"lPFgsQ7CfDZb", 1000)
        return f"pbkdf2_sha256$1000$lPFgsQ7CfDZb${base64.b64encode(raw).decode()}"
    return bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(4)).decode().replace("$2b$", f"${scheme}$")


def kept_hash(customer: Customer) -> str:
    return str(value(customer, "SELECT password_hash FROM accounts WHERE customer_id = $1"))


def test_a_live_account_is_there_at_once_with_its_dates(customer: Customer) -> None:
    answer = customer.import_account(email=f"old.{customer.number}@Example.com")
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert body == {
        "accountId": body["accountId"],
        "email": f"old.{customer.number}@example.com",
        "state": "live",
        "portalStatus": "active",
        "registeredDateTime": "2021-03-04T09:12:45Z",
        "emailConfirmedDateTime": "2021-03-04T09:20:02Z",
        "lastActiveDateTime": None,
        "imported": True,
    }
    assert customer.accounts() == [body]
    card = customer.card()
    assert (card["portalStatus"], card["email"], card["accountCount"]) == ("active", body["email"], 1)
    assert card["registeredDateTime"] == "2021-03-04T09:12:45Z"
    assert card["contactEmail"] == customer.email
    assert customer.log() == ["PortalAccountImported"]
    [entry] = customer.activities()
    assert entry["actor"]["id"] == "employee-7"
    assert entry["subject"] == {"type": "account", "id": body["accountId"]}
    assert entry["payload"] == {"email": "o***@example.com", "state": "live", "withPassword": False}


@pytest.mark.parametrize("scheme", ["argon2", "pbkdf2", "2a", "2b", "2y"])
def test_the_old_password_works_and_its_hash_is_replaced_at_the_first_login(scheme: str, customer: Customer) -> None:
    old = hashed(SHORT, scheme)
    assert customer.import_account(passwordHash=old).status_code == 201
    for wrong in (SHORT + "!", SHORT.upper(), PASSWORD):
        assert refusal(customer.log_in(password=wrong)) == REFUSED
    assert kept_hash(customer) == old
    assert customer.log_in(password=SHORT).status_code == 201
    ours = kept_hash(customer)
    assert ours.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert customer.log_in(password=SHORT).status_code == 201
    assert kept_hash(customer) == ours
    assert refusal(customer.log_in(password=SHORT + "!")) == REFUSED


def test_two_first_logins_at_once_both_succeed(utility: Utility) -> None:
    for _ in range(10):
        customer = utility.customer()
        customer.import_account(passwordHash=hashed(PASSWORD, "2b"))
        answers = at_once([customer.log_in] * 2)
        assert {answer.status_code for answer in answers} == {201}
        assert customer.log() == ["PortalAccountImported", "PortalLoginSucceeded", "PortalLoginSucceeded"]


def test_bcrypts_72_bytes_open_the_account_once_and_the_whole_password_from_then_on(customer: Customer) -> None:
    longer = PASSWORD * 5
    customer.import_account(passwordHash=hashed(longer, "2b"))
    assert customer.log_in(password=longer).status_code == 201
    assert refusal(customer.log_in(password=longer[:72])) == REFUSED
    assert customer.log_in(password=longer).status_code == 201


def test_without_a_hash_nobody_logs_in(customer: Customer) -> None:
    customer.import_account()
    for password in (PASSWORD, "", "None", "nobody's password, verified when there is no account"):
        answer = customer.log_in(password=password)
        assert refusal(answer) == (REFUSED if password else (422, "VALIDATION_FAILED"))


def test_an_unconfirmed_account_confirms_its_address_first(customer: Customer) -> None:
    customer.import_account(emailConfirmedDateTime=None, passwordHash=hashed(PASSWORD, "2b"))
    assert customer.card()["portalStatus"] == "notconfirmed"
    assert refusal(customer.log_in()) == (403, "EMAIL_NOT_CONFIRMED")
    assert customer.utility.employee().post(f"{customer.path}/email-confirmations").status_code == 201
    assert customer.confirm(newest_mail(customer.utility, customer.email, "confirm-email").token).status_code == 200
    assert customer.log_in().status_code == 201


def test_unless_told_otherwise_an_account_is_kept_as_a_duplicate(customer: Customer) -> None:
    customer.active()
    body = {
        "email": customer.email,
        "registeredDateTime": "2019-01-01T00:00:00Z",
        "emailConfirmedDateTime": "2019-01-01T00:00:00Z",
        "passwordHash": hashed(SHORT, "2b"),
    }
    answer = customer.utility.employee().post(f"{customer.path}/accounts", body)
    assert answer.status_code == 201
    assert answer.json()["state"] == "retired"
    card = customer.card()
    assert (card["portalStatus"], card["accountCount"]) == ("active", 2)
    assert actions(card)["reactivateaccount"] is None
    assert refusal(customer.log_in(password=SHORT)) == REFUSED
    assert customer.log_in().status_code == 201


def test_a_second_live_account_is_refused_and_nothing_is_written(customer: Customer) -> None:
    customer.active()
    card, log = customer.card(), customer.log()
    answer = customer.import_account(passwordHash=hashed(SHORT, "2b"))
    assert refusal(answer) == (409, "USER_ALREADY_EXISTS")
    assert customer.card() == card
    assert customer.log() == log


def test_a_live_account_ends_the_pending_invitation_and_a_duplicate_does_not(customer: Customer) -> None:
    token = customer.invited()
    assert customer.import_account(live=False).status_code == 201
    assert [one["status"] for one in invitations(customer)] == ["pending"]
    assert customer.import_account().status_code == 201
    assert [one["status"] for one in invitations(customer)] == ["revoked"]
    assert customer.card()["pendingInvitation"] is None
    assert customer.log()[-2:] == ["PortalAccountImported", "PortalInvitationRevoked"]
    assert refusal(customer.register(token)) == (410, "TOKEN_REVOKED")
    assert customer.card()["accountCount"] == 2


def test_no_mail_tells_the_customer(customer: Customer) -> None:
    customer.import_account()
    assert value(customer, "SELECT count(*) FROM communications WHERE customer_id = $1") == 0


# --- what is refused -----------------------------------------------------------------------------------------


def soon(**later: int) -> str:
    """A moment from now."""
    moment: datetime = utc_now() + timedelta(**later)
    return moment.isoformat()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"registeredDateTime": soon(days=1), "emailConfirmedDateTime": None}, "registeredDateTime"),
        ({"emailConfirmedDateTime": soon(days=1)}, "emailConfirmedDateTime"),
        ({"emailConfirmedDateTime": "2021-03-04T09:12:44Z"}, "emailConfirmedDateTime"),
        ({"registeredDateTime": "yesterday"}, "registeredDateTime"),
        ({"registeredDateTime": "2021-03-04T09:12:45"}, "registeredDateTime"),
        ({"registeredDateTime": None}, "registeredDateTime"),
        ({"passwordHash": "5f4dcc3b5aa765d61d8327deb882cf99"}, "passwordHash"),
        ({"passwordHash": PASSWORD}, "passwordHash"),
        ({"passwordHash": ""}, "passwordHash"),
        ({"passwordHash": "$2b$15$" + "a" * 21 + "O" + "b" * 31}, "passwordHash"),
        ({"passwordHash": "pbkdf2_sha256$2000001$salt$" + "a" * 42 + "A="}, "passwordHash"),
        ({"passwordHash": "x" * 501}, "passwordHash"),
        ({"passwordHash": 7}, "passwordHash"),
        ({"live": "perhaps"}, "live"),
        ({"state": "live"}, "state"),
        ({"imported": False}, "imported"),
        ({"accountId": "0199d8a0-0000-7000-8000-00000000beef"}, "accountId"),
        ({"portalStatus": "active"}, "portalStatus"),
        ({"organisationId": "0199d8a0-0000-7000-8000-00000000beef"}, "organisationId"),
    ],
    ids=lambda given: json.dumps(given)[:24] if isinstance(given, dict) else "",
)
def test_a_wrong_body_is_refused_by_the_name_of_its_field(
    given: dict[str, Any], field: str, customer: Customer
) -> None:
    answer = customer.import_account(**given)
    assert fields(problem(answer, 422, "VALIDATION_FAILED")) == {field}
    for secret in (text for text in given.values() if isinstance(text, str) and len(text) > 10):
        assert secret not in answer.text
    assert customer.accounts() == []
    assert customer.log() == []


def test_what_is_no_address_is_refused(customer: Customer) -> None:
    for email in ("jan@", "a@x.example,b@y.example", "jan@example.com\r\nBcc: eve@example.com"):
        assert refusal(customer.import_account(email=email)) == (422, "FIELD_NOT_AN_EMAILADRESS")
    assert customer.accounts() == []


def test_another_organisations_customer_is_not_there(customer: Customer) -> None:
    customer.import_account()
    stranger = customer.utility.world.utility().employee()
    body = {"email": customer.email, "registeredDateTime": "2021-03-04T09:12:45Z"}
    unknown = f"/customers/{new_id()}/portal/accounts"
    for path in (f"{customer.path}/accounts", unknown):
        assert refusal(stranger.post(path, body)) == (404, "CUSTOMER_DOES_NOT_EXIST")
        assert refusal(stranger.get(path)) == (404, "CUSTOMER_DOES_NOT_EXIST")
    assert len(customer.accounts()) == 1


# --- the hash is nowhere but in its row ----------------------------------------------------------------------


def test_no_answer_and_no_entry_of_the_log_shows_the_hash(customer: Customer) -> None:
    digest = hashed(SHORT, "pbkdf2")
    given = {"email": customer.email, "registeredDateTime": "2021-03-04T09:12:45Z", "passwordHash": digest}
    employee = customer.utility.employee()
    path, key = f"{customer.path}/accounts", {"Idempotency-Key": "import-1"}
    seen = [employee.post(path, given, headers=key).text, employee.post(path, given, headers=key).text]
    seen += [employee.post(path, given | {"live": True}).text, employee.post(path, given | {"live": True}).text]
    seen += [employee.get(path).text, json.dumps(customer.card()), json.dumps(customer.activities())]
    tables = "SELECT string_agg(t::text, '') FROM {} t WHERE organisation_id = $1"
    for table in ("activities", "idempotency_answers", "customers"):
        seen.append(str(customer.utility.world.sql.value(tables.format(table), customer.utility.organisation)))
    for part in (digest, digest.rpartition("$")[2]):
        assert not [text for text in seen if part in text]


# --- the list ------------------------------------------------------------------------------------------------


def test_the_list_shows_the_account_registered_last_first(customer: Customer) -> None:
    assert customer.accounts() == []
    customer.active()
    for year in ("2015", "2019", "2017"):
        moment = f"{year}-01-01T00:00:00Z"
        given = {"live": False, "registeredDateTime": moment, "emailConfirmedDateTime": None}
        assert customer.import_account(**given).status_code == 201
    listed = customer.accounts()
    assert [one["registeredDateTime"][:4] for one in listed[1:]] == ["2019", "2017", "2015"]
    assert [one["state"] for one in listed] == ["live", "retired", "retired", "retired"]
    assert [one["imported"] for one in listed] == [False, True, True, True]
    assert [one["portalStatus"] for one in listed] == ["active", *["notconfirmed"] * 3]


def test_the_list_comes_in_pages_also_when_dates_are_equal(customer: Customer) -> None:
    for _ in range(5):
        customer.import_account(live=False)
    employee, found, token = customer.utility.employee(), [], ""
    while True:
        page = employee.get(f"{customer.path}/accounts?pageSize=2{token}").json()
        found += page["results"]
        if not page["hasNextPage"]:
            break
        token = f"&continuationToken={page['nextPageToken']}"
    assert found == customer.accounts()
    assert len({one["accountId"] for one in found}) == 5


# --- repetition, two at once ---------------------------------------------------------------------------------


def test_the_same_key_imports_once(customer: Customer) -> None:
    path, key = f"{customer.path}/accounts", {"Idempotency-Key": "import-1"}
    body = {"email": customer.email, "registeredDateTime": "2021-03-04T09:12:45Z"}
    first, again = (customer.utility.employee().post(path, body, headers=key) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert len(customer.accounts()) == 1


def test_of_two_live_imports_at_once_one_wins(utility: Utility) -> None:
    for _ in range(10):
        customer = utility.customer()
        answers = at_once([customer.import_account] * 2)
        assert sorted(answer.status_code for answer in answers) == [201, 409]
        assert [one["state"] for one in customer.accounts()] == ["live"]
        assert customer.log() == ["PortalAccountImported"]


def test_a_registration_and_a_live_import_at_once_make_one_account(utility: Utility) -> None:
    for _ in range(10):
        customer = utility.customer()
        token = customer.invited()
        registered, imported = at_once([partial(customer.register, token), customer.import_account])
        assert sorted([registered.status_code, imported.status_code]) in ([201, 409], [201, 410])
        if imported.status_code == 201:
            assert refusal(registered) == (410, "TOKEN_REVOKED")
        else:
            assert refusal(imported) == (409, "USER_ALREADY_EXISTS")
        assert [one["state"] for one in customer.accounts()] == ["live"]
