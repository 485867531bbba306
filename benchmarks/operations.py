"""What is measured: for each operation the requests that are sent, and what has to be there for them."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from app.tokens import Purpose
from benchmarks.data import Data
from benchmarks.load import request

_REPEATED = 1_000  # different requests of an operation that spends nothing


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


def _from_portal(data: Data, path: str, body: dict[str, Any]) -> bytes:
    return request("POST", path, data.utility.headers, json.dumps(body))


OPERATIONS = [
    Operation("getCard", Kind.READ, _get_card),
    Operation("getMe", Kind.READ, _get_me),
    Operation("introspectSession", Kind.READ, _introspect_session),
    Operation("listActivities", Kind.READ, _list_activities),
    Operation("inspectToken", Kind.READ, _inspect_token),
]
