"""The diagnosis behind the card's troubleshooting tables."""

from typing import Annotated

from fastapi import APIRouter, Depends

from app import errors
from app.domain.callers import Call
from app.permissions import Permission
from app.routers.dependencies import BackOffice, CustomerId, Service
from app.routers.openapi import refusals
from app.routers.reading import StrictRoute
from app.schemas.diagnosis import DiagnosisBody

router = APIRouter(prefix="/api/portal/v1/customers", tags=["Back office: diagnosis"], route_class=StrictRoute)


@router.get(
    "/{customerId}/portal/diagnosis",
    operation_id="getDiagnosis",
    summary="Find out why the portal does not work for a customer",
    responses=refusals(errors.CustomerDoesNotExist),
)
async def get_diagnosis(
    customer_id: CustomerId,
    call: Annotated[Call, Depends(BackOffice(Permission.PORTAL_READ))],
    services: Service,
) -> DiagnosisBody:
    """Judges every row of the two troubleshooting tables from live data.

    Each finding says what shows the problem, what solves it, and which operation does.
    """
    return DiagnosisBody.of(await services.diagnoses.of_customer(customer_id, call=call))
