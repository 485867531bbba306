"""Who has which role in the organisation. A change acts at the subject's next request, on every node."""

from uuid import UUID

from app.domain.activities import Subject, SubjectType
from app.domain.callers import Call
from app.domain.paging import Page, PageRequest
from app.domain.roles import RoleAssignment, built_in_role, grant_refusal
from app.errors import LastAdministrator, ResourceNotFound
from app.ids import new_id
from app.permissions import Role
from app.repositories.unit_of_work import Transactions
from app.services.deeds.access_changes import begin_access_change, record_access_change
from app.services.deeds.impersonations import end_impersonations_without_right


class RoleAssignments:
    """Roles of employees and applications in an organisation, beside those in their bearers."""

    def __init__(self, transaction: Transactions) -> None:
        self._transaction = transaction

    async def page(self, request: PageRequest, subject: str | None, *, call: Call) -> Page[RoleAssignment]:
        """Assignments, newest first: the subject's, or everyone's."""
        async with self._transaction.reading(call.organisation_id) as uow:
            return await uow.role_assignments.page(request, subject)

    async def assign(self, subject: str, role: Role | UUID, *, call: Call) -> RoleAssignment:
        """Give the subject a role: a built-in one, or one of the organisation's own by its id.

        Raises: ResourceNotFound, PermissionInvalid, RoleAlreadyAssigned.
        """
        async with self._transaction.of(call) as uow:
            caller = await begin_access_change(uow, call)
            wanted = built_in_role(role) if isinstance(role, Role) else await uow.roles.find(role)
            if wanted is None:
                raise ResourceNotFound("There is no role of this id in the organisation.")
            if refusal := grant_refusal(caller, wanted.permissions):
                raise refusal
            assignment = await uow.role_assignments.add(new_id(), subject, wanted, call.actor)
            record_access_change(uow, "roleassigned", _subject(assignment), _described(assignment), call=call)
            return uow.answer(assignment)

    async def remove(self, assignment_id: UUID, *, call: Call) -> None:
        """Take the role away again; once more changes nothing.

        Raises: ResourceNotFound; PermissionInvalid; LastAdministrator: an organisation that has administrators of its
        own keeps one, for what bearers of elsewhere can do is not known here.
        """
        async with self._transaction.of(call) as uow:
            await begin_access_change(uow, call)
            assignment = await uow.role_assignments.find(assignment_id)
            if assignment is None:
                if not await uow.role_assignments.existed(assignment_id):
                    raise ResourceNotFound
                return
            if assignment.role.built_in is Role.ADMINISTRATOR and await uow.role_assignments.administrators() == 1:
                raise LastAdministrator
            await uow.role_assignments.remove(assignment_id)
            await end_impersonations_without_right(uow, by=call.actor, seen=call.seen)
            record_access_change(uow, "roleremoved", _subject(assignment), _described(assignment), call=call)


def _subject(assignment: RoleAssignment) -> Subject:
    return Subject(SubjectType.ROLE_ASSIGNMENT, assignment.id)


def _described(assignment: RoleAssignment) -> dict[str, object]:
    role = assignment.role
    return {
        "subject": assignment.subject,
        "role": role.name,
        "roleId": None if role.built_in else str(role.id),
    }
