"""The account reset."""

from typing import Annotated

from fastapi import APIRouter, Depends

from app import errors
from app.domain.callers import Call
from app.permissions import Permission
from app.routers.dependencies import BackOffice, CustomerId, Service
from app.routers.openapi import refusals
from app.routers.reading import StrictRoute
from app.schemas.accounts import ResetAccount
from app.schemas.cards import CardBody

router = APIRouter(
    prefix="/api/portal/v1/customers/{customerId}/portal", tags=["Back office: account reset"], route_class=StrictRoute
)


@router.post(
    "/reset",
    operation_id="resetAccount",
    summary="Reset the account",
    responses=refusals(
        errors.CustomerDoesNotExist,
        errors.UserNotFound,
        errors.PortalNotEnabled,
        errors.PortalUrlMissing,
        errors.UserHasNoEmailAddress,
        errors.NotAnEmailAddress,
    ),
)
async def reset_account(
    customer_id: CustomerId,
    call: Annotated[Call, Depends(BackOffice(Permission.PORTAL_RESET_ACCOUNT, answer=CardBody))],
    services: Service,
    body: ResetAccount | None = None,
) -> CardBody:
    """Deletes the live account with its password, ends its sessions, links and impersonations, drops its unsent mail.

    The log and the records of impersonations stay, and so do retired duplicates. With `reinvite` a new invitation is
    mailed; when that is refused, nothing is reset.
    """
    given = body or ResetAccount()
    return CardBody.of(await services.account_resets.reset(customer_id, given.account_reset(), call=call))
