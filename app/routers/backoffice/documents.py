"""The customer's documents in the portal."""

from typing import Annotated

from fastapi import APIRouter, Depends

from app import errors
from app.domain.callers import Call
from app.permissions import Permission
from app.routers.dependencies import BackOffice, CustomerId, Paging, Service
from app.routers.openapi import refusals
from app.routers.reading import StrictRoute
from app.schemas.base import PageBody
from app.schemas.documents import DocumentViewsBody

router = APIRouter(
    prefix="/api/portal/v1/customers/{customerId}/portal/documents",
    tags=["Back office: documents"],
    route_class=StrictRoute,
)


@router.get(
    "",
    operation_id="listDocuments",
    summary="List the documents that the portal shows, and whether the customer opened them",
    responses=refusals(errors.CustomerDoesNotExist),
)
async def list_documents(
    customer_id: CustomerId,
    call: Annotated[Call, Depends(BackOffice(Permission.PORTAL_READ))],
    services: Service,
    page: Paging,
) -> PageBody[DocumentViewsBody]:
    """Newest first. Views are the customer's own, never those of an employee logged in as the customer."""
    return PageBody.of(await services.documents.of_customer(customer_id, page, call=call), DocumentViewsBody.of)
