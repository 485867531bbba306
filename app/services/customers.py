"""Customers' records, kept in step with the billing system."""

from app.domain.callers import Call
from app.domain.customers import Customer
from app.repositories.unit_of_work import Transactions
from app.services.deeds.customers import put_customer


class Customers:
    """Customers as the billing system tells them."""

    def __init__(self, transaction: Transactions) -> None:
        self._transaction = transaction

    async def put(self, new: Customer, *, call: Call) -> tuple[Customer, bool]:
        """Create or replace a customer; the customer, and whether it was created.

        Raises: ResourceNotFound, ValidationFailed.
        """
        async with self._transaction.of(call) as uow:
            created = await put_customer(uow, new, by=call.actor, seen=call.seen)
            return new, created
