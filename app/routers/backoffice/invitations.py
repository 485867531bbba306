"""Invitations."""

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
from app.schemas.links import LinkBody, SendInvitation

router = APIRouter(
    prefix="/api/portal/v1/customers/{customerId}/portal/invitations",
    tags=["Back office: invitations"],
    route_class=StrictRoute,
)

_NOT_PENDING = [
    errors.InvitationNotPending(end()) for end in (errors.TokenUsed, errors.TokenSuperseded, errors.TokenExpired)
]
_Inviting = Annotated[Call, Depends(BackOffice(Permission.PORTAL_INVITE, answer=LinkBody, status=201))]
_Revoking = Annotated[Call, Depends(BackOffice(Permission.PORTAL_INVITE, answer=LinkBody))]
_Reading = Annotated[Call, Depends(BackOffice(Permission.PORTAL_READ))]


@router.post(
    "",
    operation_id="sendInvitation",
    summary="Send an invitation",
    status_code=201,
    responses=refusals(
        errors.CustomerDoesNotExist,
        errors.PortalNotEnabled,
        errors.PortalUrlMissing,
        errors.UserAlreadyExists,
        errors.UserHasNoEmailAddress,
        errors.NotAnEmailAddress,
    ),
)
async def send_invitation(
    customer_id: CustomerId, call: _Inviting, services: Service, body: SendInvitation | None = None
) -> LinkBody:
    """Mails a registration link to the customer; every earlier invitation ends.

    A given address becomes the customer's contact address.
    """
    given = body or SendInvitation()
    return LinkBody.of(await services.invitations.send(customer_id, given.email, given.language, call=call))


@router.get(
    "",
    operation_id="listInvitations",
    summary="List the customer's invitations",
    responses=refusals(errors.CustomerDoesNotExist),
)
async def list_invitations(
    customer_id: CustomerId, call: _Reading, services: Service, page: Paging
) -> PageBody[LinkBody]:
    """Newest first, with the state of each and of its mail."""
    found = await services.invitations.page(customer_id, page, call=call)
    return PageBody.of(found, LinkBody.of)


@router.post(
    "/{invitationId}/revoke",
    operation_id="revokeInvitation",
    summary="Withdraw an invitation",
    responses=refusals(errors.CustomerDoesNotExist, errors.ResourceNotFound, *_NOT_PENDING),
)
async def revoke_invitation(
    customer_id: CustomerId,
    invitation_id: Annotated[
        UUID, Path(alias="invitationId", description="Out of the list of the customer's invitations.")
    ],
    call: _Revoking,
    services: Service,
) -> LinkBody:
    """The link stops working at once. Withdrawing twice answers the same."""
    return LinkBody.of(await services.invitations.revoke(customer_id, invitation_id, call=call))
