"""The customer's mails."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path

from app import errors
from app.domain.callers import Call
from app.permissions import Permission
from app.routers.dependencies import BackOffice, CustomerId, Paging, Service
from app.routers.openapi import refusals
from app.routers.reading import StrictRoute
from app.schemas.base import PageBody
from app.schemas.communications import MailBody

router = APIRouter(
    prefix="/api/portal/v1/customers/{customerId}/portal/communications",
    tags=["Back office: communications"],
    route_class=StrictRoute,
)

_Reading = Annotated[Call, Depends(BackOffice(Permission.PORTAL_READ))]
_Resending = Annotated[Call, Depends(BackOffice(Permission.PORTAL_INVITE, answer=MailBody, status=201))]


@router.get(
    "",
    operation_id="listCommunications",
    summary="List the mails to the customer",
    responses=refusals(errors.CustomerDoesNotExist),
)
async def list_communications(
    customer_id: CustomerId, call: _Reading, services: Service, page: Paging
) -> PageBody[MailBody]:
    """Newest first, with the delivery state of each and the links it carries for this customer."""
    return PageBody.of(await services.communications.page(customer_id, page, call=call), MailBody.of)


@router.post(
    "/{communicationId}/resend",
    operation_id="resendCommunication",
    summary="Send a mail again",
    status_code=201,
    responses=refusals(
        errors.CustomerDoesNotExist,
        errors.ResourceNotFound,
        errors.CommunicationNotResendable,
        errors.PortalNotEnabled,
        errors.PortalUrlMissing,
        errors.UserAlreadyExists,
        errors.UserNotFound,
        errors.UserHasNoEmailAddress,
        errors.EmailNotConfirmed,
        errors.EmailAlreadyConfirmed,
    ),
)
async def resend_communication(
    customer_id: CustomerId,
    communication_id: Annotated[
        UUID, Path(alias="communicationId", description="Out of the list of the mails to the customer.")
    ],
    call: _Resending,
    services: Service,
) -> MailBody:
    """Does again what the mail was sent for: a new mail with a new link, and the link before ends.

    A mail with a password reset needs `portal.resetpassword` too. It goes to the address that counts today, in the
    language of the mail; a mail without a link goes to the same address again. Only mails that were sent or could not
    be sent, of the last 60 days.
    """
    return MailBody.of(await services.communications.resend(customer_id, communication_id, call=call))
