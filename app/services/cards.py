"""The customer-portal card."""

from uuid import UUID

from app.domain.callers import Call
from app.domain.cards import Card
from app.repositories.unit_of_work import Transactions


class Cards:
    """What an employee sees of a customer's portal access."""

    def __init__(self, transaction: Transactions) -> None:
        self._transaction = transaction

    async def get(self, customer_id: UUID, *, call: Call) -> Card:
        """The card, with the buttons that work for this caller.

        Raises: CustomerDoesNotExist.
        """
        async with self._transaction.reading(call.organisation_id) as uow:
            return await uow.cards.get(customer_id, call.caller)
