"""Looking at a link."""

from fastapi import APIRouter

from app import errors
from app.routers.dependencies import AnonymousVisit, Service
from app.routers.openapi import refusals
from app.routers.reading import StrictRoute
from app.schemas.portal import InspectionBody, TokenGiven

router = APIRouter(prefix="/api/portal/v1/portal/tokens", tags=["Portal: links"], route_class=StrictRoute)


@router.post(
    "/inspect",
    operation_id="inspectToken",
    summary="See what a link is good for",
    responses=refusals(errors.TokenInvalid),
)
async def inspect_token(body: TokenGiven, call: AnonymousVisit, services: Service) -> InspectionBody:
    """Spends nothing, so mail scanners may follow links. A dead link answers 200 with its state."""
    return InspectionBody.of(await services.inspections.inspect(body.token, call=call))
