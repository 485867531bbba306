"""Who has which role in the organisation."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query

from app import errors
from app.domain.callers import Call
from app.permissions import Permission
from app.routers.dependencies import BackOffice, Paging, Service
from app.routers.openapi import refusals
from app.routers.reading import StrictRoute
from app.schemas.base import PageBody
from app.schemas.roles import RoleAssignmentBody, RoleAssignmentGiven, RoleSubject

router = APIRouter(
    prefix="/api/portal/v1/organisation/role-assignments", tags=["Back office: access"], route_class=StrictRoute
)

_Writing = Annotated[Call, Depends(BackOffice(Permission.ACCESS_WRITE))]
_Assigning = Annotated[Call, Depends(BackOffice(Permission.ACCESS_WRITE, answer=RoleAssignmentBody, status=201))]


@router.get("", operation_id="listRoleAssignments", summary="List who has which role")
async def list_role_assignments(
    call: _Writing,
    services: Service,
    page: Paging,
    subject: Annotated[RoleSubject | None, Query(description="Only what this one has.")] = None,
) -> PageBody[RoleAssignmentBody]:
    """Newest first; what bearer tokens grant by themselves does not stand here."""
    found = await services.role_assignments.page(page, subject, call=call)
    return PageBody.of(found, RoleAssignmentBody.of)


@router.post(
    "",
    operation_id="assignRole",
    summary="Give someone a role",
    status_code=201,
    responses=refusals(errors.ResourceNotFound, errors.RoleAlreadyAssigned),
)
async def assign_role(body: RoleAssignmentGiven, call: _Assigning, services: Service) -> RoleAssignmentBody:
    """Acts at the subject's next request. Nobody grants a permission that they do not have themselves."""
    return RoleAssignmentBody.of(await services.role_assignments.assign(body.subject, body.wanted, call=call))


@router.delete(
    "/{assignmentId}",
    operation_id="removeRoleAssignment",
    summary="Take a role away",
    status_code=204,
    responses=refusals(errors.ResourceNotFound, errors.LastAdministrator),
)
async def remove_role_assignment(
    assignment_id: Annotated[UUID, Path(alias="assignmentId", description="Out of the list of assignments.")],
    call: _Writing,
    services: Service,
) -> None:
    """Acts at the subject's next request; once more answers the same. The last administrator stays."""
    await services.role_assignments.remove(assignment_id, call=call)
