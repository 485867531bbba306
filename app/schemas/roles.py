"""Roles, and who has which one."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from app.domain.roles import AssignableRole, RoleAssignment
from app.permissions import Permission, Role
from app.schemas.base import Answered, Given, Line
from app.schemas.links import ActorBody


def _subject(value: str) -> str:
    if not value.isprintable() or value != value.strip():
        raise PydanticCustomError("VALIDATION_FAILED", "A subject is an id as it stands in the bearer token")
    return value


RoleSubject = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200),
    AfterValidator(_subject),
    Field(description="Who has the role: the id of an employee or application in its bearer (`oid`, else `sub`)."),
]


class RoleGiven(Given):
    """A role of the organisation's own."""

    model_config = Given.model_config | {
        "json_schema_extra": {"examples": [{"name": "Service desk", "permissions": ["portal.read", "portal.invite"]}]}
    }

    name: Line = Field(description="Not the name of another role, whatever its case.")
    permissions: list[Permission] = Field(
        min_length=1, max_length=100, description="None that the caller does not have as well."
    )


class RoleBody(Answered):
    """A role: a built-in one, or one of the organisation's own."""

    id: UUID | None = Field(description="Null for a built-in role, which is known by its name.")
    name: str
    permissions: list[Permission]
    built_in: bool
    created_date_time: datetime | None

    @classmethod
    def of(cls, role: AssignableRole) -> "RoleBody":
        """From the domain's role."""
        own = role.built_in is None
        return cls(
            id=role.id if own else None,
            name=role.name,
            permissions=sorted(role.permissions),
            built_in=not own,
            created_date_time=role.created_at if own else None,
        )


class RoleAssignmentGiven(Given):
    """Who gets which role: a built-in one by name, or one of the organisation's own by id."""

    model_config = Given.model_config | {
        "json_schema_extra": {
            "examples": [
                {"subject": "3f8a1c52-employee", "role": "user"},
                {"subject": "3f8a1c52-employee", "roleId": "01a2049d-ce12-7020-ac1b-8a2b28548b35"},
            ]
        }
    }

    subject: RoleSubject
    role: Role | None = Field(None, description="A built-in role.")
    role_id: UUID | None = Field(None, description="A role of the organisation's own.")

    @model_validator(mode="after")
    def _one_role(self) -> Self:
        if (self.role is None) == (self.role_id is None):
            raise PydanticCustomError("VALIDATION_FAILED", "Give either role or roleId")
        return self

    @property
    def wanted(self) -> Role | UUID:
        """The one that was given."""
        wanted = self.role or self.role_id
        if wanted is None:
            raise ValueError("one of them was given")
        return wanted


class RoleAssignmentBody(Answered):
    """Someone has a role in the organisation."""

    id: UUID
    subject: str
    role: Role | None = Field(description="The built-in role, or null.")
    role_id: UUID | None = Field(description="The role of the organisation's own, or null.")
    role_name: str
    created_date_time: datetime
    created_by: ActorBody

    @classmethod
    def of(cls, assignment: RoleAssignment) -> "RoleAssignmentBody":
        """From the domain's assignment."""
        role = assignment.role
        return cls(
            id=assignment.id,
            subject=assignment.subject,
            role=role.built_in,
            role_id=None if role.built_in else role.id,
            role_name=role.name,
            created_date_time=assignment.created_at,
            created_by=ActorBody.of(assignment.created_by),
        )
