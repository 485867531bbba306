"""What is measured: for each operation the requests that are sent, and what has to be there for them."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import cycle
from typing import Any
from urllib.parse import urlencode

from app.tokens import Purpose
from benchmarks.data import Data
from benchmarks.load import request
from tests.support.world import PASSWORD

_REPEATED = 1_000  # different requests of an operation that spends nothing
_EMPLOYEES = 64  # enough that none of them starts two impersonations at once
_SPENT, _SPENT_ON_HASHES = 2_000, 100  # a second at most; a turn ends early when all are spent


class Kind(StrEnum):
    """What an operation costs most, which decides its goals."""

    READ = "read"
    WRITE = "write"
    HASH = "hash"


@dataclass(frozen=True)
class Operation:
    """An operation. `spent` is how many requests a second could be needed, where none can be sent twice."""

    name: str
    kind: Kind
    requests: Callable[[Data], Iterator[bytes]]
    prepare: Callable[[Data, int], None] = lambda _data, _count: None
    spent: int = 0


def _get_card(data: Data) -> Iterator[bytes]:
    bearer = data.utility.bearer()
    for row in data.rows("I")[:_REPEATED]:
        yield request("GET", f"/customers/{row['customer']}/portal", bearer)


def _get_me(data: Data) -> Iterator[bytes]:
    for token in data.session_tokens():
        yield request("GET", "/portal/me", {"Authorization": f"Bearer {token}"})


def _introspect_session(data: Data) -> Iterator[bytes]:
    bearer = data.utility.bearer()
    for token in data.session_tokens():
        yield request("POST", "/portal/sessions/introspect", bearer, urlencode({"token": token}), "form")


def _list_activities(data: Data) -> Iterator[bytes]:
    bearer = data.utility.bearer()
    for row in data.rows("M")[:_REPEATED]:
        yield request("GET", f"/customers/{row['customer']}/portal/activities?pageSize=50", bearer)


def _inspect_token(data: Data) -> Iterator[bytes]:
    for token in data.links("I", Purpose.INVITATION)[:_REPEATED]:
        yield _from_portal(data, "/portal/tokens/inspect", {"token": token})


def _send_invitation(data: Data) -> Iterator[bytes]:
    bearer = data.utility.bearer()
    for row in data.rows("I"):
        yield request("POST", f"/customers/{row['customer']}/portal/invitations", bearer)


def _confirm_email(data: Data) -> Iterator[bytes]:
    for token in data.links("C", Purpose.EMAIL_CONFIRMATION):
        yield _from_portal(data, "/portal/email-confirmations", {"token": token})


def _forgot_password(data: Data) -> Iterator[bytes]:
    for row in data.rows("M")[:_REPEATED]:
        yield _from_portal(data, "/portal/password-resets", {"email": row["address"]})


def _redeem_impersonation(data: Data) -> Iterator[bytes]:
    for token in data.links("R", Purpose.IMPERSONATION):
        yield _from_portal(data, "/portal/impersonations/redeem", {"token": token})


def _start_impersonation(data: Data) -> Iterator[bytes]:
    bearers = cycle(data.utility.bearer(subject=f"employee-{number}") for number in range(_EMPLOYEES))
    body = json.dumps({"reason": "Help with an invoice"})
    for row, bearer in zip(data.rows("M"), bearers, strict=False):
        yield request("POST", f"/customers/{row['customer']}/portal/impersonation-sessions", bearer, body)


def _end_impersonation(data: Data) -> Iterator[bytes]:
    bearer = data.utility.bearer()
    for row in data.rows("E", "impersonations"):
        path = f"/customers/{row['customer']}/portal/impersonation-sessions/{row['id']}/end"
        yield request("POST", path, bearer)


def _log_in(data: Data) -> Iterator[bytes]:
    for row in data.rows("M")[:_REPEATED]:
        yield _from_portal(data, "/portal/sessions", {"email": row["address"], "password": PASSWORD})


def _register(data: Data) -> Iterator[bytes]:
    rows = data.rows("G", "tokens")
    for row, token in zip(rows, data.links("G", Purpose.INVITATION), strict=True):
        given = {"token": token, "customerNumber": row["number"], "password": PASSWORD}
        yield _from_portal(data, "/portal/registrations", given)


def _from_portal(data: Data, path: str, body: dict[str, Any]) -> bytes:
    return request("POST", path, data.utility.headers, json.dumps(body))


OPERATIONS = [
    Operation("getCard", Kind.READ, _get_card),
    Operation("getMe", Kind.READ, _get_me),
    Operation("introspectSession", Kind.READ, _introspect_session),
    Operation("listActivities", Kind.READ, _list_activities),
    Operation("inspectToken", Kind.READ, _inspect_token),
    Operation("sendInvitation", Kind.WRITE, _send_invitation),
    Operation(
        "confirmEmail",
        Kind.WRITE,
        _confirm_email,
        lambda data, count: data.customers("C", count, confirmed=False, mailed=Purpose.EMAIL_CONFIRMATION),
        _SPENT,
    ),
    Operation("forgotPassword", Kind.WRITE, _forgot_password),
    Operation(
        "redeemImpersonation",
        Kind.WRITE,
        _redeem_impersonation,
        lambda data, count: data.impersonated("R", count),
        _SPENT,
    ),
    Operation("startImpersonation", Kind.WRITE, _start_impersonation),
    Operation(
        "endImpersonation", Kind.WRITE, _end_impersonation, lambda data, count: data.impersonated("E", count), _SPENT
    ),
    Operation("logIn", Kind.HASH, _log_in),
    Operation(
        "register",
        Kind.HASH,
        _register,
        lambda data, count: data.customers("G", count, mailed=Purpose.INVITATION),
        _SPENT_ON_HASHES,
    ),
]
