"""The customer's documents in the portal, and which of them the customer has opened."""

from uuid import UUID

from app.domain.activities import ActivityType, NewActivity, Subject, SubjectType
from app.domain.callers import Call, Seen
from app.domain.documents import PortalDocument, documents_refusal
from app.domain.paging import Page, PageRequest
from app.domain.sessions import PortalVisitor
from app.errors import ResourceNotFound
from app.repositories.unit_of_work import Transactions


class Documents:
    """Documents that the portal shows."""

    def __init__(self, transaction: Transactions) -> None:
        self._transaction = transaction

    async def of_customer(self, customer_id: UUID, page: PageRequest, *, call: Call) -> Page[PortalDocument]:
        """The documents for the portal, newest first, as the back office sees them: also while the portal hides them.

        Raises: CustomerDoesNotExist.
        """
        async with self._transaction.reading(call.organisation_id) as uow:
            found = await uow.documents.page(customer_id, page)
            if not found.results:
                await uow.customers.require(customer_id)
            return found

    async def of_visitor(self, visitor: PortalVisitor, page: PageRequest) -> Page[PortalDocument]:
        """What the visitor may see, newest first.

        Raises: FeatureNotEnabled.
        """
        organisation = visitor.standing.organisation
        if refusal := documents_refusal(organisation):
            raise refusal
        async with self._transaction.reading(organisation.organisation_id) as uow:
            return await uow.documents.page(visitor.standing.customer.customer_id, page)

    async def view(self, visitor: PortalVisitor, document_id: UUID, *, seen: Seen) -> PortalDocument:
        """The visitor opens a document. An impersonator's view is logged, but it is none of the customer's.

        Raises: FeatureNotEnabled; ResourceNotFound, for a document that the portal does not show.
        """
        standing = visitor.standing
        if refusal := documents_refusal(standing.organisation):
            raise refusal
        customer_id = standing.customer.customer_id
        async with self._transaction(standing.organisation.organisation_id) as uow:
            if seen.impersonation is None:
                await uow.documents.count_view(customer_id, document_id)
            found = await uow.documents.get(customer_id, document_id)
            if found is None:
                raise ResourceNotFound("There is no such document in the portal.")
            uow.activities.record(
                NewActivity(
                    ActivityType.DOCUMENT_VIEWED,
                    visitor.actor,
                    seen,
                    Subject(SubjectType.DOCUMENT, document_id),
                    standing.ref,
                    {"name": found.document.name},
                )
            )
            return found
