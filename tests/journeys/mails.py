"""How the journeys look at a customer's mails, and the mails that they find there."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.ids import new_id
from tests.support.world import Client, Customer


def mails_of(customer: Customer, client: Client | None = None) -> list[dict[str, Any]]:
    """The customer's mails, newest first."""
    answer = (client or customer.utility.employee()).get(f"{customer.path}/communications")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["results"])


def newest(customer: Customer, kind: str = "invitation") -> dict[str, Any]:
    """The newest mail of this kind."""
    return next(mail for mail in mails_of(customer) if mail["kind"] == kind)


def once(
    customer: Customer, status: str, kind: str = "invitation", seen: Callable[[dict[str, Any]], bool] = lambda _: True
) -> dict[str, Any]:
    """The newest mail of this kind, once it has come to this status."""
    deadline = time.monotonic() + 15
    while (mail := newest(customer, kind))["status"] != status or not seen(mail):
        assert time.monotonic() < deadline, mail
        time.sleep(0.03)
    return mail


def reset_mail(*customers: Customer) -> str:
    """A "forgot password" mail to the address that these customers share, sent long enough ago; its id.

    Its links have run out, as they do after an hour.
    """
    first, mail_id = customers[0], new_id()
    sql, organisation = first.utility.world.sql, first.utility.organisation
    sql.run(
        "INSERT INTO communications (organisation_id, id, customer_id, account_id, kind, email, language, automatic,"
        " status, attempts, created_by_type, created_by_id, correlation_id, created_at, sent_at, ended_at)"
        " SELECT organisation_id, $2, customer_id, id, 'passwordreset', email, 'en-GB', false, 'successful', 1,"
        " 'customer', customer_id::text, 'card-7', now() - interval '2 hours', now() - interval '2 hours', now()"
        " FROM accounts WHERE organisation_id = $1 AND customer_id = $3 AND state = 'live'",
        organisation,
        mail_id,
        first.id,
    )
    for customer in customers:
        added = sql.run(
            "INSERT INTO tokens (organisation_id, id, purpose, customer_id, account_id, communication_id, email,"
            " language, state, created_by_type, created_by_id, created_at, expires_at, ended_at)"
            " SELECT organisation_id, $2, 'passwordreset', customer_id, id, $3, email, 'en-GB', 'expired', 'customer',"
            " customer_id::text, now() - interval '2 hours', now() - interval '1 hour', now() - interval '1 hour'"
            " FROM accounts WHERE organisation_id = $1 AND customer_id = $4 AND state = 'live'",
            organisation,
            new_id(),
            mail_id,
            customer.id,
        )
        assert added == "INSERT 0 1"
    return str(mail_id)


def age(customer: Customer, mail_id: str, by: timedelta) -> None:
    """Let a mail be older."""
    changed = customer.utility.world.sql.run(
        "UPDATE communications SET created_at = created_at - $3::interval WHERE organisation_id = $1 AND id = $2",
        customer.utility.organisation,
        UUID(mail_id),
        by,
    )
    assert changed == "UPDATE 1"
