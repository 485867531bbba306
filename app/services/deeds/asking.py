"""What anyone may ask for who knows an address: whose accounts are meant, and how often they are mailed."""

from uuid import UUID

from app.domain.cards import Rule, Standing
from app.repositories.unit_of_work import UnitOfWork
from app.tokens import Purpose


async def admitted(
    uow: UnitOfWork, customer_ids: list[UUID], email: str, purpose: Purpose, rule: Rule, *, most_mails: int
) -> list[Standing]:
    """Those of the customers who get a link of this purpose, in the given order; all are locked.

    Left out without a word are those whom the rule refuses, whose account has another address by now, and who have
    got so many of these mails within the hour.
    """
    await uow.customers.lock_all(customer_ids)
    found = []
    for customer_id in customer_ids:
        standing = await uow.customers.standing(customer_id)
        if rule(standing) or standing.account is None or standing.account.email.casefold() != email.casefold():
            continue
        if await uow.tokens.asked_for_within_an_hour(customer_id, purpose) < most_mails:
            found.append(standing)
    return found
