"""Registration."""

from fastapi import APIRouter, Depends

from app import errors
from app.routers.dependencies import AnonymousVisit, CountedByAddress, Service
from app.routers.openapi import refusals
from app.routers.reading import StrictRoute
from app.schemas.portal import RegisteredBody, RegistrationGiven
from app.throttles import Throttled

router = APIRouter(prefix="/api/portal/v1/portal/registrations", tags=["Portal: registration"], route_class=StrictRoute)


@router.post(
    "",
    operation_id="register",
    summary="Register with an invitation",
    status_code=201,
    dependencies=[Depends(CountedByAddress(Throttled.REGISTRATIONS))],
    responses=refusals(
        errors.TokenInvalid,
        errors.TokenDead,
        errors.PortalClosed,
        errors.UserAlreadyExists,
        errors.CustomerNumberMismatch,
        errors.PasswordRefused,
        errors.NotAnEmailAddress,
    ),
)
async def register(body: RegistrationGiven, call: AnonymousVisit, services: Service) -> RegisteredBody:
    """Makes the account and spends the invitation.

    The address still has to be confirmed, unless the organisation takes the invitation as proof of it.
    """
    return RegisteredBody.of(await services.registrations.register(body.registration(), call=call))
