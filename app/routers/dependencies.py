"""What a router asks for: the services, and the call with its caller.

Each kind of call is one dependency, so that a request resolves it once and the application can be asked which
operation admits whom.
"""

import hashlib
import hmac
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Header, Path, Query, Request
from pydantic import BaseModel

from app.clock import Clock
from app.domain.activities import ActivityFilter, ActivityType
from app.domain.callers import ActorType, AnonymousCall, Call, Caller, Place, Seen
from app.domain.idempotency import Answer, Once
from app.domain.impersonations import PortalAct, act_refusal
from app.domain.paging import DEFAULT_PAGE_SIZE, MAXIMUM_PAGE_SIZE, Cursor, PageRequest
from app.domain.sessions import PortalVisitor
from app.errors import (
    CustomerDoesNotExist,
    FieldError,
    OrganisationHeaderInvalid,
    PermissionInvalid,
    ResourceNotFound,
    Unauthenticated,
    ValidationFailed,
)
from app.event_signatures import SIGNATURE_HEADER, TIMESTAMP_HEADER, EventSignatures
from app.permissions import Permission
from app.schemas.base import Moment
from app.services.access import Access
from app.services.account_resets import AccountResets
from app.services.accounts import Accounts
from app.services.activities import Activities
from app.services.cards import Cards
from app.services.communications import Communications
from app.services.customers import Customers
from app.services.delivery_reports import DeliveryReports
from app.services.diagnosis import Diagnoses
from app.services.documents import Documents
from app.services.email_confirmations import EmailConfirmations
from app.services.error_reports import ErrorReports
from app.services.impersonated_visits import ImpersonatedVisits
from app.services.impersonations import Impersonations
from app.services.inspections import Inspections
from app.services.invitations import Invitations
from app.services.logins import Logins
from app.services.own_accounts import OwnAccounts
from app.services.password_resets import PasswordResets
from app.services.portal_settings import PortalSettings
from app.services.portal_url_checks import PortalUrlChecks
from app.services.registrations import Registrations
from app.services.role_assignments import RoleAssignments
from app.services.roles import Roles
from app.services.sessions import Sessions
from app.throttles import Throttled, Throttles, address_key

LONGEST_IDEMPOTENCY_KEY = 255


@dataclass(frozen=True, slots=True)
class Services:
    """Every service that routers call, wired in `app/main.py`."""

    access: Access
    account_resets: AccountResets
    accounts: Accounts
    activities: Activities
    cards: Cards
    communications: Communications
    customers: Customers
    diagnoses: Diagnoses
    delivery_reports: DeliveryReports
    documents: Documents
    email_confirmations: EmailConfirmations
    error_reports: ErrorReports
    impersonated_visits: ImpersonatedVisits
    impersonations: Impersonations
    inspections: Inspections
    invitations: Invitations
    password_resets: PasswordResets
    logins: Logins
    own_accounts: OwnAccounts
    portal_settings: PortalSettings
    portal_url_checks: PortalUrlChecks
    registrations: Registrations
    role_assignments: RoleAssignments
    roles: Roles
    sessions: Sessions
    throttles: Throttles
    clock: Clock
    idempotency_secret: bytes
    event_signatures: EventSignatures | None


async def services(request: Request) -> Services:
    """The application's services."""
    found: Services = request.app.state.services
    return found


Service = Annotated[Services, Depends(services)]
CustomerId = Annotated[UUID, Path(alias="customerId")]


def _seen(request: Request) -> Seen:
    agent = request.headers.get("user-agent")
    return Seen(
        correlation_id=request.state.correlation_id,
        ip_address=request.client.host if request.client else None,
        user_agent="".join(c for c in agent[:300] if c.isprintable()) if agent else None,
    )


def _seen_of(visitor: PortalVisitor, request: Request) -> Seen:
    """The same of a call with a session; an employee's names the impersonation."""
    during = visitor.impersonation
    return replace(_seen(request), impersonation=during.ref if during else None)


