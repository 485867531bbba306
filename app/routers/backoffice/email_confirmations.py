"""Confirmation links, sent again by an employee."""

from typing import Annotated

from fastapi import APIRouter, Depends

from app import errors
from app.domain.callers import Call
from app.permissions import Permission
from app.routers.dependencies import BackOffice, CustomerId, Service
from app.routers.openapi import refusals
from app.routers.reading import StrictRoute
from app.schemas.links import LinkBody, SendConfirmation

router = APIRouter(
    prefix="/api/portal/v1/customers/{customerId}/portal/email-confirmations",
    tags=["Back office: e-mail confirmations"],
    route_class=StrictRoute,
)


@router.post(
    "",
    operation_id="sendEmailConfirmation",
    summary="Send a new confirmation link",
    status_code=201,
    responses=refusals(
        errors.CustomerDoesNotExist,
        errors.PortalNotEnabled,
        errors.PortalUrlMissing,
        errors.UserNotFound,
        errors.EmailAlreadyConfirmed,
        errors.NotAnEmailAddress,
    ),
)
async def send_email_confirmation(
    customer_id: CustomerId,
    call: Annotated[Call, Depends(BackOffice(Permission.PORTAL_INVITE, answer=LinkBody, status=201))],
    services: Service,
    body: SendConfirmation | None = None,
) -> LinkBody:
    """Mails a new link to the unconfirmed account's address; a given address corrects it first."""
    given = body or SendConfirmation()
    return LinkBody.of(await services.email_confirmations.send(customer_id, given.email, call=call))
