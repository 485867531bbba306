"""Figures of the organisation's portal."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from app.domain.callers import Call
from app.permissions import Permission
from app.routers.dependencies import BackOffice, Service
from app.routers.reading import StrictRoute
from app.schemas.adoption import Statistics

router = APIRouter(
    prefix="/api/portal/v1/organisation/statistics", tags=["Back office: adoption"], route_class=StrictRoute
)


@router.get("", operation_id="getStatistics", summary="Count how many customers use the portal")
async def get_statistics(
    call: Annotated[Call, Depends(BackOffice(Permission.PORTAL_READ))],
    services: Service,
    weeks: Annotated[int, Query(ge=1, le=104, description="How many, this one included.")] = 26,
) -> Statistics:
    """Customers, those invited, registered and active today, and what came week by week.

    Accounts count that are live today: one that was reset or retired is in no week any more. A changed e-mail address
    counts in the week in which the new one was confirmed.
    """
    return Statistics.of(await services.adoption.get(weeks, call=call))
