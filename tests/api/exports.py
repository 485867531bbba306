"""Asking for whole lists as files, and reading them."""

import csv
import io
import json
from typing import Any

import httpx

from app.ids import new_id
from tests.support.world import Client, Customer, Utility

CSV, NDJSON = "text/csv", "application/x-ndjson"
ACTIVITIES, IMPERSONATIONS = "/organisation/activities", "/organisation/impersonation-sessions"


def exported(client: Client, path: str, accept: str, **params: Any) -> httpx.Response:
    """The whole list as a file."""
    answer = client.get(path, params=params, headers={"Accept": accept})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].split(";")[0] == accept
    return answer


def cells(text: str) -> list[dict[str, str]]:
    """The rows of a CSV file, by their columns."""
    header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert {len(row) for row in rows} <= {len(header)}
    return [dict(zip(header, row, strict=True)) for row in rows]


def objects(text: str) -> list[dict[str, Any]]:
    """The rows of an NDJSON file."""
    return [json.loads(line) for line in text.split("\n")[:-1]]


def walked(client: Client, path: str, **params: Any) -> list[dict[str, Any]]:
    """The same list, page by page."""
    found: list[dict[str, Any]] = []
    token: str | None = None
    while True:
        more = {"continuationToken": token} if token else {}
        body = client.get(path, params=params | more | {"pageSize": "200"}).json()
        found += body["results"]
        token = body["nextPageToken"]
        if token is None:
            return found


def flat(value: Any, name: str = "") -> dict[str, Any]:
    """An entry of the page under its dotted names; a payload stays whole."""
    if not isinstance(value, dict) or name == "payload":
        return {name: value}
    return {inner: v for key in value for inner, v in flat(value[key], f"{name}.{key}" if name else key).items()}


def as_cell(value: Any) -> str:
    """What a cell shows of a value in the page."""
    if value is None:
        return ""
    if isinstance(value, str):
        return "'" + value if value[:1] in list("=+-@\t\r") else value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def same(text: str, accept: str, page: list[dict[str, Any]]) -> None:
    """The file says what the page says."""
    if accept == NDJSON:
        assert objects(text) == page
        return
    found = cells(text)
    assert len(found) == len(page)
    for row, entry in zip(found, page, strict=True):
        shown = {name: as_cell(value) for name, value in flat(entry).items()}
        assert {name: cell for name, cell in row.items() if cell} == {n: cell for n, cell in shown.items() if cell}


def write_activities(utility: Utility, count: int, payload: int = 0, **columns: str) -> None:
    """Entries of the log, a second apart, the newest a day old; the correlation id counts them from the newest."""
    given = {"subject_type": "customer", "actor_name": "Eva Maes"} | columns
    utility.world.sql.run(
        "INSERT INTO activities (organisation_id, id, type, occurred_at, actor_type, actor_id, actor_name,"
        " subject_type, subject_id, correlation_id, payload)"
        " SELECT $1, gen_random_uuid(), 'PortalErrorReported', now() - '1 day'::interval - n * '1 second'::interval,"
        " 'system', 'test', $3, $4, gen_random_uuid(), n::text, jsonb_build_object('message', repeat('x', $5))"
        " FROM generate_series(1, $2) AS n",
        utility.organisation,
        count,
        given["actor_name"],
        given["subject_type"],
        payload,
    )


def write_impersonations(customer: Customer, count: int) -> None:
    """Impersonation sessions that are over, a minute apart; the ticket counts them from the newest."""
    customer.utility.world.sql.run(
        "INSERT INTO impersonations (organisation_id, id, customer_id, account_id, employee_id, employee_name, reason,"
        " ticket_reference, access_mode, state, created_at, handoff_expires_at, expires_at, redeemed_at, ended_at,"
        " ended_by_type, ended_by_id, end_reason)"
        " SELECT $1, gen_random_uuid(), $2, $3, 'employee-7', 'Eva Maes', 'Help with an invoice', n::text, 'readonly',"
        " 'ended', at, at + '1 minute', at + '15 minutes', at + '5 seconds', at + '65 seconds', 'system', 'time',"
        " 'banner' FROM (SELECT n, now() - n * '1 minute'::interval AS at FROM generate_series(1, $4) AS n) AS past",
        customer.utility.organisation,
        customer.id,
        new_id(),
        count,
    )
