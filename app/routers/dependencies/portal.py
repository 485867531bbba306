"""Calls of the portal: before login, with a session, leaving."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request

from app.domain.callers import AnonymousCall, Place, Seen
from app.domain.impersonations import PortalAct, act_refusal
from app.domain.sessions import PortalVisitor
from app.routers.dependencies.calls import bearer_of, organisation_header, place, seen_of_call, seen_of_visit
from app.routers.dependencies.services import Services


class Anonymous:
    """A call of the portal before login; the headers name the organisation."""

    async def __call__(self, request: Request) -> AnonymousCall:
        """Raises: OrganisationHeaderInvalid."""
        tenant_id = organisation_header(request, "zf-tuuid")
        organisation_id = organisation_header(request, "zf-ouuid")
        wired: Services = request.app.state.services
        await wired.access.check_organisation(tenant_id, organisation_id)
        return AnonymousCall(organisation_id, seen_of_call(request))


@dataclass(frozen=True, slots=True)
class Visit:
    """A call of a customer who is logged in to the portal."""

    visitor: PortalVisitor
    seen: Seen


class LoggedIn:
    """A call of the portal with a session. `act` says what it does; undeclared, no impersonator may do it."""

    def __init__(self, act: PortalAct | None = None) -> None:
        self.act = act

    async def __call__(self, request: Request) -> Visit:
        """Raises: Unauthenticated, SessionEnded, PortalClosed, OrganisationHeaderInvalid, ImpersonationReadOnly,
        NotAllowedWhileImpersonating.
        """
        wired: Services = request.app.state.services
        visitor = await wired.sessions.recognise(bearer_of(request), place(request))
        during = visitor.impersonation
        seen = seen_of_visit(visitor, request)
        if during is not None and (refusal := act_refusal(self.act, during.access_mode)):
            operation = request.scope["route"].operation_id
            await wired.impersonated_visits.refuse_act(visitor, operation, refusal, seen=seen)
            raise refusal
        return Visit(visitor, seen)


@dataclass(frozen=True, slots=True)
class Leaving:
    """A call that ends its own session, which may have ended before."""

    token: str
    place: Place
    seen: Seen


class LoggingOut:
    """A call with a session that is, or was, one."""

    async def __call__(self, request: Request) -> Leaving:
        """Raises: Unauthenticated, OrganisationHeaderInvalid."""
        return Leaving(bearer_of(request), place(request), seen_of_call(request))


@dataclass(frozen=True, slots=True)
class OpenVisit:
    """A call of the portal, with a session or before login."""

    organisation_id: UUID
    visitor: PortalVisitor | None
    seen: Seen


class Visiting:
    """A call by whoever the portal shows itself to: with a session, which may have ended, or before login."""

    async def __call__(self, request: Request) -> OpenVisit:
        """Raises: OrganisationHeaderInvalid; with an Authorization header Unauthenticated, SessionEnded."""
        if "authorization" not in request.headers:
            call = await Anonymous()(request)
            return OpenVisit(call.organisation_id, None, call.seen)
        wired: Services = request.app.state.services
        visitor = await wired.sessions.owner(bearer_of(request), place(request))
        return OpenVisit(visitor.standing.organisation.organisation_id, visitor, seen_of_visit(visitor, request))


AnyVisit = Annotated[OpenVisit, Depends(Visiting())]
AnonymousVisit = Annotated[AnonymousCall, Depends(Anonymous())]
LookingVisit = Annotated[Visit, Depends(LoggedIn(PortalAct.LOOK))]
ChangingVisit = Annotated[Visit, Depends(LoggedIn(PortalAct.CHANGE))]
OwnersVisit = Annotated[Visit, Depends(LoggedIn(PortalAct.OWNERS))]
LeavingVisit = Annotated[Leaving, Depends(LoggingOut())]
