"""Pages of the portal that failed, as the portal itself reports them."""

from uuid import UUID

from app.domain.activities import ActivityType, NewActivity, Subject, SubjectType
from app.domain.callers import Actor, ActorType, Seen
from app.domain.sessions import PortalVisitor
from app.repositories.unit_of_work import Transactions

PORTAL = Actor(ActorType.SYSTEM, "portal", "Customer portal")


class ErrorReports:
    """Reports of pages that failed; they hold no secrets when they come here."""

    def __init__(self, transaction: Transactions) -> None:
        self._transaction = transaction

    async def of_visitor(self, visitor: PortalVisitor, page: str, message: str | None, *, seen: Seen) -> None:
        """Remember it with the customer whose session it is, or was."""
        standing = visitor.standing
        async with self._transaction(standing.organisation.organisation_id) as uow:
            uow.activities.record(
                NewActivity(
                    ActivityType.ERROR_REPORTED,
                    visitor.actor,
                    seen,
                    Subject(SubjectType.CUSTOMER, standing.customer.customer_id),
                    standing.ref,
                    _payload(page, message),
                )
            )

    async def of_nobody(self, organisation_id: UUID, page: str, message: str | None, *, seen: Seen) -> None:
        """Remember it with the organisation, if there is one: anyone can name any."""
        async with self._transaction(organisation_id) as uow:
            if await uow.organisations.get() is None:
                return
            uow.activities.record(
                NewActivity(
                    ActivityType.ERROR_REPORTED,
                    PORTAL,
                    seen,
                    Subject(SubjectType.ORGANISATION, organisation_id),
                    payload=_payload(page, message),
                )
            )


def _payload(page: str, message: str | None) -> dict[str, object]:
    return {"page": page, "message": message}
