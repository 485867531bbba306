"""Checking the portal's address."""

from typing import Annotated

from fastapi import APIRouter, Depends

from app import errors
from app.domain.callers import Call
from app.permissions import Permission
from app.routers.dependencies import BackOffice, Service
from app.routers.openapi import refusals
from app.routers.reading import StrictRoute
from app.schemas.portal import Accepted

router = APIRouter(
    prefix="/api/portal/v1/organisation/portal-url-checks", tags=["Back office: organisation"], route_class=StrictRoute
)


@router.post(
    "",
    operation_id="checkPortalUrl",
    summary="Have the portal's address checked",
    status_code=202,
    responses=refusals(errors.PortalUrlMissing),
)
async def check_portal_url(
    call: Annotated[Call, Depends(BackOffice(Permission.PORTAL_SETTINGS_WRITE, answer=Accepted, status=202))],
    services: Service,
) -> Accepted:
    """Tries within moments whether the portal answers; the diagnosis of any customer shows the outcome.

    It is also tried once a day, and whenever the address changes.
    """
    return Accepted.of(await services.portal_url_checks.ask(call=call))
