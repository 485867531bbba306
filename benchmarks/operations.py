"""What is measured: each operation's data, its requests, and what the product does for one of them."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

from app.database import Database
from app.permissions import Permission
from benchmarks.twins import Recorded
from benchmarks.wrk import Request
from tests.support.service import listening
from tests.support.world import Customer, Utility, World

_CUSTOMERS = 50
_ENTRIES = 200  # in the log of each customer
_JSON = "application/json"
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Operation:
    """One operation and the requests it is measured with. `path` has {customerId} where each request has another."""

    name: str
    path: str
    requests: Sequence[Request]
    goals: tuple[float, float]  # of requests a second, against the FastAPI twin and the ASGI twin


READS, WRITES = (0.8, 0.4), (0.8, 0.5)


class Stage:
    """An organisation with customers who are active and have a past."""

    def __init__(self, world: World) -> None:
        self.utility = world.utility()
        self.customers = [self.utility.customer().active() for _ in range(_CUSTOMERS)]
        for customer in self.customers:
            world.sql.run(_PAST, self.utility.organisation, _ENTRIES, customer.id)
        world.sql.run("VACUUM ANALYZE")

    def operations(self) -> Iterator[Operation]:
        """All that is measured, by name."""
        employee = self.utility.bearer()
        anonymous = self.utility.headers
        links = [self.utility.customer() for _ in range(_CUSTOMERS)]
        tokens = [one.invited() for one in links]
        sessions = [one.logged_in().headers for one in self.customers]
        customers = "/api/portal/v1/customers/{customerId}/portal"
        portal = "/api/portal/v1/portal"
        yield self._each("card", "GET", customers, employee)
        yield self._each("activities, a page of 50", "GET", f"{customers}/activities", employee)
        yield Operation("me", f"{portal}/me", [Request("GET", f"{portal}/me", one) for one in sessions], READS)
        yield Operation(
            "introspection",
            f"{portal}/sessions/introspect",
            [
                Request(
                    "POST",
                    f"{portal}/sessions/introspect",
                    self.utility.bearer(None, Permission.PORTAL_INTROSPECT)
                    | {"Content-Type": "application/x-www-form-urlencoded"},
                    "token=" + one["Authorization"].removeprefix("Bearer "),
                )
                for one in sessions
            ],
            READS,
        )
        yield Operation(
            "inspection of a link",
            f"{portal}/tokens/inspect",
            [
                Request("POST", f"{portal}/tokens/inspect", anonymous | {"Content-Type": _JSON}, _json(token=token))
                for token in tokens
            ],
            READS,
        )
        yield self._each("invitation", "POST", f"{customers}/invitations", employee, links, language="nl-BE")
        yield Operation(
            "forgotten password",
            f"{portal}/password-resets",
            [
                Request(
                    "POST", f"{portal}/password-resets", anonymous | {"Content-Type": _JSON}, _json(email=one.email)
                )
                for one in self.customers
            ],
            WRITES,
        )
        yield self._each(
            "start of an impersonation", "POST", f"{customers}/impersonation-sessions", employee, reason="An invoice"
        )

    def _each(
        self,
        name: str,
        method: str,
        path: str,
        headers: dict[str, str],
        customers: Sequence[Customer] | None = None,
        **body: str,
    ) -> Operation:
        """A request for each customer in turn."""
        given = headers | {"Content-Type": _JSON} if body else headers
        requests = [
            Request(method, path.replace("{customerId}", str(one.id)), given, _json(**body) if body else "")
            for one in customers or self.customers
        ]
        return Operation(name, path, requests, READS if method == "GET" else WRITES)


_PAST = (
    "INSERT INTO activities (organisation_id, id, type, occurred_at, customer_id, actor_type, actor_id, subject_type,"
    " subject_id, correlation_id, payload) SELECT $1, gen_random_uuid(), 'PortalLoginSucceeded',"
    " now() - n * '1 hour'::interval, $3, 'customer', 'benchmark', 'account', gen_random_uuid(), md5(n::text), '{}'"
    " FROM generate_series(1, $2::int) AS n"
)


def _json(**body: str) -> str:
    return json.dumps(body)


def record(world: World, utility: Utility, operations: Sequence[Operation]) -> list[Recorded]:
    """Each operation done by a product within this process, and all that it said to the database meanwhile."""
    settings = world.settings.model_copy(update={"run_worker": False, "database_pool_size": 1})
    with listening(settings) as (url, app), httpx.Client(timeout=20, base_url=url) as http:
        database: Database = app.state.database
        return [_recorded(database, http, utility, one) for one in operations]


def _recorded(database: Database, http: httpx.Client, utility: Utility, operation: Operation) -> Recorded:
    said: list[tuple[str, tuple[Any, ...]]] = []

    def listen(logged: Any) -> None:
        said.append((logged.query, tuple(logged.args or ())))

    do = _doing(http, operation)
    do()  # what is read once and remembered is known then
    watch = replace_tell(database, listen)
    try:
        answer = do()
    finally:
        watch()
    assert answer.is_success, answer.text
    known = _uuids(operation.path, [one.path for one in operation.requests], str(utility.organisation))
    made = frozenset(one for one in _uuids(*(arguments for _, arguments in said)) if one not in known)
    own = _uuids(operation.requests[0].path)
    before = frozenset(
        one
        for one in made
        if any(sql.lstrip().startswith("SELECT") and one in _uuids(arguments) for sql, arguments in said)
    )
    return Recorded(
        operation.name,
        operation.requests[0].method,
        operation.path,
        tuple(said),
        next(iter(own), utility.organisation),
        made - before,
        answer.status_code,
        answer.json() if answer.content else None,
    )


def replace_tell(database: Database, listen: Callable[[Any], None]) -> Callable[[], None]:
    """Have the database tell of its statements with their arguments, which it tells nobody else; how to end it."""
    database.watchers.append(lambda _text: None)
    database._tell = listen  # type: ignore[method-assign]

    def end() -> None:
        database.watchers.clear()
        del database._tell

    return end


def _doing(http: httpx.Client, operation: Operation) -> Callable[[], httpx.Response]:
    one = operation.requests[0]
    return lambda: http.request(one.method, one.path, headers=one.headers, content=one.body or None)


def _uuids(*values: Any) -> frozenset[UUID]:
    """All ids in these values, as such or within texts."""
    found: set[UUID] = set()
    for value in values:
        if isinstance(value, UUID):
            found.add(value)
        elif isinstance(value, (str, bytes)):
            text = value if isinstance(value, str) else value.decode(errors="replace")
            found.update(UUID(one) for one in _UUID.findall(text))
        elif isinstance(value, dict):
            found |= _uuids(*value.values())
        elif isinstance(value, (list, tuple, set, frozenset)):
            found |= _uuids(*value)
    return frozenset(found)
