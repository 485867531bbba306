"""Checking whether the organisation's portal answers at the address that stands in every mail."""

from uuid import UUID

from app.domain.callers import Call
from app.errors import PortalUrlMissing
from app.probing import PortalProbe
from app.repositories.unit_of_work import Transactions


class PortalUrlChecks:
    """Checks of portals' addresses."""

    def __init__(self, transaction: Transactions, probe: PortalProbe) -> None:
        self._transaction = transaction
        self._probe = probe

    async def ask(self, *, call: Call) -> str:
        """An employee wants the address checked now; the address that will be.

        Raises: PortalUrlMissing.
        """
        async with self._transaction.of(call) as uow:
            organisation = await uow.organisations.get()
            if organisation is None or not organisation.portal_url:
                raise PortalUrlMissing
            uow.jobs.check_portal_url()
            return uow.answer(organisation.portal_url)

    async def check(self, organisation_id: UUID) -> None:
        """Try the address and keep the outcome, unless the organisation has another address by then."""
        async with self._transaction.reading(organisation_id) as uow:
            organisation = await uow.organisations.get()
        url = organisation.portal_url if organisation else None
        if not url:
            return
        problem = await self._probe.problem(url)
        async with self._transaction(organisation_id) as uow:
            now = await uow.organisations.lock()
            if now is not None and now.portal_url == url:
                await uow.portal_url_checks.put(url, problem)
