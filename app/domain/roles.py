"""Roles, built in and of an organisation's own, and who has which one there (contract sections 10 and 11)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from app.domain.callers import Actor, Caller
from app.errors import PermissionInvalid
from app.permissions import ROLES, Permission, Role

_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class AssignableRole:
    """A role that someone can be given: a built-in one, or one of the organisation's own."""

    id: UUID
    name: str
    permissions: frozenset[Permission]
    created_at: datetime
    built_in: Role | None = None


# Older than every other role, so that they stand at the end of a list that is newest first.
BUILT_IN_ROLES = tuple(
    AssignableRole(UUID(int=len(Role) - place), role.value, ROLES[role], _ALWAYS, role)
    for place, role in enumerate(Role)
)


def built_in_role(role: Role) -> AssignableRole:
    """The built-in role of this name."""
    return next(one for one in BUILT_IN_ROLES if one.built_in is role)


@dataclass(frozen=True, slots=True)
class RoleAssignment:
    """Someone has a role in the organisation. `subject` is the id of an employee or application in its bearer."""

    id: UUID
    subject: str
    role: AssignableRole
    created_at: datetime
    created_by: Actor


@dataclass(frozen=True, slots=True)
class AssignedRights:
    """What the organisation itself knows of a bearer's subject at this moment.

    `tenant_id` is None for an organisation that is not known yet.
    """

    tenant_id: UUID | None
    permissions: frozenset[Permission]


def grant_refusal(caller: Caller, permissions: Iterable[Permission]) -> PermissionInvalid | None:
    """Why the caller cannot give these permissions to anyone: nobody grants what they do not have."""
    lacking = sorted(permission.value for permission in permissions if not caller.may(permission))
    if not lacking:
        return None
    return PermissionInvalid(f"You cannot grant what you do not have: {', '.join(lacking)}.")
