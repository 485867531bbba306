"""Why a customer's portal access does not work, and what solves it."""

from uuid import UUID

from app.domain.callers import Call
from app.domain.diagnosis import Diagnosis, diagnose
from app.domain.troubleshooting import ROWS
from app.repositories.unit_of_work import Transactions


class Diagnoses:
    """Diagnoses from live data."""

    def __init__(self, transaction: Transactions) -> None:
        self._transaction = transaction

    async def of_customer(self, customer_id: UUID, *, call: Call) -> Diagnosis:
        """Every row of the troubleshooting tables, judged for this customer.

        Raises: CustomerDoesNotExist.
        """
        async with self._transaction.reading(call.organisation_id) as uow:
            snapshot = await uow.diagnosis.snapshot(customer_id)
        return diagnose(snapshot, ROWS)
