"""Every refusal has the contract's status and stands, with an example, where the document describes it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest

from app import errors
from app.errors import PortalError
from app.main import create_app
from app.routers.errors import status_of
from tests.support.service import test_settings

# Contract section 2 and 11, as far as this version has them.
STATUSES = {
    "CUSTOMER_DOES_NOT_EXIST": {404},
    "RESOURCE_NOT_FOUND": {404},
    "UNAUTHENTICATED": {401},
    "ORGANISATION_HEADER_INVALID": {400},
    "PERMISSION_INVALID": {403},
    "PORTAL_NOT_ENABLED": {409},
    "PORTAL_URL_MISSING": {409},
    "FEATURE_NOT_ENABLED": {409},
    "USER_HAS_NO_EMAIL_ADDRESS": {409},
    "FIELD_NOT_AN_EMAILADRESS": {422},
    "USER_ALREADY_EXISTS": {409},
    "USER_NOT_FOUND": {409},
    "EMAIL_NOT_CONFIRMED": {409, 403},
    "EMAIL_ALREADY_CONFIRMED": {409},
    "COMMUNICATION_NOT_RESENDABLE": {409},
    "TOKEN_INVALID": {400},
    "TOKEN_EXPIRED": {410},
    "TOKEN_USED": {410},
    "TOKEN_SUPERSEDED": {410},
    "TOKEN_REVOKED": {410},
    "CUSTOMER_NUMBER_MISMATCH": {422},
    "CUSTOMER_NUMBER_REQUIRED": {409},
    "PASSWORD_MINIMUM_LENGTH_12": {422},
    "PASSWORD_TOO_LONG": {422},
    "PASSWORD_TOO_COMMON": {422},
    "CONFIRM_PASSWORD_DOES_NOT_MATCH": {422},
    "INVALID_CREDENTIALS": {401},
    "SESSION_ENDED": {401},
    "IMPERSONATION_READ_ONLY": {403},
    "NOT_ALLOWED_WHILE_IMPERSONATING": {403},
    "TOO_MANY_REQUESTS": {429},
    "VALIDATION_FAILED": {422},
    "INVALID_URL": {422},
    "IDEMPOTENCY_KEY_REUSED": {422},
    "IDEMPOTENCY_IN_PROGRESS": {409},
    "METHOD_NOT_ALLOWED": {405},
    "PAYLOAD_TOO_LARGE": {413},
    "UNSUPPORTED_MEDIA_TYPE": {415},
    "INTERNAL_ERROR": {500},
    "TEMPORARILY_UNAVAILABLE": {503},
    # Our own, where the contract is silent.
    "ROLE_ALREADY_EXISTS": {409},
    "ROLE_IN_USE": {409},
    "ROLE_ALREADY_ASSIGNED": {409},
    "LAST_ADMINISTRATOR": {409},
    "WEBHOOK_ENDPOINT_LIMIT_REACHED": {409},
    "WEBHOOK_ENDPOINT_DISABLED": {409},
}
_COMMON = {"UNAUTHENTICATED", "ORGANISATION_HEADER_INVALID", "PERMISSION_INVALID", "INTERNAL_ERROR"}
_BODY = {"PAYLOAD_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE", "VALIDATION_FAILED"}
_ONCE = {"IDEMPOTENCY_KEY_REUSED", "IDEMPOTENCY_IN_PROGRESS"}
_DEAD = {"TOKEN_EXPIRED", "TOKEN_USED", "TOKEN_SUPERSEDED", "TOKEN_REVOKED"}
_PORTAL_OFF = {"PORTAL_NOT_ENABLED", "PORTAL_URL_MISSING"}

# What the contract lets an operation refuse with; the document names at least these.
REFUSALS: dict[str, set[str]] = {
    "putCustomer": _COMMON | _BODY | {"FIELD_NOT_AN_EMAILADRESS"},
    "getCard": _COMMON | {"CUSTOMER_DOES_NOT_EXIST"},
    "sendInvitation": _COMMON | _BODY | _ONCE | _PORTAL_OFF
    | {"CUSTOMER_DOES_NOT_EXIST", "USER_ALREADY_EXISTS", "USER_HAS_NO_EMAIL_ADDRESS", "FIELD_NOT_AN_EMAILADRESS"},
    "listInvitations": _COMMON | {"CUSTOMER_DOES_NOT_EXIST", "VALIDATION_FAILED"},
    "revokeInvitation": _COMMON | _ONCE | (_DEAD - {"TOKEN_REVOKED"})
    | {"CUSTOMER_DOES_NOT_EXIST", "RESOURCE_NOT_FOUND"},
    "sendEmailConfirmation": _COMMON | _BODY | _ONCE | _PORTAL_OFF
    | {"CUSTOMER_DOES_NOT_EXIST", "USER_NOT_FOUND", "EMAIL_ALREADY_CONFIRMED", "FIELD_NOT_AN_EMAILADRESS"},
    "listCommunications": _COMMON | {"CUSTOMER_DOES_NOT_EXIST", "VALIDATION_FAILED"},
    "resendCommunication": _COMMON | _ONCE | _PORTAL_OFF
    | {"CUSTOMER_DOES_NOT_EXIST", "RESOURCE_NOT_FOUND", "COMMUNICATION_NOT_RESENDABLE", "USER_ALREADY_EXISTS"}
    | {"USER_NOT_FOUND", "USER_HAS_NO_EMAIL_ADDRESS", "EMAIL_NOT_CONFIRMED", "EMAIL_ALREADY_CONFIRMED"},
    "receiveMailEvents": {"UNAUTHENTICATED", "RESOURCE_NOT_FOUND", "PAYLOAD_TOO_LARGE", "VALIDATION_FAILED"},
    "receivePlatformEvent": {"UNAUTHENTICATED", "RESOURCE_NOT_FOUND", "PAYLOAD_TOO_LARGE", "VALIDATION_FAILED"},
    "startImpersonation": _COMMON | _BODY | _ONCE | _PORTAL_OFF
    | {"CUSTOMER_DOES_NOT_EXIST", "FEATURE_NOT_ENABLED", "USER_NOT_FOUND", "EMAIL_NOT_CONFIRMED"},
    "listImpersonations": _COMMON | {"CUSTOMER_DOES_NOT_EXIST", "VALIDATION_FAILED"},
    "endImpersonation": _COMMON | _ONCE | {"CUSTOMER_DOES_NOT_EXIST", "RESOURCE_NOT_FOUND"},
    "listOrganisationImpersonations": _COMMON | {"VALIDATION_FAILED"},
    "introspectSession": _COMMON | _BODY,
    "redeemImpersonation": _BODY | _DEAD | _PORTAL_OFF | {"TOKEN_INVALID", "FEATURE_NOT_ENABLED"},
    "endOwnImpersonation": {"UNAUTHENTICATED", "SESSION_ENDED", "RESOURCE_NOT_FOUND"},
    "getAccessLog": {"UNAUTHENTICATED", "SESSION_ENDED", "FEATURE_NOT_ENABLED", "VALIDATION_FAILED"},
    "listActivities": _COMMON | {"CUSTOMER_DOES_NOT_EXIST", "VALIDATION_FAILED"},
    "listOrganisationActivities": _COMMON | {"VALIDATION_FAILED"},
    "putPortalSettings": _COMMON | _BODY | {"INVALID_URL", "FIELD_NOT_AN_EMAILADRESS"},
    "listRoles": _COMMON | {"VALIDATION_FAILED"},
    "createRole": _COMMON | _BODY | _ONCE | {"RESOURCE_NOT_FOUND", "ROLE_ALREADY_EXISTS"},
    "getRole": _COMMON | {"RESOURCE_NOT_FOUND", "VALIDATION_FAILED"},
    "putRole": _COMMON | _BODY | {"RESOURCE_NOT_FOUND", "ROLE_ALREADY_EXISTS"},
    "deleteRole": _COMMON | {"RESOURCE_NOT_FOUND", "ROLE_IN_USE", "VALIDATION_FAILED"},
    "listRoleAssignments": _COMMON | {"VALIDATION_FAILED"},
    "assignRole": _COMMON | _BODY | _ONCE | {"RESOURCE_NOT_FOUND", "ROLE_ALREADY_ASSIGNED"},
    "removeRoleAssignment": _COMMON | {"RESOURCE_NOT_FOUND", "LAST_ADMINISTRATOR", "VALIDATION_FAILED"},
    "inspectToken": _BODY | {"TOKEN_INVALID", "ORGANISATION_HEADER_INVALID"},
    "register": _BODY | _DEAD
    | {"TOKEN_INVALID", "CUSTOMER_NUMBER_MISMATCH", "PASSWORD_MINIMUM_LENGTH_12", "PASSWORD_TOO_LONG"}
    | {"PASSWORD_TOO_COMMON", "CONFIRM_PASSWORD_DOES_NOT_MATCH", "PORTAL_NOT_ENABLED", "USER_ALREADY_EXISTS"},
    "confirmEmail": _BODY | _DEAD | {"TOKEN_INVALID"},
    "resendConfirmation": _BODY | {"FIELD_NOT_AN_EMAILADRESS"},
    "logIn": _BODY | {"INVALID_CREDENTIALS", "EMAIL_NOT_CONFIRMED", "CUSTOMER_NUMBER_REQUIRED"},
    "listSessions": {"UNAUTHENTICATED", "SESSION_ENDED", "VALIDATION_FAILED"},
    "endSession": {"UNAUTHENTICATED", "SESSION_ENDED", "RESOURCE_NOT_FOUND", "NOT_ALLOWED_WHILE_IMPERSONATING"},
    "getMe": {"UNAUTHENTICATED", "SESSION_ENDED"},
    "logOut": {"UNAUTHENTICATED"},
}  # fmt: skip


def _concrete(kind: type[PortalError] = PortalError) -> Iterator[type[PortalError]]:
    if hasattr(kind, "key"):
        yield kind
    for child in kind.__subclasses__():
        yield from _concrete(child)


CONCRETE = sorted(set(_concrete()), key=lambda kind: kind.__name__)


@cache
def _document() -> dict[str, Any]:
    return create_app(test_settings(database_url="postgresql://nobody@127.0.0.1/none")).openapi()


def _resolved(value: dict[str, Any]) -> dict[str, Any]:
    """What a reference stands for."""
    while "$ref" in value:
        found: Any = _document()
        for part in value["$ref"].removeprefix("#/").split("/"):
            found = found[part.replace("~1", "/")]
        value = found
    return value


@cache
def _examples(operation_id: str) -> dict[str, tuple[int, dict[str, Any]]]:
    """The refusals that the document shows for an operation: key to status and body."""
    for methods in _document()["paths"].values():
        for operation in methods.values():
            if operation["operationId"] == operation_id:
                return {
                    key: (int(status), _resolved(example)["value"])
                    for status, answer in operation["responses"].items()
                    for key, example in answer.get("content", {})
                    .get("application/problem+json", {})
                    .get("examples", {})
                    .items()
                }
    raise LookupError(operation_id)


@pytest.mark.parametrize("kind", CONCRETE, ids=lambda kind: kind.__name__)
def test_a_refusal_has_the_contracts_key_and_status(kind: type[PortalError]) -> None:
    assert kind.key in STATUSES, kind.key
    assert status_of(kind) in STATUSES[kind.key]
    for words in (kind.title, kind.solution):
        assert words.strip()
        assert words[0].isupper()


def test_every_key_of_the_contract_has_its_refusal() -> None:
    assert {kind.key for kind in CONCRETE} == set(STATUSES)


def test_at_login_an_unconfirmed_address_is_403() -> None:
    assert status_of(errors.EmailNotConfirmedAtLogin) == 403
    assert status_of(errors.EmailNotConfirmed) == 409


@pytest.mark.parametrize(
    "end",
    [errors.TokenUsed, errors.TokenSuperseded, errors.TokenExpired, errors.TokenRevoked],
    ids=lambda k: k.__name__,
)
def test_an_invitation_that_is_not_pending_names_its_end(end: type[errors.TokenDead]) -> None:
    refusal = errors.InvitationNotPending(end(datetime(2026, 3, 1, 12, 30, tzinfo=UTC)))
    assert (refusal.key, status_of(refusal)) == (end.key, 409)
    assert "2026-03-01 at 12:30 UTC" in refusal.detail


@pytest.mark.parametrize("operation", REFUSALS)
def test_the_document_shows_every_refusal_of_an_operation(operation: str) -> None:
    shown = _examples(operation)
    assert REFUSALS[operation] <= set(shown), REFUSALS[operation] - set(shown)
    for key, (status, body) in shown.items():
        assert (body["key"], body["status"]) == (key, status)
        assert status in STATUSES[key] | ({409} if operation == "revokeInvitation" else set())
        assert ("errors" in body) == (status == 422)


def test_every_operation_describes_itself() -> None:
    for path, methods in _document()["paths"].items():
        for method, operation in methods.items():
            where = f"{method} {path}"
            assert operation["operationId"], where
            assert operation["tags"], where
            assert operation["summary"], where
            assert operation["description"], where
            if "requestBody" in operation:
                own = {"introspectSession": "application/x-www-form-urlencoded", "putCustomers": "application/x-ndjson"}
                kind = own.get(operation["operationId"], "application/json")
                assert kind in operation["requestBody"]["content"], where
    assert _document()["openapi"].startswith("3.1")
