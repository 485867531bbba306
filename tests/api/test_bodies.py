"""What comes in: JSON alone, read strictly, bounded, and nothing in it that was not asked for."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from app.ids import new_id
from tests.api.expect import fields, problem
from tests.support.world import Customer, Utility

_JSON = {"Content-Type": "application/json"}
_LIMIT = 64 * 1024
_SOMEWHERE_ELSE = "0199d8a0-0000-7000-8000-00000000beef"


def _put(customer: Customer, raw: bytes | Iterator[bytes], **headers: str) -> httpx.Response:
    utility = customer.utility
    url = f"{utility.world.url}/api/portal/v1/customers/{customer.id}"
    return utility.world.http.put(url, content=raw, headers=utility.bearer() | _JSON | headers)


def _unchanged(customer: Customer) -> None:
    card = customer.card()
    assert (card["displayName"], card["contactEmail"]) == ("Jan Peeters", customer.email)
    assert (card["portalStatus"], card["emailConfirmed"]) == ("noaccount", False)
    assert customer.log() == []


def _record(customer: Customer, **changed: Any) -> bytes:
    return json.dumps(customer.record | changed).encode()


def test_a_body_of_64_kib_is_read_and_one_byte_more_is_not(customer: Customer) -> None:
    record = _record(customer)
    assert _put(customer, record.ljust(_LIMIT)).status_code == 200
    body = problem(_put(customer, record.ljust(_LIMIT + 1)), 413, "PAYLOAD_TOO_LARGE")
    assert "64 KiB" in body["detail"] or str(_LIMIT) in body["detail"], "the limit stands in the detail"


def test_a_body_without_content_length_is_bounded_too(customer: Customer) -> None:
    record = _record(customer, displayName="Chunked")

    def chunks(size: int) -> Iterator[bytes]:
        padded = record.ljust(size)
        yield from (padded[start : start + 4096] for start in range(0, size, 4096))

    problem(_put(customer, chunks(_LIMIT + 1)), 413, "PAYLOAD_TOO_LARGE")
    _unchanged(customer)
    assert _put(customer, chunks(_LIMIT)).status_code == 200


def test_a_body_is_bounded_where_none_is_read(customer: Customer) -> None:
    invitation = customer.invite()["id"]
    url = f"{customer.path}/invitations/{invitation}/revoke"
    headers = {"Idempotency-Key": "big-1"}
    answer = customer.utility.employee().post(url, content=b" " * (_LIMIT + 1), headers=headers)
    problem(answer, 413, "PAYLOAD_TOO_LARGE")
    assert customer.card()["pendingInvitation"]["id"] == invitation


@pytest.mark.parametrize(
    "media_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/xml", "nonsense"],
)
def test_a_body_that_is_not_json_is_told_so(customer: Customer, media_type: str) -> None:
    problem(_put(customer, _record(customer), **{"Content-Type": media_type}), 415, "UNSUPPORTED_MEDIA_TYPE")
    _unchanged(customer)


def test_a_body_without_a_type_is_told_so(customer: Customer) -> None:
    utility = customer.utility
    url = f"{utility.world.url}/api/portal/v1/customers/{customer.id}"
    answer = utility.world.http.put(url, content=_record(customer), headers=utility.bearer())
    problem(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize(
    "media_type", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/merge+json"]
)
def test_json_may_call_itself_in_several_ways(customer: Customer, media_type: str) -> None:
    assert _put(customer, _record(customer), **{"Content-Type": media_type}).status_code == 200


def _broken(customer: Customer) -> dict[str, bytes]:
    number = customer.number.encode()
    start = b'{"accountNumber": "' + number + b'", "displayName": '
    return {
        "a key twice": start + b'"Jan", "displayName": "Eva"}',
        "a key twice, once escaped": start + b'"Jan", "display\\u004eame": "Eva"}',
        "a key twice in a list": start + b'"Jan", "contracts": [{"contractId": "a", "contractId": "b"}]}',
        "NaN": start + b"NaN}",
        "Infinity": start + b'"Jan", "contracts": [{"invoiceCount": Infinity}]}',
        "-Infinity": start + b"-Infinity}",
        "half a surrogate": start + b'"Jan \\ud83d"}',
        "the other half": start + b'"Jan \\uDE00"}',
        "surrogates in the wrong order": start + b'"\\ude00\\ud83d"}',
        "half a surrogate as a key": start + b'"Jan", "\\ud800": 1}',
        "NUL escaped": start + b'"Jan\\u0000"}',
        "NUL": start + b'"Jan\x00"}',
        "a raw surrogate": start + b'"Jan \xed\xa0\x80"}',
        "not UTF-8": start + b'"Jan \xff"}',
        "Latin-1": start + '"Amélie"}'.encode("latin-1"),
        "UTF-16": (start + b'"Jan"}').decode().encode("utf-16"),
        "a byte order mark": b"\xef\xbb\xbf" + start + b'"Jan"}',
        "10,000 lists deep": start + b"[" * 10_000 + b"]" * 10_000 + b"}",
        "10,000 objects deep": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        "10,000 brackets, none closed": b"[" * 10_000,
        "a number of 5,000 digits": start + b'"Jan", "contracts": ' + b"9" * 5_000 + b"}",
        "two documents": start + b'"Jan"} {}',
        "a comment": start + b'"Jan" /* hello */}',
        "a trailing comma": start + b'"Jan",}',
        "single quotes": b"{'accountNumber': '1'}",
        "nothing": b"",
        "half": start,
        "null": b"null",
        "a list": b"[]",
        "text": b'"Jan"',
        "a number": b"1",
        "true": b"true",
    }


@pytest.mark.parametrize("name", [*_broken(Customer(None, new_id(), {"accountNumber": "1"}))])  # type: ignore[arg-type]
@pytest.mark.asvs("2.2.1")
def test_json_that_can_be_read_in_two_ways_is_refused(customer: Customer, name: str) -> None:
    problem(_put(customer, _broken(customer)[name]), 422, "VALIDATION_FAILED")
    _unchanged(customer)


def test_brackets_inside_text_are_no_depth(customer: Customer) -> None:
    assert _put(customer, _record(customer, displayName="[{" * 90)).status_code == 200
    assert customer.card()["displayName"] == "[{" * 90


def test_whole_surrogate_pairs_and_any_script_are_fine(customer: Customer) -> None:
    record = b'{"accountNumber": "' + customer.number.encode() + b'", "displayName": "\\ud83d\\ude00 \xe6\x9d\x8e"}'
    assert _put(customer, record).status_code == 200
    assert customer.card()["displayName"] == "😀 李"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("accountNumber", 20019188),
        ("accountNumber", None),
        ("accountNumber", ["20019188"]),
        ("accountNumber", ""),
        ("accountNumber", "   "),
        ("accountNumber", "9" * 65),
        ("displayName", {"first": "Jan"}),
        ("displayName", True),
        ("displayName", "x" * 201),
        ("email", 5),
        ("email", ["a@example.com", "b@example.com"]),
        ("email", {"address": "a@example.com"}),
        ("language", "nl"),
        ("language", "nl_BE"),
        ("language", "NL-be"),
        ("language", 1),
        ("contracts", {}),
        ("contracts", [1]),
        ("contracts", "none"),
        ("documents", [[]]),
    ],
)
@pytest.mark.asvs("2.2.1")
def test_a_wrong_type_or_length_names_its_field(customer: Customer, field: str, value: Any) -> None:
    body = problem(_put(customer, _record(customer, **{field: value})), 422, "VALIDATION_FAILED")
    assert {name.split(".")[0] for name in fields(body)} == {field}
    _unchanged(customer)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "active"),
        ("portalStatus", "active"),
        ("emailConfirmed", True),
        ("organisationId", _SOMEWHERE_ELSE),
        ("organisation_id", _SOMEWHERE_ELSE),
        ("customerId", _SOMEWHERE_ELSE),
        ("tenantId", _SOMEWHERE_ELSE),
        ("roles", ["administrator"]),
        ("permissions", ["portal.impersonate"]),
        ("account_number", "1"),
        ("__proto__", {"admin": True}),
        ("", ""),
    ],
)
@pytest.mark.asvs("15.3.3")
def test_a_field_that_nobody_asked_for_changes_nothing(customer: Customer, field: str, value: Any) -> None:
    body = problem(_put(customer, _record(customer, displayName="Changed", **{field: value})), 422, "VALIDATION_FAILED")
    assert fields(body) <= {field, "body"}
    _unchanged(customer)
    answer = customer.utility.employee().post(f"{customer.path}/invitations", {field: value})
    problem(answer, 422, "VALIDATION_FAILED")
    _unchanged(customer)


def test_registration_takes_no_status_and_no_rights(customer: Customer) -> None:
    token = customer.invited()
    for field, value in {"emailConfirmed": True, "portalStatus": "active", "organisationId": str(new_id())}.items():
        problem(customer.register(token, **{field: value}), 422, "VALIDATION_FAILED")
    assert customer.card()["portalStatus"] == "noaccount"
    assert customer.register(token).json()["portalStatus"] == "notconfirmed"


def test_settings_take_no_tenant(utility: Utility) -> None:
    before = utility.employee().get("/organisation/portal-settings").json()
    for field in ("tenantId", "organisationId", "pageNotifications", "createdDateTime"):
        answer = utility.employee().put("/organisation/portal-settings", {"name": "Changed", field: str(new_id())})
        assert fields(problem(answer, 422, "VALIDATION_FAILED")) == {field}
    assert utility.employee().get("/organisation/portal-settings").json() == before


def test_a_refusal_never_repeats_the_secret_it_was_given(utility: Utility) -> None:
    secret = "correct horse battery staple"
    for body in ({"email": 5, "password": secret}, {"password": secret, "extra": secret}, {"password": [secret]}):
        answer = utility.portal.post("/portal/sessions", body)
        problem(answer, 422, "VALIDATION_FAILED")
        assert secret not in answer.text
