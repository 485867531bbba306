"""Logging a customer out."""

from typing import Annotated

from fastapi import APIRouter, Depends

from app import errors
from app.domain.callers import Call
from app.permissions import Permission
from app.routers.dependencies import BackOffice, CustomerId, Service
from app.routers.openapi import refusals
from app.routers.reading import StrictRoute
from app.schemas.sessions import EndedSessionsBody

router = APIRouter(
    prefix="/api/portal/v1/customers/{customerId}/portal", tags=["Back office: sessions"], route_class=StrictRoute
)


@router.post(
    "/logout",
    operation_id="logoutCustomer",
    summary="Log the customer out",
    responses=refusals(errors.CustomerDoesNotExist, errors.UserNotFound),
)
async def logout_customer(
    customer_id: CustomerId,
    call: Annotated[Call, Depends(BackOffice(Permission.PORTAL_RESET_ACCOUNT, answer=EndedSessionsBody))],
    services: Service,
) -> EndedSessionsBody:
    """Ends all of the customer's sessions, and those of employees who are logged in as the customer.

    The portal's next answer tells the customer's browser to clear what it keeps of the portal: whatever the browser
    asks with an ended session, and the customer's next login.
    """
    return EndedSessionsBody.of(await services.sessions.log_customer_out(customer_id, call=call))
