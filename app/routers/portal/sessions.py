"""Logging in and out, and one's sessions."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response

from app import errors
from app.routers.dependencies import AnonymousVisit, LeavingVisit, LookingVisit, OwnersVisit, Paging, Service
from app.routers.errors import CLEAR_SITE_DATA
from app.routers.openapi import refusals
from app.routers.reading import StrictRoute
from app.schemas.base import PageBody
from app.schemas.portal import LoggedInBody, LoginGiven, SessionBody

router = APIRouter(prefix="/api/portal/v1/portal/sessions", tags=["Portal: sessions"], route_class=StrictRoute)


@router.post(
    "",
    operation_id="logIn",
    summary="Log in",
    status_code=201,
    responses=refusals(
        errors.PortalClosed,
        errors.InvalidCredentials,
        errors.EmailNotConfirmedAtLogin,
        errors.CustomerNumberRequired,
        errors.TooManyRequests,
    ),
)
async def log_in(body: LoginGiven, call: AnonymousVisit, services: Service, response: Response) -> LoggedInBody:
    """Opens a session. Whatever is wrong answers the same, but for an unconfirmed address with the right password.

    The first login after the utility has logged the customer out tells the browser to clear what it keeps
    (`Clear-Site-Data`).
    """
    logged_in = await services.logins.log_in(body.login(), call=call)
    if logged_in.clear_site_data:
        response.headers.update(CLEAR_SITE_DATA)
    return LoggedInBody.of(logged_in)


@router.get("", operation_id="listSessions", summary="List one's own sessions")
async def list_sessions(visit: LookingVisit, services: Service, page: Paging) -> PageBody[SessionBody]:
    """The live ones, newest first."""
    found = await services.sessions.page(visit.visitor, page)
    return PageBody.of(found, lambda one: SessionBody.of(one, visit.visitor.session_id))


@router.delete("/current", operation_id="logOut", summary="Log out", status_code=204)
async def log_out(leaving: LeavingVisit, services: Service, response: Response) -> None:
    """Ends the session that asks; once more answers the same."""
    if await services.sessions.log_out(leaving.token, leaving.place, seen=leaving.seen):
        response.headers.update(CLEAR_SITE_DATA)


@router.delete(
    "/{sessionId}",
    operation_id="endSession",
    summary="End one of one's sessions",
    status_code=204,
    responses=refusals(errors.ResourceNotFound),
)
async def end_session(
    session_id: Annotated[UUID, Path(alias="sessionId", description="Out of the list of one's sessions.")],
    visit: OwnersVisit,
    services: Service,
) -> None:
    """Logs another device out; once more answers the same."""
    await services.sessions.end(visit.visitor, session_id, seen=visit.seen)
