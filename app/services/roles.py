"""Roles of an organisation's own: made, changed and deleted by whoever may write access."""

from uuid import UUID

from app.domain.activities import Subject, SubjectType
from app.domain.callers import Call
from app.domain.paging import Page, PageRequest
from app.domain.roles import AssignableRole, grant_refusal
from app.errors import ResourceNotFound, RoleInUse
from app.ids import new_id
from app.permissions import Permission
from app.repositories.unit_of_work import Transactions
from app.services.deeds.access_changes import begin_access_change, record_access_change
from app.services.deeds.impersonations import end_impersonations_without_right


class Roles:
    """Bundles of permissions beside the built-in ones."""

    def __init__(self, transaction: Transactions) -> None:
        self._transaction = transaction

    async def page(self, request: PageRequest, *, call: Call) -> Page[AssignableRole]:
        """The organisation's own roles, newest first, and after them the built-in ones."""
        async with self._transaction.reading(call.organisation_id) as uow:
            return await uow.roles.page(request)

    async def get(self, role_id: UUID, *, call: Call) -> AssignableRole:
        """One of the organisation's own roles.

        Raises: ResourceNotFound.
        """
        async with self._transaction.reading(call.organisation_id) as uow:
            found = await uow.roles.find(role_id)
        if found is None:
            raise ResourceNotFound
        return found

    async def create(self, name: str, permissions: frozenset[Permission], *, call: Call) -> AssignableRole:
        """A new role.

        Raises: ResourceNotFound, PermissionInvalid, RoleAlreadyExists.
        """
        async with self._transaction.of(call) as uow:
            caller = await begin_access_change(uow, call)
            if refusal := grant_refusal(caller, permissions):
                raise refusal
            role = await uow.roles.add(new_id(), name, permissions)
            record_access_change(uow, "rolecreated", _subject(role.id), _described(role), call=call)
            return uow.answer(role)

    async def change(
        self, role_id: UUID, name: str, permissions: frozenset[Permission], *, call: Call
    ) -> AssignableRole:
        """Another name, other permissions: for everyone who has the role, at their next request.

        Raises: ResourceNotFound, PermissionInvalid, RoleAlreadyExists.
        """
        async with self._transaction.of(call) as uow:
            caller = await begin_access_change(uow, call)
            before = await uow.roles.find(role_id)
            if before is None:
                raise ResourceNotFound
            if refusal := grant_refusal(caller, permissions - before.permissions):
                raise refusal
            role = await uow.roles.change(role_id, name, permissions)
            if role is None:
                raise ResourceNotFound
            await end_impersonations_without_right(uow, by=call.actor, seen=call.seen)
            if role != before:
                record_access_change(uow, "rolechanged", _subject(role_id), _described(role), call=call)
            return role

    async def delete(self, role_id: UUID, *, call: Call) -> None:
        """Take the role away; once more changes nothing.

        Raises: ResourceNotFound, PermissionInvalid, RoleInUse.
        """
        async with self._transaction.of(call) as uow:
            await begin_access_change(uow, call)
            role = await uow.roles.find(role_id)
            if role is None:
                if not await uow.roles.existed(role_id):
                    raise ResourceNotFound
                return
            holders = await uow.role_assignments.holders(role_id)
            if holders:
                raise RoleInUse(f"The role is assigned {holders} times." if holders > 1 else None)
            await uow.roles.delete(role_id)
            record_access_change(uow, "roledeleted", _subject(role_id), {"name": role.name}, call=call)


def _subject(role_id: UUID) -> Subject:
    return Subject(SubjectType.ROLE, role_id)


def _described(role: AssignableRole) -> dict[str, object]:
    return {"name": role.name, "permissions": sorted(permission.value for permission in role.permissions)}
