"""What the journeys do by hand: the button of the reset, and rows as other features would leave them."""

from typing import Any
from uuid import UUID

import httpx

from app.ids import new_id
from tests.support.world import Customer


def reset(customer: Customer, body: Any = None, **headers: str) -> httpx.Response:
    """An administrator presses the button."""
    return customer.utility.employee().post(f"{customer.path}/reset", body, headers=headers)


def value(customer: Customer, query: str, *arguments: Any) -> Any:
    """A look into the database; $1 is the customer."""
    return customer.utility.world.sql.value(query, customer.id, *arguments)


def run(customer: Customer, statement: str, *arguments: Any) -> None:
    """A hand in the database; $1 is the customer."""
    customer.utility.world.sql.run(statement, customer.id, *arguments)


def open_token(customer: Customer, purpose: str) -> UUID:
    """A pending link of this purpose, as if it had been mailed."""
    token_id = new_id()
    run(
        customer,
        "INSERT INTO tokens (organisation_id, id, purpose, customer_id, email, language, state, created_by_type,"
        " created_by_id, expires_at)"
        " VALUES ($2, $3, $4, $1, 'x@example.com', 'en-GB', 'pending', 'system', 'test', now() + interval '1 hour')",
        customer.utility.organisation,
        token_id,
        purpose,
    )
    return token_id


def token_state(customer: Customer, token_id: UUID) -> str:
    return str(value(customer, "SELECT state FROM tokens WHERE customer_id = $1 AND id = $2", token_id))


def unchanged(customer: Customer, card: dict[str, Any], log: list[str]) -> None:
    """Card and log are as they were."""
    assert customer.card() == card
    assert customer.log() == log
