"""What the journeys of an employee in the portal share."""

from datetime import timedelta
from typing import Any

from tests.support.world import Client, Customer

ENDED = (401, "SESSION_ENDED")


def last(customer: Customer, kind: str) -> dict[str, Any]:
    """The newest activity of a kind."""
    return next(entry for entry in customer.activities() if entry["type"] == kind)


def end(customer: Customer, started: dict[str, Any], client: Client | None = None) -> dict[str, Any]:
    """The back office ends an impersonation."""
    answer = (client or customer.utility.employee()).post(f"{customer.path}/impersonation-sessions/{started['id']}/end")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def count(customer: Customer, kind: str) -> int:
    """How often something happened."""
    return customer.log().count(kind)


def time_passes(customer: Customer, by: timedelta) -> None:
    """Let the customer's impersonations, and the sessions they opened, grow older."""
    sql = customer.utility.world.sql
    sql.run(
        "UPDATE impersonations SET created_at = created_at - $2::interval, redeemed_at = redeemed_at - $2::interval,"
        " handoff_expires_at = handoff_expires_at - $2::interval, expires_at = expires_at - $2::interval"
        " WHERE customer_id = $1 AND ended_at IS NULL",
        customer.id,
        by,
    )
    sql.run(
        "UPDATE sessions SET created_at = created_at - $2::interval, last_seen_at = last_seen_at - $2::interval,"
        " expires_at = expires_at - $2::interval WHERE customer_id = $1 AND impersonation_id IS NOT NULL",
        customer.id,
        by,
    )


def its_time_comes(customer: Customer, started: dict[str, Any]) -> None:
    """Let the job that waits for the impersonation's end fall due."""
    changed = customer.utility.world.sql.run(
        "UPDATE pgqueuer SET execute_after = now() WHERE entrypoint = 'finish_impersonation'"
        " AND position(convert_to($1, 'UTF8') in payload) > 0",
        started["id"],
    )
    assert changed == "UPDATE 1"
