"""Ending whoever is logged in as a customer: the customer's own sessions, and employees' impersonations."""

from uuid import UUID

from app.domain.activities import ActivityType, NewActivity, Subject, SubjectType
from app.domain.callers import Actor, Seen
from app.domain.cards import Standing
from app.domain.impersonations import ImpersonationState
from app.repositories.unit_of_work import UnitOfWork
from app.services.deeds.impersonations import record_ends


async def end_sessions(
    uow: UnitOfWork,
    standing: Standing,
    reason: str,
    *,
    by: Actor,
    seen: Seen,
    keep: UUID | None = None,
    tell_none: bool = False,
) -> int:
    """End the customer's own sessions, but for the one to keep; how many were live. The log tells it when there were
    any, or in any case with `tell_none`.

    The caller holds the customer's lock, and has changed the account before: a login at the same time has either
    opened its session by then, which ends here, or fails.
    """
    customer_id = standing.customer.customer_id
    ended = await uow.sessions.end_all(customer_id, reason, keep=keep)
    if ended or tell_none:
        uow.activities.record(
            NewActivity(
                ActivityType.SESSIONS_ENDED,
                by,
                seen,
                Subject(SubjectType.CUSTOMER, customer_id),
                standing.ref,
                {"reason": reason, "count": ended},
            )
        )
    return ended


async def end_impersonations(uow: UnitOfWork, standing: Standing, reason: str, *, by: Actor, seen: Seen) -> int:
    """End every impersonation of the customer; how many were open."""
    ended = await uow.impersonations.end_of_customer(standing.customer.customer_id, reason, by)
    record_ends(uow, ended, by=by, seen=seen)
    return sum(one.state is ImpersonationState.ENDED for one in ended)
