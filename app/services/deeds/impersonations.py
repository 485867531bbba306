"""Ending an impersonation: whoever ends it, the log names employee and customer, and the customer may be told."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from app.domain.activities import ActivityType, NewActivity, Subject, SubjectType
from app.domain.callers import Actor, Seen
from app.domain.impersonations import TIME, EndReason, Impersonation, ImpersonationState
from app.permissions import Permission
from app.repositories.impersonations import EndedImpersonation
from app.repositories.unit_of_work import UnitOfWork


async def end_impersonation(uow: UnitOfWork, one: Impersonation, reason: str, *, by: Actor, seen: Seen) -> None:
    """End this impersonation; once more changes nothing. The caller holds the customer's lock."""
    record_ends(uow, await uow.impersonations.end(one.customer_id, one.id, reason, by), by=by, seen=seen)


async def end_impersonation_of_employee(
    uow: UnitOfWork, employee_id: str, reason: str, *, by: Actor, seen: Seen, **more: Any
) -> None:
    """End the employee's impersonation, of whichever customer, if one is open. Nobody's lock is needed."""
    await uow.impersonations.lock_employee(employee_id)
    ended = await uow.impersonations.end_of_employee(employee_id, reason, by)
    record_ends(uow, ended, by=by, seen=seen, **more)


async def end_impersonations_without_right(uow: UnitOfWork, *, by: Actor, seen: Seen) -> None:
    """End the impersonations whose right was assigned and is no longer. The caller has locked and changed access."""
    without = [
        employee_id
        for employee_id in await uow.impersonations.employees_by_assignment()
        if Permission.PORTAL_IMPERSONATE not in (await uow.role_assignments.rights(employee_id)).permissions
    ]
    if without:
        ended = await uow.impersonations.end_by_assignment(without, EndReason.PERMISSION_LOST, by)
        record_ends(uow, ended, by=by, seen=seen)


def record_ends(uow: UnitOfWork, ended: Iterable[EndedImpersonation], *, by: Actor, seen: Seen, **more: Any) -> None:
    """The log's entries for impersonations that have just ended, and the job that tells their customers."""
    for one in ended:
        expired = one.state is ImpersonationState.EXPIRED
        uow.activities.record(
            NewActivity(
                ActivityType.IMPERSONATION_ENDED,
                TIME if expired else by,
                replace(seen, impersonation=one.ref),
                Subject(SubjectType.IMPERSONATION, one.ref.session_id),
                one.customer,
                {"reason": one.reason, "state": one.state.value} | ({} if expired else more),
            )
        )
        if one.redeemed and not expired:  # else the job that waits for its time does it
            uow.jobs.finish_impersonation(one.ref.session_id, seen.correlation_id, timedelta(0))
