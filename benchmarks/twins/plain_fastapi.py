"""The twin as plain FastAPI: a route for each operation, a dependency for the bearer, pydantic for the bodies."""

from typing import Annotated, Any
from urllib.parse import parse_qs
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Header, Request

from app.permissions import Permission
from app.schemas.activities import ActivityBody
from app.schemas.base import PageBody
from app.schemas.cards import CardBody
from app.schemas.introspection import IntrospectionBody
from app.schemas.portal import InspectionBody, Me, TokenGiven
from benchmarks.twins.deeds import Deeds, lifespan

app = FastAPI(lifespan=lifespan)
router = APIRouter(prefix="/api/portal/v1")


async def deeds(request: Request) -> Deeds:
    found: Deeds = request.app.state.deeds
    return found


Does = Annotated[Deeds, Depends(deeds)]
Organisation = Annotated[UUID, Header(alias="zf-ouuid")]


class Employee:
    """Whose bearer has the permission; the organisation."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    async def __call__(
        self,
        does: Does,
        authorization: Annotated[str, Header()],
        tenant: Annotated[UUID, Header(alias="zf-tuuid")],
        organisation: Organisation,
    ) -> UUID:
        await does.employee(authorization.removeprefix("Bearer "), tenant, organisation, self.permission)
        return organisation


Reading = Annotated[UUID, Depends(Employee(Permission.PORTAL_READ))]
ReadingLog = Annotated[UUID, Depends(Employee(Permission.PORTAL_ACTIVITY_READ))]
Introspecting = Annotated[UUID, Depends(Employee(Permission.PORTAL_INTROSPECT))]


@app.get("/readyz")
async def ready() -> dict[str, str]:
    return {"status": "ready"}


@router.get("/customers/{customer}/portal", response_model=CardBody)
async def get_card(customer: UUID, organisation: Reading, does: Does) -> Any:
    return await does.get_card(organisation, customer)


@router.get("/customers/{customer}/portal/activities", response_model=PageBody[ActivityBody])
async def list_activities(customer: UUID, organisation: ReadingLog, does: Does, pageSize: int = 50) -> Any:  # noqa: N803
    return await does.list_activities(organisation, customer, pageSize)


@router.get("/portal/me", response_model=Me)
async def get_me(authorization: Annotated[str, Header()], does: Does) -> Any:
    return await does.get_me(authorization.removeprefix("Bearer "))


@router.post("/portal/sessions/introspect", response_model=IntrospectionBody, response_model_exclude_none=True)
async def introspect_session(request: Request, _organisation: Introspecting, does: Does) -> Any:
    form = parse_qs(await request.body())  # FastAPI's own forms take another package
    return await does.introspect_session(form[b"token"][0].decode())


@router.post("/portal/tokens/inspect", response_model=InspectionBody)
async def inspect_token(body: TokenGiven, organisation: Organisation, does: Does) -> Any:
    return await does.inspect_token(organisation, body.token)


app.include_router(router)
