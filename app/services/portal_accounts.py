"""Looking across the organisation's portal accounts."""

from app.domain.callers import Call
from app.domain.paging import Page, PageRequest
from app.domain.portal_accounts import PortalAccount, PortalAccountFilter
from app.repositories.unit_of_work import Transactions


class PortalAccounts:
    """The organisation's portal accounts."""

    def __init__(self, transaction: Transactions) -> None:
        self._transaction = transaction

    async def page(self, page: PageRequest, only: PortalAccountFilter, *, call: Call) -> Page[PortalAccount]:
        """Those that match, newest first."""
        async with self._transaction.reading(call.organisation_id) as uow:
            return await uow.portal_accounts.page(page, only)
