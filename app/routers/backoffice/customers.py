"""The customer's record."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from app import errors
from app.domain.callers import Call
from app.permissions import Permission
from app.routers.dependencies import BackOffice, CustomerId, Service
from app.routers.openapi import refusals
from app.routers.reading import StrictRoute
from app.schemas.customers import CustomerBody, CustomerRecord

router = APIRouter(prefix="/api/portal/v1/customers", tags=["Partners: customers"], route_class=StrictRoute)


@router.put(
    "/{customerId}",
    operation_id="putCustomer",
    summary="Create or replace a customer's record",
    response_description="Replaced.",
    responses=refusals(errors.ResourceNotFound, errors.NotAnEmailAddress)
    | {201: {"model": CustomerBody, "description": "Created."}},
)
async def put_customer(
    customer_id: CustomerId,
    body: CustomerRecord,
    call: Annotated[Call, Depends(BackOffice(Permission.CUSTOMER_WRITE))],
    services: Service,
    response: Response,
) -> CustomerBody:
    """The billing system tells who the customer is. What is left out goes back to its default.

    A changed e-mail address is the customer's contact address; an existing account keeps its own.
    """
    customer, created = await services.customers.put(body.customer(customer_id), call=call)
    response.status_code = 201 if created else 200
    return CustomerBody.of(customer)
