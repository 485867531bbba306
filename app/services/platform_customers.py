"""Customers as the platform's existing calls ask for them."""

from uuid import UUID

from app.domain.callers import Call
from app.domain.platform_customers import PlatformCustomer
from app.repositories.unit_of_work import Transactions


class PlatformCustomers:
    """Looks customers up."""

    def __init__(self, transaction: Transactions) -> None:
        self._transaction = transaction

    async def get(self, customer_id: UUID, *, call: Call) -> PlatformCustomer:
        """The customer with this id.

        Raises: CustomerDoesNotExist.
        """
        async with self._transaction.reading(call.organisation_id) as uow:
            return await uow.platform_customers.get(customer_id)

    async def by_account_number(self, account_number: str, *, call: Call) -> PlatformCustomer:
        """The customer with this number.

        Raises: CustomerDoesNotExist.
        """
        async with self._transaction.reading(call.organisation_id) as uow:
            return await uow.platform_customers.by_account_number(account_number)
