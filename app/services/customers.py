"""Customers' records, kept in step with the billing system."""

from collections.abc import Sequence

from app.domain.callers import Call
from app.domain.customers import Customer
from app.errors import Contended, PortalError, ValidationFailed
from app.repositories.unit_of_work import Transactions
from app.services.deeds.customers import put_customers


class Customers:
    """Customers as the billing system tells them."""

    def __init__(self, transaction: Transactions) -> None:
        self._transaction = transaction

    async def put(self, new: Customer, *, call: Call) -> tuple[Customer, bool]:
        """Create or replace a customer; the customer, and whether it was created.

        Raises: ResourceNotFound, ValidationFailed.
        """
        (created,) = await self._put_together([new], call)
        return new, created

    async def put_all(self, given: Sequence[Customer], *, call: Call) -> list[bool | PortalError]:
        """The same for many customers, none of them twice: for each, whether it was created, or why it was refused.

        All of them are one transaction. Where that is refused, each half is tried by itself, down to the one that
        is to blame; so the others are done, and a refusal costs some twenty statements.

        Raises: ResourceNotFound.
        """
        try:
            return [*await self._put_together(given, call)]
        except (ValidationFailed, Contended) as refusal:
            if len(given) == 1:
                return [refusal]
        half = len(given) // 2
        return [*await self.put_all(given[:half], call=call), *await self.put_all(given[half:], call=call)]

    async def _put_together(self, given: Sequence[Customer], call: Call) -> list[bool]:
        async with self._transaction.of(call) as uow:
            return await put_customers(uow, given, by=call.actor, seen=call.seen)
