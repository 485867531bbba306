"""Roles, built in and of the organisation's own."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path

from app import errors
from app.domain.callers import Call
from app.permissions import Permission
from app.routers.dependencies import BackOffice, Paging, Service
from app.routers.openapi import refusals
from app.routers.reading import StrictRoute
from app.schemas.base import PageBody
from app.schemas.roles import RoleBody, RoleGiven

router = APIRouter(prefix="/api/portal/v1/organisation/roles", tags=["Back office: access"], route_class=StrictRoute)

_Writing = Annotated[Call, Depends(BackOffice(Permission.ACCESS_WRITE))]
_Creating = Annotated[Call, Depends(BackOffice(Permission.ACCESS_WRITE, answer=RoleBody, status=201))]
_RoleId = Annotated[
    UUID, Path(alias="roleId", description="Of a role of the organisation's own, out of the list of roles.")
]


@router.get("", operation_id="listRoles", summary="List the roles that can be assigned")
async def list_roles(call: _Writing, services: Service, page: Paging) -> PageBody[RoleBody]:
    """The organisation's own, newest first, and after them the built-in ones."""
    return PageBody.of(await services.roles.page(page, call=call), RoleBody.of)


@router.post(
    "",
    operation_id="createRole",
    summary="Make a role",
    status_code=201,
    responses=refusals(errors.ResourceNotFound, errors.RoleAlreadyExists),
)
async def create_role(body: RoleGiven, call: _Creating, services: Service) -> RoleBody:
    """A name for a bundle of permissions. Nobody grants a permission that they do not have themselves."""
    return RoleBody.of(await services.roles.create(body.name, frozenset(body.permissions), call=call))


@router.get("/{roleId}", operation_id="getRole", summary="Show a role", responses=refusals(errors.ResourceNotFound))
async def get_role(role_id: _RoleId, call: _Writing, services: Service) -> RoleBody:
    """One of the organisation's own."""
    return RoleBody.of(await services.roles.get(role_id, call=call))


@router.put(
    "/{roleId}",
    operation_id="putRole",
    summary="Change a role",
    responses=refusals(errors.ResourceNotFound, errors.RoleAlreadyExists),
)
async def put_role(role_id: _RoleId, body: RoleGiven, call: _Writing, services: Service) -> RoleBody:
    """Acts at the next request of everyone who has the role."""
    return RoleBody.of(await services.roles.change(role_id, body.name, frozenset(body.permissions), call=call))


@router.delete(
    "/{roleId}",
    operation_id="deleteRole",
    summary="Delete a role",
    status_code=204,
    responses=refusals(errors.ResourceNotFound, errors.RoleInUse),
)
async def delete_role(role_id: _RoleId, call: _Writing, services: Service) -> None:
    """Only once nobody has it any more; once more answers the same."""
    await services.roles.delete(role_id, call=call)
