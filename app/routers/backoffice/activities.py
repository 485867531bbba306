"""The activity log."""

from typing import Annotated

from fastapi import APIRouter, Depends

from app import errors
from app.domain.callers import Call
from app.permissions import Permission
from app.routers.dependencies import ActivityFiltering, BackOffice, CustomerId, Paging, Service
from app.routers.openapi import refusals
from app.routers.reading import StrictRoute
from app.schemas.activities import ActivityBody
from app.schemas.base import PageBody

router = APIRouter(prefix="/api/portal/v1", tags=["Activities"], route_class=StrictRoute)

_Reading = Annotated[Call, Depends(BackOffice(Permission.PORTAL_ACTIVITY_READ))]


@router.get(
    "/customers/{customerId}/portal/activities",
    operation_id="listActivities",
    summary="List what happened around a customer's portal access",
    responses=refusals(errors.CustomerDoesNotExist),
)
async def list_activities(
    customer_id: CustomerId, call: _Reading, services: Service, page: Paging, only: ActivityFiltering
) -> PageBody[ActivityBody]:
    """Newest first, with actor, subject and correlation id."""
    found = await services.activities.of_customer(customer_id, page, only, call=call)
    return PageBody.of(found, ActivityBody.of)


@router.get(
    "/organisation/activities",
    operation_id="listOrganisationActivities",
    summary="List what happened in the whole organisation",
)
async def list_organisation_activities(
    call: _Reading, services: Service, page: Paging, only: ActivityFiltering
) -> PageBody[ActivityBody]:
    """Newest first, with the same filters."""
    return PageBody.of(await services.activities.of_organisation(page, only, call=call), ActivityBody.of)
