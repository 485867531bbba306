"""Who is logged in."""

from fastapi import APIRouter

from app.routers.dependencies import LookingVisit
from app.routers.reading import StrictRoute
from app.schemas.portal import Me

router = APIRouter(prefix="/api/portal/v1/portal/me", tags=["Portal: me"], route_class=StrictRoute)


@router.get("", operation_id="getMe", summary="See one's account, customer record and organisation")
async def get_me(visit: LookingVisit) -> Me:
    """All that the portal's pages need to greet the customer."""
    return Me.of(visit.visitor)
