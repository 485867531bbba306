"""A forgotten password, and choosing a new one."""

from fastapi import APIRouter, Depends

from app import errors
from app.routers.dependencies import AnonymousVisit, CountedByAddress, Service
from app.routers.openapi import refusals
from app.routers.reading import StrictRoute
from app.schemas.password_resets import NewPasswordGiven
from app.schemas.portal import Accepted, AddressGiven, RegisteredBody
from app.throttles import Throttled

router = APIRouter(prefix="/api/portal/v1/portal/password-resets", tags=["Portal: passwords"], route_class=StrictRoute)


@router.post(
    "",
    operation_id="forgotPassword",
    summary="Ask for a reset link",
    status_code=202,
    dependencies=[Depends(CountedByAddress(Throttled.FORGOTTEN_PASSWORDS))],
    responses=refusals(errors.NotAnEmailAddress),
)
async def forgot_password(body: AddressGiven, call: AnonymousVisit, services: Service) -> Accepted:
    """The same answer for every address. Who has a confirmed account with it gets a mail; several accounts of one
    address get one mail with a link for each.
    """
    await services.password_resets.ask(body.email, call=call)
    return Accepted()


@router.post(
    "/complete",
    operation_id="completePasswordReset",
    summary="Choose a new password",
    dependencies=[Depends(CountedByAddress(Throttled.REDEMPTIONS))],
    responses=refusals(
        errors.TokenInvalid,
        errors.TokenDead,
        errors.PortalNotEnabled,
        errors.PasswordRefused,
    ),
)
async def complete_password_reset(body: NewPasswordGiven, call: AnonymousVisit, services: Service) -> RegisteredBody:
    """Spends the link and sets the password. Every session of the customer ends, a notice is mailed, and nobody is
    logged in: the portal asks for the new password next.
    """
    return RegisteredBody.of(await services.password_resets.complete(body.new_password(), call=call))
