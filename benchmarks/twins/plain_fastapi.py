"""The twin as plain FastAPI: a route for each operation, a dependency for the bearer, pydantic for the bodies."""

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import parse_qs
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Header, Request

from app.domain.callers import Actor
from app.permissions import Permission
from app.schemas.activities import ActivityBody
from app.schemas.base import PageBody
from app.schemas.cards import CardBody
from app.schemas.impersonations import ImpersonationBody, StartedImpersonationBody, StartImpersonation
from app.schemas.introspection import IntrospectionBody
from app.schemas.links import LinkBody
from app.schemas.portal import (
    Accepted,
    AddressGiven,
    InspectionBody,
    LoggedInBody,
    LoginGiven,
    Me,
    RegisteredBody,
    RegistrationGiven,
    TokenGiven,
)
from benchmarks.twins import reads, writes
from benchmarks.twins.bare import Bare, lifespan

app = FastAPI(lifespan=lifespan)
router = APIRouter(prefix="/api/portal/v1")


async def bare(request: Request) -> Bare:
    found: Bare = request.app.state.bare
    return found


Works = Annotated[Bare, Depends(bare)]
Organisation = Annotated[UUID, Header(alias="zf-ouuid")]
Authorization = Annotated[str, Header()]


@dataclass(frozen=True, slots=True)
class Employee:
    """Who calls, and where."""

    organisation: UUID
    actor: Actor


class May:
    """Whether the bearer has the permission."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    async def __call__(
        self,
        works: Works,
        authorization: Authorization,
        tenant: Annotated[UUID, Header(alias="zf-tuuid")],
        organisation: Organisation,
    ) -> Employee:
        token = authorization.removeprefix("Bearer ")
        return Employee(organisation, (await works.employee(token, tenant, organisation, self.permission)).actor)


Reading = Annotated[Employee, Depends(May(Permission.PORTAL_READ))]
ReadingLog = Annotated[Employee, Depends(May(Permission.PORTAL_ACTIVITY_READ))]
Introspecting = Annotated[Employee, Depends(May(Permission.PORTAL_INTROSPECT))]
Inviting = Annotated[Employee, Depends(May(Permission.PORTAL_INVITE))]
Impersonating = Annotated[Employee, Depends(May(Permission.PORTAL_IMPERSONATE))]


@app.get("/readyz")
async def ready() -> dict[str, str]:
    return {"status": "ready"}


@router.get("/customers/{customer}/portal", response_model=CardBody)
async def get_card(customer: UUID, by: Reading, works: Works) -> Any:
    return await reads.get_card(works, by.organisation, customer)


@router.get("/customers/{customer}/portal/activities", response_model=PageBody[ActivityBody])
async def list_activities(customer: UUID, by: ReadingLog, works: Works, pageSize: int = 50) -> Any:  # noqa: N803
    return await reads.list_activities(works, by.organisation, customer, pageSize)


@router.get("/portal/me", response_model=Me)
async def get_me(authorization: Authorization, works: Works) -> Any:
    return await reads.get_me(works, authorization.removeprefix("Bearer "))


@router.post("/portal/sessions/introspect", response_model=IntrospectionBody, response_model_exclude_none=True)
async def introspect_session(request: Request, _by: Introspecting, works: Works) -> Any:
    form = parse_qs(await request.body())  # FastAPI's own forms take another package
    return await reads.introspect_session(works, form[b"token"][0].decode())


@router.post("/portal/tokens/inspect", response_model=InspectionBody)
async def inspect_token(body: TokenGiven, organisation: Organisation, works: Works) -> Any:
    return await reads.inspect_token(works, organisation, body.token)


@router.post("/customers/{customer}/portal/invitations", response_model=LinkBody, status_code=201)
async def send_invitation(customer: UUID, by: Inviting, works: Works) -> Any:
    return await writes.send_invitation(works, by.organisation, by.actor, customer)


@router.post("/portal/email-confirmations", response_model=RegisteredBody)
async def confirm_email(body: TokenGiven, organisation: Organisation, works: Works) -> Any:
    return await writes.confirm_email(works, organisation, body.token)


@router.post("/portal/password-resets", response_model=Accepted, status_code=202)
async def forgot_password(body: AddressGiven, organisation: Organisation, works: Works) -> Any:
    return await writes.forgot_password(works, organisation, body.email)


@router.post("/portal/impersonations/redeem", response_model=LoggedInBody, status_code=201)
async def redeem_impersonation(body: TokenGiven, organisation: Organisation, works: Works) -> Any:
    return await writes.redeem_impersonation(works, organisation, body.token)


_SESSIONS = "/customers/{customer}/portal/impersonation-sessions"


@router.post(_SESSIONS, response_model=StartedImpersonationBody, status_code=201)
async def start_impersonation(customer: UUID, body: StartImpersonation, by: Impersonating, works: Works) -> Any:
    return await writes.start_impersonation(
        works, by.organisation, by.actor, customer, body.reason, body.access_mode.value
    )


@router.post(_SESSIONS + "/{one}/end", response_model=ImpersonationBody)
async def end_impersonation(customer: UUID, one: UUID, by: Impersonating, works: Works) -> Any:
    return await writes.end_impersonation(works, by.organisation, by.actor, customer, one)


@router.post("/portal/sessions", response_model=LoggedInBody, status_code=201)
async def log_in(body: LoginGiven, organisation: Organisation, works: Works) -> Any:
    return await writes.log_in(works, organisation, body.email, body.password)


@router.post("/portal/registrations", response_model=RegisteredBody, status_code=201)
async def register(body: RegistrationGiven, organisation: Organisation, works: Works) -> Any:
    return await writes.register(works, organisation, body.token, body.password)


app.include_router(router)
