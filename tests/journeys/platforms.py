"""Customers' records as the platform's events change them, and how long that takes."""

import json
import time
from datetime import timedelta
from typing import Any

from app.ids import new_id
from tests.support.platform import Platform
from tests.support.world import Customer, Utility


def record(customer: Customer) -> dict[str, Any]:
    """The customer's record as it is kept."""
    rows = customer.utility.world.sql.rows(
        "SELECT account_number, display_name, email, language, contracts, documents FROM customers"
        " WHERE organisation_id = $1 AND id = $2",
        customer.utility.organisation,
        customer.id,
    )
    [row] = rows
    return row | {name: json.loads(row[name]) for name in ("contracts", "documents")}


def states(utility: Utility) -> list[str]:
    """What became of the organisation's events, in the order in which they came."""
    rows = utility.world.sql.rows(
        "SELECT state FROM platform_events WHERE organisation_id = $1 ORDER BY received_at, id", utility.organisation
    )
    return [row["state"] for row in rows]


def contract(**given: Any) -> dict[str, Any]:
    return {"contractId": str(new_id()), "contractNumber": "C-1001", "status": "sent", "invoiceCount": 2} | given


def findings(customer: Customer) -> set[str]:
    answer = customer.utility.employee().get(f"{customer.path}/diagnosis")
    return {finding["code"] for finding in answer.json()["findings"]}


def someone(utility: Utility, platform: Platform, **given: Any) -> Customer:
    """A customer whom the platform knows, and who is not known here yet."""
    customer = Customer(utility, new_id(), {"accountNumber": str(new_id())[-12:]})
    platform.knows(customer.id, customer.number, **given)
    return customer


def hurry(utility: Utility) -> timedelta:
    """Let the time pass that the utility's jobs wait for; how long the longest of them was."""
    sql, ours = utility.world.sql, str(utility.organisation)
    where = "FROM pgqueuer WHERE status = 'queued' AND position(convert_to($1, 'UTF8') in payload) > 0"
    deadline = time.monotonic() + 15
    while (wait := sql.value(f"SELECT max(execute_after - now()) {where}", ours)) is None or wait < timedelta(
        seconds=1
    ):
        assert time.monotonic() < deadline, "no job waits"
        time.sleep(0.02)
    sql.run(f"UPDATE pgqueuer SET execute_after = now() WHERE id IN (SELECT id {where})", ours)
    return timedelta(seconds=wait.total_seconds())


def until_followed(utility: Utility, events: int, seconds: float = 25) -> None:
    """Until so many events have had their effect; the jobs that wait are told to hurry."""
    deadline = time.monotonic() + seconds
    while states(utility) != ["applied"] * events:
        utility.world.sql.run("UPDATE pgqueuer SET execute_after = now() WHERE status = 'queued'")
        assert time.monotonic() < deadline, states(utility)
        time.sleep(0.1)


def until_kept(customer: Customer, **expected: Any) -> None:
    """Until the record says so."""
    deadline = time.monotonic() + 20
    while True:
        found = customer.utility.world.sql.rows("SELECT * FROM customers WHERE id = $1", customer.id)
        if found and {name: found[0][name] for name in expected} == expected:
            return
        assert time.monotonic() < deadline, found
        time.sleep(0.02)
