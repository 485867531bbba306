"""The activity log."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from app import errors
from app.domain.callers import Call
from app.permissions import Permission
from app.routers.dependencies import ActivityFiltering, BackOffice, CustomerId, Paging, Service
from app.routers.exporting import Export, Exporting
from app.routers.openapi import refusals
from app.routers.reading import StrictRoute
from app.schemas.activities import ActivityBody, VerificationBody
from app.schemas.base import PageBody

router = APIRouter(prefix="/api/portal/v1", tags=["Back office: activities"], route_class=StrictRoute)

_Reading = Annotated[Call, Depends(BackOffice(Permission.PORTAL_ACTIVITY_READ))]
_EXPORT = Export("activities", ActivityBody, ActivityBody.of)


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
    response_model=PageBody[ActivityBody],
    responses=_EXPORT.responses(),
)
async def list_organisation_activities(
    call: _Reading, services: Service, page: Paging, only: ActivityFiltering, wanted: Exporting
) -> PageBody[ActivityBody] | Response:
    """Newest first, with the same filters.

    `Accept: text/csv` or `application/x-ndjson` gives all that match as one file, whatever page is asked for. Should
    it fail midway, the connection breaks off: what ended properly is whole. In CSV an apostrophe stands before what a
    spreadsheet would calculate.
    """
    if wanted is not None:
        everything = services.activities.all_of_organisation(only, call=call)
        return await _EXPORT.answer(wanted, everything, services.clock())
    return PageBody.of(await services.activities.of_organisation(page, only, call=call), ActivityBody.of)


@router.get(
    "/organisation/activities/verification",
    operation_id="verifyActivities",
    summary="Prove that the log is complete and unchanged",
)
async def verify_activities(call: _Reading, services: Service) -> VerificationBody:
    """Compares every entry with its seal and names those that were changed, removed or inserted.

    A million entries take about a minute; while a process is at it, it tells others to retry. For more there is
    `portal-access verify`.
    """
    return VerificationBody.of(await services.log_verification.verify(call.organisation_id))