def _organisation_header(request: Request, name: str) -> UUID:
    text = request.headers.get(name)
    try:
        if text is None or len(text) != 36:
            raise ValueError
        return UUID(text)
    except ValueError:
        raise OrganisationHeaderInvalid(f"The header {name} is missing or not a UUID.") from None


def _place(request: Request) -> Place:
    """The optional headers of a portal session."""
    tenant_id, organisation_id = (
        _organisation_header(request, name) if name in request.headers else None for name in ("zf-tuuid", "zf-ouuid")
    )
    return Place(tenant_id, organisation_id)


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated
    return token.strip()


class BackOffice:
    """A call of an employee or application that has the permission.

    `answer` and `status` say how the operation answers; with them it takes an Idempotency-Key.
    """

    otherwise = ""  # what admits a caller without it, for the document

    def __init__(self, permission: Permission, *, answer: type[BaseModel] | None = None, status: int = 200) -> None:
        self.permission = permission
        self.answer = answer
        self.status = status

    async def __call__(self, request: Request) -> Call:
        """Raises: Unauthenticated, OrganisationHeaderInvalid, PermissionInvalid, ValidationFailed."""
        wired: Services = request.app.state.services
        bearer = await wired.access.bearer(_bearer(request))
        tenant_id = _organisation_header(request, "zf-tuuid")
        organisation_id = _organisation_header(request, "zf-ouuid")
        caller = await wired.access.caller(bearer, tenant_id, organisation_id)
        await self.admit(request, caller)
        once = await self._once(request, caller, wired.idempotency_secret) if self.answer else None
        return Call(caller, _seen(request), once)

    async def admit(self, _request: Request, caller: Caller) -> None:
        """Raises: PermissionInvalid."""
        caller.require(self.permission)

    async def _once(self, request: Request, caller: Caller, secret: bytes) -> Once | None:
        key = request.headers.get("idempotency-key")
        if key is None:
            return None
        if not 1 <= len(key) <= LONGEST_IDEMPOTENCY_KEY:
            message = f"1 to {LONGEST_IDEMPOTENCY_KEY} characters"
            raise ValidationFailed(errors=[FieldError("Idempotency-Key", "VALIDATION_FAILED", message)])
        scope = f"{caller.organisation_id}\n{caller.actor.type.value}\n{caller.actor.id}\n{key}"
        what = f"{request.method}\n{request.url.path}\n".encode() + await request.body()
        return Once(
            key_digest=hmac.digest(secret, scope.encode(), hashlib.sha256),
            request_digest=hmac.digest(secret, what, hashlib.sha256),
            render=self._render,
        )

    def _render(self, result: Any) -> Answer:
        schema: Any = self.answer
        return Answer(self.status, schema.of(result).model_dump_json(by_alias=True))


class StartingImpersonation(BackOffice):
    """A call that logs in as a customer. Who tries without the permission is remembered in the customer's log."""

    async def admit(self, request: Request, caller: Caller) -> None:
        """Remember a refusal, if there is such a customer.

        Raises: PermissionInvalid.
        """
        if not caller.may(self.permission):
            wired: Services = request.app.state.services
            with suppress(ValueError, CustomerDoesNotExist):
                customer_id = UUID(request.path_params["customerId"])
                call = Call(caller, _seen(request))
                await wired.impersonations.remember_refusal(customer_id, PermissionInvalid(), call=call)
        caller.require(self.permission)


class EndingImpersonation(BackOffice):
    """A call that ends an impersonation. Who started it needs no permission any more, which the service judges."""

    otherwise = ", or to have started it"

    async def admit(self, _request: Request, _caller: Caller) -> None:
        """Whoever works in the organisation may have started it."""


