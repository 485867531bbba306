"""Confirming the account's address."""

from fastapi import APIRouter, Depends

from app import errors
from app.routers.dependencies import AnonymousVisit, CountedByAddress, Service
from app.routers.openapi import refusals
from app.routers.reading import StrictRoute
from app.schemas.portal import Accepted, AddressGiven, RegisteredBody, TokenGiven
from app.throttles import Throttled

router = APIRouter(
    prefix="/api/portal/v1/portal/email-confirmations", tags=["Portal: registration"], route_class=StrictRoute
)


@router.post(
    "",
    operation_id="confirmEmail",
    summary="Confirm the account's address",
    dependencies=[Depends(CountedByAddress(Throttled.REDEMPTIONS))],
    responses=refusals(errors.TokenInvalid, errors.TokenDead),
)
async def confirm_email(body: TokenGiven, call: AnonymousVisit, services: Service) -> RegisteredBody:
    """Spends the link. The same link a second time answers 200 again."""
    return RegisteredBody.of(await services.email_confirmations.confirm(body.token, call=call))


@router.post(
    "/resend",
    operation_id="resendConfirmation",
    summary="Ask for a new confirmation link",
    status_code=202,
    dependencies=[Depends(CountedByAddress(Throttled.CONFIRMATIONS_AGAIN))],
    responses=refusals(errors.NotAnEmailAddress),
)
async def resend_confirmation(body: AddressGiven, call: AnonymousVisit, services: Service) -> Accepted:
    """The same answer for every address; who has an unconfirmed account with it gets a mail."""
    await services.email_confirmations.ask_again(body.email, call=call)
    return Accepted()
