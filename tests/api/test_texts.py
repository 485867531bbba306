"""Names and addresses: nothing in them steers a terminal, a mail or a second recipient."""

import json

import pytest

from tests.api.expect import fields, problem
from tests.support.world import Customer, Utility

_ADDRESS_KEY = "FIELD_NOT_AN_EMAILADRESS"  # spelt as the platform spells it (contract section 2)

_STEERING = ["\r\n", "\n", "\r", "\x1b[31m", "\x07", "\x7f", "\x85", "\u2028", "\u2029", "\ue000", "\x00"]


@pytest.mark.parametrize("steering", _STEERING, ids=ascii)
def test_a_name_does_not_steer_terminals_mails_or_files(customer: Customer, steering: str) -> None:
    name = f"Jan{steering}Bcc: eve@example.com"
    for field in ("displayName", "accountNumber"):
        problem(customer.save(**{field: name}), 422, "VALIDATION_FAILED")
    settings = {"name": name, "portalEnabled": True}
    problem(customer.utility.employee().put("/organisation/portal-settings", settings), 422, "VALIDATION_FAILED")
    settings = {"name": "Fine", "sender": {"name": name}}
    problem(customer.utility.employee().put("/organisation/portal-settings", settings), 422, "VALIDATION_FAILED")
    assert customer.card()["displayName"] == "Jan Peeters"


def test_a_name_that_looks_like_a_formula_or_markup_is_a_name(customer: Customer) -> None:
    for name in ("=cmd|' /C calc'!A0", "<b>Jan</b>", "{{ 7 * 7 }}", "%s %n", "'; DROP TABLE customers; --"):
        answer = customer.save(displayName=name)
        assert answer.status_code == 200
        assert answer.json()["displayName"] == name
        assert customer.card()["displayName"] == name


def test_spaces_around_a_name_are_left_out(customer: Customer) -> None:
    assert customer.save(displayName="  Jan Peeters  ").json()["displayName"] == "Jan Peeters"


_NO_ADDRESSES = [
    "noise",
    "@example.com",
    "jan@",
    "jan@@example.com",
    "jan peeters@example.com",
    "a@example.com,b@example.com",
    "a@example.com;b@example.com",
    "a@example.com b@example.com",
    "a@example.com\r\nBcc: b@example.com",
    "a@example.com%0d%0aBcc:b@example.com\n",
    "Jan <jan@example.com>",
    "<jan@example.com>",
    "jan@localhost",
    "jan@[127.0.0.1]",
    "jan@-example.com",
    "jan@exa_mple.com",
    "jan\uff20example.com",
    "j\u212aan@example.com",
    "j\u0131an@example.com",
    "jan\u200b@example.com",
    "\u202ejan@example.com",
    "jan@example.com\u0000",
    '"jan peeters"@example.com',
    "jan(comment)@example.com",
    ".jan@example.com",
]


@pytest.mark.parametrize("wrong", _NO_ADDRESSES, ids=ascii)
def test_what_is_no_single_address_is_refused_by_its_own_key(customer: Customer, wrong: str) -> None:
    before = len(customer.utility.world.mailbox.mails)
    if "\u0000" in wrong:
        problem(customer.save(email=wrong), 422, "VALIDATION_FAILED")
        return
    for answer in (
        customer.save(email=wrong),
        customer.utility.employee().post(f"{customer.path}/invitations", {"email": wrong}),
        customer.utility.portal.post("/portal/email-confirmations/resend", {"email": wrong}),
    ):
        assert fields(problem(answer, 422, _ADDRESS_KEY)) == {"email"}
        assert {error["key"] for error in answer.json()["errors"]} == {_ADDRESS_KEY}
    assert customer.card()["contactEmail"] == customer.email
    assert customer.log() == []
    mine = [mail for mail in customer.utility.world.mailbox.mails[before:] if mail.to in wrong]
    assert mine == []


def test_an_address_and_another_fault_together_are_a_failed_validation(customer: Customer) -> None:
    body = problem(customer.save(email="noise", language="noise"), 422, "VALIDATION_FAILED")
    assert {error["field"]: error["key"] for error in body["errors"]} == {
        "email": _ADDRESS_KEY,
        "language": "VALIDATION_FAILED",
    }


def test_an_array_or_a_second_key_adds_no_recipient(customer: Customer) -> None:
    employee, path = customer.utility.employee(), f"{customer.path}/invitations"
    problem(employee.post(path, {"email": [customer.email, "eve@example.com"]}), 422, "VALIDATION_FAILED")
    twice = f'{{"email": {json.dumps(customer.email)}, "email": "eve@example.com"}}'.encode()
    answer = employee.post(path, content=twice, headers={"Content-Type": "application/json"})
    problem(answer, 422, "VALIDATION_FAILED")
    assert customer.log() == []


def test_a_look_alike_domain_is_another_address(customer: Customer) -> None:
    answer = customer.save(email="jan@ex\u0430mple.com")  # a Cyrillic a
    assert answer.status_code == 200
    stored = answer.json()["email"]
    assert stored.isascii()
    assert stored != "jan@example.com"
    assert stored.startswith("jan@xn--")


def test_asking_with_a_look_alike_mails_nobody_else(customer: Customer) -> None:
    customer.registered()
    domain = customer.email.replace("example.com", "ex\u0430mple.com")
    assert customer.utility.portal.post("/portal/email-confirmations/resend", {"email": domain}).status_code == 202
    again = customer.utility.portal.post("/portal/email-confirmations/resend", {"email": customer.email})
    assert again.status_code == 202
    customer.mail(3)
    assert customer.log().count("PortalEmailConfirmationSent") == 2, "the look-alike sent none"


def test_the_problem_says_what_to_do(utility: Utility) -> None:
    answer = utility.portal.post("/portal/email-confirmations/resend", {"email": "noise"})
    body = problem(answer, 422, _ADDRESS_KEY)
    assert "address" in body["solution"]


@pytest.mark.parametrize("name", ["Eva\r\nBcc: eve@example.com", "\x1b[31mEva", "Eva\x00Maes"], ids=ascii)
def test_an_employees_name_steers_nothing_either(customer: Customer, name: str) -> None:
    answer = customer.utility.employee(name=name).post(f"{customer.path}/invitations")
    assert answer.status_code in (201, 401), answer.text
    if answer.status_code == 201:
        assert answer.json()["createdBy"]["name"].isprintable()