class Anonymous:
    """A call of the portal before login; the headers name the organisation."""

    async def __call__(self, request: Request) -> AnonymousCall:
        """Raises: OrganisationHeaderInvalid."""
        tenant_id = _organisation_header(request, "zf-tuuid")
        organisation_id = _organisation_header(request, "zf-ouuid")
        wired: Services = request.app.state.services
        await wired.access.check_organisation(tenant_id, organisation_id)
        return AnonymousCall(organisation_id, _seen(request))


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
        visitor = await wired.sessions.recognise(_bearer(request), _place(request))
        during = visitor.impersonation
        seen = _seen_of(visitor, request)
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
        return Leaving(_bearer(request), _place(request), _seen(request))


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
        visitor = await wired.sessions.owner(_bearer(request), _place(request))
        return OpenVisit(visitor.standing.organisation.organisation_id, visitor, _seen_of(visitor, request))


class CountedByAddress:
    """Lets each client address make so many calls of a kind, before anything else is looked at."""

    def __init__(self, kind: Throttled) -> None:
        self.kind = kind

    async def __call__(self, request: Request) -> None:
        """Raises: TooManyRequests."""
        wired: Services = request.app.state.services
        await wired.throttles.hit(self.kind, address_key(request.client.host if request.client else None))


class SignedByMailProvider:
    """A call of the mail provider: its signature under the body stands for a bearer."""

    async def __call__(self, request: Request) -> bytes:
        """The body.

        Raises: ResourceNotFound, while no key of a provider is set; SignatureInvalid, PayloadTooLarge.
        """
        signatures: EventSignatures | None = request.app.state.services.event_signatures
        if signatures is None:
            raise ResourceNotFound
        body = await request.body()
        signatures.check(request.headers.get(SIGNATURE_HEADER), request.headers.get(TIMESTAMP_HEADER), body)
        return body


MailEvents = Annotated[bytes, Depends(SignedByMailProvider())]
AnyVisit = Annotated[OpenVisit, Depends(Visiting())]
AnonymousVisit = Annotated[AnonymousCall, Depends(Anonymous())]
LookingVisit = Annotated[Visit, Depends(LoggedIn(PortalAct.LOOK))]
ChangingVisit = Annotated[Visit, Depends(LoggedIn(PortalAct.CHANGE))]
OwnersVisit = Annotated[Visit, Depends(LoggedIn(PortalAct.OWNERS))]
LeavingVisit = Annotated[Leaving, Depends(LoggingOut())]


async def page_request(
    page_size: Annotated[
        int, Query(alias="pageSize", ge=1, le=MAXIMUM_PAGE_SIZE, description="Most results of a page.")
    ] = DEFAULT_PAGE_SIZE,
    continuation_token: Annotated[
        str | None,
        Query(alias="continuationToken", max_length=200, description="`nextPageToken` of the page before."),
    ] = None,
    continuation_header: Annotated[
        str | None, Header(alias="continuationToken", max_length=200, description="The same as a header.")
    ] = None,
) -> PageRequest:
    """Which page is asked for.

    Raises: ValidationFailed.
    """
    token = continuation_token or continuation_header
    return PageRequest(page_size, Cursor.decode(token) if token else None)


Paging = Annotated[PageRequest, Depends(page_request)]


async def activity_filter(
    types: Annotated[list[ActivityType] | None, Query(alias="type", max_length=50, description="Repeatable.")] = None,
    from_at: Annotated[Moment | None, Query(alias="fromDateTime", description="Inclusive.")] = None,
    to_at: Annotated[Moment | None, Query(alias="toDateTime", description="Exclusive.")] = None,
    actor_type: Annotated[ActorType | None, Query(alias="actorType")] = None,
    impersonated: Annotated[bool | None, Query(description="Only during an impersonation, or only outside.")] = None,
) -> ActivityFilter:
    """Which activities are asked for."""
    return ActivityFilter(
        types=tuple(kind.value for kind in types) if types else None,
        from_at=from_at,
        to_at=to_at,
        actor_type=actor_type.value if actor_type else None,
        impersonated=impersonated,
    )


ActivityFiltering = Annotated[ActivityFilter, Depends(activity_filter)]
