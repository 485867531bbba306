"""Pages that failed."""

from fastapi import APIRouter, Depends

from app.routers.dependencies import AnyVisit, CountedByAddress, Service
from app.routers.reading import StrictRoute
from app.schemas.error_reports import ErrorReportGiven
from app.schemas.portal import Accepted
from app.throttles import Throttled

router = APIRouter(prefix="/api/portal/v1/portal/error-reports", tags=["Portal: errors"], route_class=StrictRoute)


@router.post(
    "",
    operation_id="reportError",
    summary="Report a page that failed",
    status_code=202,
    dependencies=[Depends(CountedByAddress(Throttled.ERROR_REPORTS))],
)
async def report_error(body: ErrorReportGiven, visit: AnyVisit, services: Service) -> Accepted:
    """With a session, be it ended, it stands in the customer's log and diagnosis; else in the organisation's log."""
    if visit.visitor is not None:
        await services.error_reports.of_visitor(visit.visitor, body.page, body.message, seen=visit.seen)
    else:
        await services.error_reports.of_nobody(visit.organisation_id, body.page, body.message, seen=visit.seen)
    return Accepted()
