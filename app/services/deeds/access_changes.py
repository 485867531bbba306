"""Changing who may do what in an organisation: one change after the other, each in the log."""

from typing import Any

from app.domain.activities import ActivityType, NewActivity, Subject
from app.domain.callers import Call, Caller
from app.errors import ResourceNotFound
from app.permissions import Permission
from app.repositories.unit_of_work import UnitOfWork


async def lock_access(uow: UnitOfWork) -> None:
    """Nobody else changes the organisation's roles and assignments until the transaction ends.

    Raises: ResourceNotFound, when the organisation has no settings yet.
    """
    if await uow.organisations.lock() is None:
        raise ResourceNotFound("The organisation is not known here yet: PUT /organisation/portal-settings creates it.")


async def begin_access_change(uow: UnitOfWork, call: Call) -> Caller:
    """Lock access; the caller as they are from now on, for their own assignment may have gone since they called.

    Raises: ResourceNotFound, PermissionInvalid.
    """
    await lock_access(uow)
    rights = await uow.role_assignments.rights(call.actor.id)
    caller = call.caller.reassigned(rights.permissions)
    caller.require(Permission.ACCESS_WRITE)
    return caller


def record_access_change(
    uow: UnitOfWork, change: str, subject: Subject, payload: dict[str, Any], *, call: Call
) -> None:
    """The log's entry for a change of access."""
    told = {"change": change} | payload
    uow.activities.record(NewActivity(ActivityType.ACCESS_CHANGED, call.actor, call.seen, subject, payload=told))
