"""Looking at a link."""

from fastapi import APIRouter, Depends

from app import errors
from app.routers.dependencies import AnonymousVisit, CountedByAddress, Service
from app.routers.openapi import refusals
from app.routers.reading import StrictRoute
from app.schemas.portal import InspectionBody, TokenGiven
from app.throttles import Throttled

router = APIRouter(prefix="/api/portal/v1/portal/tokens", tags=["Portal: links"], route_class=StrictRoute)


@router.post(
    "/inspect",
    operation_id="inspectToken",
    summary="See what a link is good for",
    dependencies=[Depends(CountedByAddress(Throttled.INSPECTIONS))],
    responses=refusals(errors.TokenInvalid),
)
async def inspect_token(body: TokenGiven, call: AnonymousVisit, services: Service) -> InspectionBody:
    """Spends nothing, so mail scanners may follow links. A dead link answers 200 with its state."""
    return InspectionBody.of(await services.inspections.inspect(body.token, call=call))
