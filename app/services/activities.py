"""Reading the activity log."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from app.domain.activities import Activity, ActivityFilter
from app.domain.callers import Call
from app.domain.paging import Page, PageRequest, chunks
from app.repositories.unit_of_work import Transactions


class Activities:
    """The log of portal actions and events."""

    def __init__(self, transaction: Transactions) -> None:
        self._transaction = transaction

    async def of_customer(
        self, customer_id: UUID, page: PageRequest, only: ActivityFilter, *, call: Call
    ) -> Page[Activity]:
        """A customer's activities, newest first.

        Raises: CustomerDoesNotExist.
        """
        async with self._transaction.reading(call.organisation_id) as uow:
            found = await uow.activities.page(page, only, customer_id)
            if not found.results:
                await uow.customers.require(customer_id)
            return found

    async def of_organisation(self, page: PageRequest, only: ActivityFilter, *, call: Call) -> Page[Activity]:
        """The organisation's activities, newest first."""
        async with self._transaction.reading(call.organisation_id) as uow:
            return await uow.activities.page(page, only)

    def all_of_organisation(self, only: ActivityFilter, *, call: Call) -> AsyncIterator[Sequence[Activity]]:
        """All of them, newest first, in chunks between which no connection is held."""
        return chunks(lambda page: self.of_organisation(page, only, call=call))
