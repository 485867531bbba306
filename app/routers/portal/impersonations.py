"""An employee in the portal: handed over, ended by the banner, and shown to the customer."""

from fastapi import APIRouter, Depends

from app import errors
from app.errors import HandOffDead, TokenExpired, TokenRevoked, TokenSuperseded, TokenUsed
from app.routers.dependencies import AnonymousVisit, CountedByAddress, LeavingVisit, LookingVisit, Paging, Service
from app.routers.openapi import refusals
from app.routers.reading import StrictRoute
from app.schemas.base import PageBody
from app.schemas.impersonations import AccessLogEntry, ImpersonationBody
from app.schemas.portal import LoggedInBody, TokenGiven
from app.throttles import Throttled

router = APIRouter(prefix="/api/portal/v1/portal", tags=["Portal: impersonation"], route_class=StrictRoute)

_DEAD = [HandOffDead(end()) for end in (TokenExpired, TokenUsed, TokenSuperseded, TokenRevoked)]


@router.post(
    "/impersonations/redeem",
    operation_id="redeemImpersonation",
    summary="Open the portal as an employee",
    status_code=201,
    dependencies=[Depends(CountedByAddress(Throttled.REDEMPTIONS))],
    responses=refusals(
        errors.TokenInvalid,
        *_DEAD,
        errors.PortalNotEnabled,
        errors.PortalUrlMissing,
        errors.FeatureNotEnabled,
        errors.EmailNotConfirmed,
    ),
)
async def redeem_impersonation(body: TokenGiven, call: AnonymousVisit, services: Service) -> LoggedInBody:
    """Spends the hand-off link. The session ends with the impersonation, 15 minutes after its start at the latest."""
    return LoggedInBody.of(await services.impersonated_visits.redeem(body.token, call=call))


@router.post(
    "/impersonations/current/end",
    operation_id="endOwnImpersonation",
    summary="End this session: the banner's button",
    responses=refusals(errors.ResourceNotFound),
)
async def end_own_impersonation(leaving: LeavingVisit, services: Service) -> ImpersonationBody:
    """Ends the impersonation whose session asks; once more answers the same."""
    ended = await services.sessions.end_impersonation(leaving.token, leaving.place, seen=leaving.seen)
    return ImpersonationBody.of(ended)


@router.get(
    "/me/access-log",
    operation_id="getAccessLog",
    summary="See who of the utility was logged in as oneself",
    responses=refusals(errors.FeatureNotEnabled),
)
async def get_access_log(visit: LookingVisit, services: Service, page: Paging) -> PageBody[AccessLogEntry]:
    """Newest first: who, when, and why. Only where the utility shows it."""
    return PageBody.of(await services.impersonated_visits.access_log(visit.visitor, page), AccessLogEntry.of)
