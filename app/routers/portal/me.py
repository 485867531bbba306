"""Who is logged in, and what they change about their own account."""

from fastapi import APIRouter

from app import errors
from app.routers.dependencies import LookingVisit, OwnersVisit, Service
from app.routers.openapi import refusals
from app.routers.reading import StrictRoute
from app.schemas.own_accounts import EmailChangeGiven, PasswordChangeGiven
from app.schemas.portal import Accepted, Me, RegisteredBody

router = APIRouter(prefix="/api/portal/v1/portal/me", tags=["Portal: me"], route_class=StrictRoute)


@router.get("", operation_id="getMe", summary="See one's account, customer record and organisation")
async def get_me(visit: LookingVisit) -> Me:
    """All that the portal's pages need to greet the customer."""
    return Me.of(visit.visitor)


@router.put(
    "/password",
    operation_id="changePassword",
    summary="Change one's password",
    responses=refusals(errors.CurrentPasswordWrong, errors.TooManyRequests, errors.PasswordRefused),
)
async def change_password(body: PasswordChangeGiven, visit: OwnersVisit, services: Service) -> RegisteredBody:
    """Every other session of the customer ends, and so do links for a new password or another address.

    The account's address is told.
    """
    changed = await services.own_accounts.change_password(body.change(), visitor=visit.visitor, seen=visit.seen)
    return RegisteredBody.of(changed)


@router.post(
    "/email",
    operation_id="changeEmail",
    summary="Change one's e-mail address",
    status_code=202,
    responses=refusals(
        errors.CurrentPasswordWrong,
        errors.TooManyRequests,
        errors.EmailChangeNotOffered,
        errors.PortalUrlMissing,
        errors.NotAnEmailAddress,
    ),
)
async def change_email(body: EmailChangeGiven, visit: OwnersVisit, services: Service) -> Accepted:
    """Mails a link to the new address, which counts once it is confirmed; until then nothing changes but that every
    other session of the customer ends.

    The address so far is told. Another change, another password or an account reset ends the link.
    """
    await services.own_accounts.change_email(body.change(), visitor=visit.visitor, seen=visit.seen)
    return Accepted()
