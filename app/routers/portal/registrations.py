"""Registration."""

from fastapi import APIRouter

from app import errors
from app.routers.dependencies import AnonymousVisit, Service
from app.routers.openapi import refusals
from app.routers.reading import StrictRoute
from app.schemas.portal import RegisteredBody, RegistrationGiven

router = APIRouter(prefix="/api/portal/v1/portal/registrations", tags=["Portal: registration"], route_class=StrictRoute)


@router.post(
    "",
    operation_id="register",
    summary="Register with an invitation",
    status_code=201,
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
