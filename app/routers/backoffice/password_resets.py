"""Password resets, sent by an employee."""

from typing import Annotated

from fastapi import APIRouter, Depends

from app import errors
from app.domain.callers import Call
from app.permissions import Permission
from app.routers.dependencies import BackOffice, CustomerId, Service
from app.routers.openapi import refusals
from app.routers.reading import StrictRoute
from app.schemas.links import LinkBody
from app.schemas.password_resets import SendPasswordReset

router = APIRouter(
    prefix="/api/portal/v1/customers/{customerId}/portal/password-resets",
    tags=["Back office: password resets"],
    route_class=StrictRoute,
)


@router.post(
    "",
    operation_id="sendPasswordReset",
    summary="Send a password reset",
    status_code=201,
    responses=refusals(
        errors.CustomerDoesNotExist,
        errors.PortalNotEnabled,
        errors.PortalUrlMissing,
        errors.UserNotFound,
        errors.EmailNotConfirmed,
    ),
)
async def send_password_reset(
    customer_id: CustomerId,
    call: Annotated[Call, Depends(BackOffice(Permission.PORTAL_RESET_PASSWORD, answer=LinkBody, status=201))],
    services: Service,
    body: SendPasswordReset | None = None,  # noqa: ARG001 - read so that whatever it holds is refused
) -> LinkBody:
    """Mails a link to the account's address; every earlier reset link ends. The password stays until it is used."""
    return LinkBody.of(await services.password_resets.send(customer_id, call=call))
