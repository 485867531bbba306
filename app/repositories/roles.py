"""Roles of an organisation's own."""

from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, insert, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP
from sqlalchemy.types import Integer, Text, Uuid

from app.database import Connection, ConstraintViolated, Row, Statement
from app.domain.paging import Cursor, Page, PageRequest
from app.domain.roles import BUILT_IN_ROLES, AssignableRole
from app.errors import RoleAlreadyExists
from app.models import roles
from app.permissions import Permission, Role, known_permissions
from app.repositories.rows import ORGANISATION

_THIS = (roles.c.organisation_id == ORGANISATION) & (roles.c.id == bindparam("role_id", type_=Uuid()))
_LIVE = roles.c.deleted_at.is_(None)
_COLUMNS = (roles.c.id, roles.c.name, roles.c.permissions, roles.c.created_at)
_GIVEN: dict[str, Any] = {
    "name": bindparam("name", type_=Text()),
    "permissions": bindparam("permissions", type_=ARRAY(Text())),
}

_ADD = Statement(
    insert(roles)
    .values(organisation_id=ORGANISATION, id=bindparam("role_id", type_=Uuid()), **_GIVEN)
    .returning(*_COLUMNS)
)
_CHANGE = Statement(update(roles).where(_THIS, _LIVE).values(**_GIVEN, updated_at=func.now()).returning(*_COLUMNS))
_DELETE = Statement(update(roles).where(_THIS, _LIVE).values(deleted_at=func.now()).returning(roles.c.id))
_FIND = Statement(select(*_COLUMNS).where(_THIS, _LIVE))
_EXISTED = Statement(select(roles.c.id).where(_THIS))

_moment = TIMESTAMP(timezone=True)
_PAGE = Statement(
    select(*_COLUMNS)
    .where(
        roles.c.organisation_id == ORGANISATION,
        _LIVE,
        or_(
            bindparam("after_at", type_=_moment).is_(None),
            tuple_(roles.c.created_at, roles.c.id)
            < tuple_(bindparam("after_at", type_=_moment), bindparam("after_id", type_=Uuid())),
        ),
    )
    .order_by(roles.c.created_at.desc(), roles.c.id.desc())
    .limit(bindparam("most", type_=Integer()))
)


class Roles:
    """Roles of one organisation."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, role_id: UUID, name: str, permissions: frozenset[Permission]) -> AssignableRole:
        """A new role.

        Raises: RoleAlreadyExists.
        """
        row = await self._written(_ADD, role_id, name, permissions)
        if row is None:
            raise LookupError("an inserted role comes back")
        return _role(row)

    async def change(self, role_id: UUID, name: str, permissions: frozenset[Permission]) -> AssignableRole | None:
        """The role with its new name and permissions; None when there is no such role.

        Raises: RoleAlreadyExists.
        """
        row = await self._written(_CHANGE, role_id, name, permissions)
        return _role(row) if row else None

    async def _written(
        self, statement: Statement, role_id: UUID, name: str, permissions: frozenset[Permission]
    ) -> Row | None:
        if name.lower() in {role.value for role in Role}:
            raise RoleAlreadyExists("This is the name of a built-in role.")
        words = sorted(permission.value for permission in permissions)
        try:
            return await self._connection.row(statement, role_id=role_id, name=name, permissions=words)
        except ConstraintViolated as violated:
            if violated.name == "uq_roles_name":
                raise RoleAlreadyExists from violated
            raise

    async def delete(self, role_id: UUID) -> bool:
        """Take the role away; False when there was none."""
        return await self._connection.row(_DELETE, role_id=role_id) is not None

    async def find(self, role_id: UUID) -> AssignableRole | None:
        """The role, unless it was deleted."""
        row = await self._connection.row(_FIND, role_id=role_id)
        return _role(row) if row else None

    async def existed(self, role_id: UUID) -> bool:
        """Whether there is such a role, or was."""
        return await self._connection.row(_EXISTED, role_id=role_id) is not None

    async def page(self, request: PageRequest) -> Page[AssignableRole]:
        """The organisation's own roles, newest first, and after them the built-in ones."""
        after = request.after
        rows = await self._connection.rows(
            _PAGE,
            after_at=after.at if after else None,
            after_id=after.id if after else None,
            most=request.size + 1,
        )
        built_in = [one for one in BUILT_IN_ROLES if after is None or (one.created_at, one.id) < (after.at, after.id)]
        found = [*map(_role, rows), *built_in][: request.size + 1]
        return Page.of(found, request.size, lambda role: Cursor(role.created_at, role.id))


def _role(row: Row) -> AssignableRole:
    return AssignableRole(row["id"], row["name"], known_permissions(row["permissions"]), row["created_at"])
