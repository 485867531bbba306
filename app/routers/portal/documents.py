"""The customer's documents."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path

from app import errors
from app.routers.dependencies import LookingVisit, Paging, Service
from app.routers.openapi import refusals
from app.routers.reading import StrictRoute
from app.schemas.base import PageBody
from app.schemas.documents import DocumentViewsBody, MyDocumentBody

router = APIRouter(prefix="/api/portal/v1/portal/documents", tags=["Portal: documents"], route_class=StrictRoute)


@router.get(
    "",
    operation_id="listMyDocuments",
    summary="List one's documents",
    responses=refusals(errors.FeatureNotEnabled),
)
async def list_my_documents(visit: LookingVisit, services: Service, page: Paging) -> PageBody[MyDocumentBody]:
    """Those that the utility shows in the portal, newest first."""
    return PageBody.of(await services.documents.of_visitor(visit.visitor, page), MyDocumentBody.of)


# Looking, not changing: the contract (section 6) lets an impersonator of either mode open documents.
@router.post(
    "/{documentId}/views",
    operation_id="viewDocument",
    summary="Register that a document was opened",
    status_code=201,
    responses=refusals(errors.FeatureNotEnabled, errors.ResourceNotFound),
)
async def view_document(
    document_id: Annotated[
        UUID,
        Path(
            alias="documentId",
            description="Out of the list of one's documents.",
            examples=["0199d8a0-0000-7000-8000-000000000201"],
        ),
    ],
    visit: LookingVisit,
    services: Service,
) -> DocumentViewsBody:
    """Counts the customer's views. An employee's, during an impersonation, is logged and not counted."""
    return DocumentViewsBody.of(await services.documents.view(visit.visitor, document_id, seen=visit.seen))
