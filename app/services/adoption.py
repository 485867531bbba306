"""Figures of an organisation's portal."""

from app.domain import adoption
from app.domain.callers import Call
from app.repositories.unit_of_work import Transactions


class Adoption:
    """How far customers have come to the portal."""

    def __init__(self, transaction: Transactions) -> None:
        self._transaction = transaction

    async def get(self, weeks: int, *, call: Call) -> adoption.Adoption:
        """Totals, and so many weeks up to this one."""
        async with self._transaction.reading(call.organisation_id) as uow:
            return adoption.Adoption(await uow.adoption.totals(), await uow.adoption.weeks(weeks))
