"""The customer-portal card."""

from typing import Annotated

from fastapi import APIRouter, Depends

from app import errors
from app.domain.callers import Call
from app.permissions import Permission
from app.routers.dependencies import BackOffice, CustomerId, Service
from app.routers.openapi import refusals
from app.routers.reading import StrictRoute
from app.schemas.cards import CardBody

router = APIRouter(prefix="/api/portal/v1/customers", tags=["Back office: card"], route_class=StrictRoute)


@router.get(
    "/{customerId}/portal",
    operation_id="getCard",
    summary="Show the card",
    responses=refusals(errors.CustomerDoesNotExist),
)
async def get_card(
    customer_id: CustomerId,
    call: Annotated[Call, Depends(BackOffice(Permission.PORTAL_READ))],
    services: Service,
) -> CardBody:
    """Whether there is an account, its address and status, what is pending, and which buttons work for the caller."""
    return CardBody.of(await services.cards.get(customer_id, call=call))
