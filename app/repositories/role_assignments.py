"""Who has which role in an organisation, and what that allows."""

from uuid import UUID

from sqlalchemy import bindparam, func, insert, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.types import Integer, Text, Uuid

from app.database import Connection, ConstraintViolated, Row, Statement
from app.domain.callers import Actor, ActorType
from app.domain.paging import Cursor, Page, PageRequest
from app.domain.roles import AssignableRole, AssignedRights, RoleAssignment, built_in_role
from app.errors import RoleAlreadyAssigned
from app.models import organisations, role_assignments, roles
from app.permissions import ROLES, Permission, Role, known_permissions
from app.repositories.rows import ORGANISATION

_LIVE = role_assignments.c.removed_at.is_(None)
_THIS = (role_assignments.c.organisation_id == ORGANISATION) & (
    role_assignments.c.id == bindparam("assignment_id", type_=Uuid())
)
_with_role = role_assignments.outerjoin(
    roles,
    (roles.c.organisation_id == role_assignments.c.organisation_id) & (roles.c.id == role_assignments.c.role_id),
)
_COLUMNS = (
    role_assignments.c.id,
    role_assignments.c.subject,
    role_assignments.c.role,
    role_assignments.c.created_at,
    role_assignments.c.created_by_type,
    role_assignments.c.created_by_id,
    role_assignments.c.created_by_name,
    roles.c.id.label("role_id"),
    roles.c.name.label("role_name"),
    roles.c.permissions.label("role_permissions"),
    roles.c.created_at.label("role_created_at"),
)

# The first statement of a back-office call: whose the organisation is, and what its caller was given there.
_RIGHTS = Statement(
    select(organisations.c.tenant_id, role_assignments.c.role, roles.c.permissions)
    .select_from(
        organisations.outerjoin(
            role_assignments,
            (role_assignments.c.organisation_id == organisations.c.organisation_id)
            & (role_assignments.c.subject == bindparam("subject", type_=Text()))
            & _LIVE,
        ).outerjoin(
            roles,
            (roles.c.organisation_id == role_assignments.c.organisation_id)
            & (roles.c.id == role_assignments.c.role_id),
        )
    )
    .where(organisations.c.organisation_id == ORGANISATION)
)

_ADD = Statement(
    insert(role_assignments)
    .values(
        organisation_id=ORGANISATION,
        id=bindparam("assignment_id", type_=Uuid()),
        subject=bindparam("subject", type_=Text()),
        role=bindparam("role", type_=Text()),
        role_id=bindparam("role_id", type_=Uuid()),
        created_by_type=bindparam("created_by_type"),
        created_by_id=bindparam("created_by_id"),
        created_by_name=bindparam("created_by_name"),
    )
    .returning(role_assignments.c.created_at)
)
_REMOVE = Statement(
    update(role_assignments).where(_THIS, _LIVE).values(removed_at=func.now()).returning(role_assignments.c.id)
)
_FIND = Statement(select(*_COLUMNS).select_from(_with_role).where(_THIS, _LIVE))
_EXISTED = Statement(select(role_assignments.c.id).where(_THIS))
_ADMINISTRATORS = Statement(
    select(func.count().label("number")).where(
        role_assignments.c.organisation_id == ORGANISATION,
        role_assignments.c.role == Role.ADMINISTRATOR.value,
        _LIVE,
    )
)
_HOLDERS = Statement(
    select(func.count().label("number")).where(
        role_assignments.c.organisation_id == ORGANISATION,
        role_assignments.c.role_id == bindparam("role_id", type_=Uuid()),
        _LIVE,
    )
)

_moment = TIMESTAMP(timezone=True)
_PAGE = Statement(
    select(*_COLUMNS)
    .select_from(_with_role)
    .where(
        role_assignments.c.organisation_id == ORGANISATION,
        _LIVE,
        or_(
            bindparam("subject", type_=Text()).is_(None),
            role_assignments.c.subject == bindparam("subject", type_=Text()),
        ),
        or_(
            bindparam("after_at", type_=_moment).is_(None),
            tuple_(role_assignments.c.created_at, role_assignments.c.id)
            < tuple_(bindparam("after_at", type_=_moment), bindparam("after_id", type_=Uuid())),
        ),
    )
    .order_by(role_assignments.c.created_at.desc(), role_assignments.c.id.desc())
    .limit(bindparam("most", type_=Integer()))
)


class RoleAssignments:
    """Assignments of one organisation."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def rights(self, subject: str) -> AssignedRights:
        """What the subject may do here by its assignments, at this moment, and whose the organisation is."""
        rows = await self._connection.rows(_RIGHTS, subject=subject)
        granted: set[Permission] = set()
        for row in rows:
            if row["role"] is not None:
                granted |= ROLES[Role(row["role"])]
            granted |= known_permissions(row["permissions"] or ())
        return AssignedRights(rows[0]["tenant_id"] if rows else None, frozenset(granted))

    async def add(self, assignment_id: UUID, subject: str, role: AssignableRole, by: Actor) -> RoleAssignment:
        """Give the role to the subject.

        Raises: RoleAlreadyAssigned.
        """
        try:
            row = await self._connection.one(
                _ADD,
                assignment_id=assignment_id,
                subject=subject,
                role=role.built_in.value if role.built_in else None,
                role_id=None if role.built_in else role.id,
                created_by_type=by.type.value,
                created_by_id=by.id,
                created_by_name=by.name,
            )
        except ConstraintViolated as violated:
            if violated.name == "uq_role_assignments_live":
                raise RoleAlreadyAssigned from violated
            raise
        return RoleAssignment(assignment_id, subject, role, row["created_at"], by)

    async def remove(self, assignment_id: UUID) -> None:
        """Take the role away again."""
        await self._connection.row(_REMOVE, assignment_id=assignment_id)

    async def find(self, assignment_id: UUID) -> RoleAssignment | None:
        """The assignment, unless it was removed."""
        row = await self._connection.row(_FIND, assignment_id=assignment_id)
        return _assignment(row) if row else None

    async def existed(self, assignment_id: UUID) -> bool:
        """Whether there is such an assignment, or was."""
        return await self._connection.row(_EXISTED, assignment_id=assignment_id) is not None

    async def administrators(self) -> int:
        """How many have the built-in role of administrator."""
        return int((await self._connection.one(_ADMINISTRATORS))["number"])

    async def holders(self, role_id: UUID) -> int:
        """How many have this role of the organisation's own."""
        return int((await self._connection.one(_HOLDERS, role_id=role_id))["number"])

    async def page(self, request: PageRequest, subject: str | None) -> Page[RoleAssignment]:
        """Assignments, newest first: the subject's, or everyone's."""
        rows = await self._connection.rows(
            _PAGE,
            subject=subject,
            after_at=request.after.at if request.after else None,
            after_id=request.after.id if request.after else None,
            most=request.size + 1,
        )
        found = [_assignment(row) for row in rows]
        return Page.of(found, request.size, lambda one: Cursor(one.created_at, one.id))


def _assignment(row: Row) -> RoleAssignment:
    if row["role"] is not None:
        role = built_in_role(Role(row["role"]))
    else:
        permissions = known_permissions(row["role_permissions"])
        role = AssignableRole(row["role_id"], row["role_name"], permissions, row["role_created_at"])
    by = Actor(ActorType(row["created_by_type"]), row["created_by_id"], row["created_by_name"])
    return RoleAssignment(row["id"], row["subject"], role, row["created_at"], by)
