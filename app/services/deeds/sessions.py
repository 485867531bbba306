"""Ending whoever is logged in as a customer: the customer's own sessions, and employees' impersonations."""

from uuid import UUID

from app.domain.activities import ActivityType, NewActivity, Subject, SubjectType
from app.domain.callers import Actor, Seen
from app.domain.cards import Standing
from app.domain.impersonations import ImpersonationState
from app.repositories.unit_of_work import UnitOfWork
from app.services.deeds.impersonations import record_ends
from app.services.deeds.revocations import record_revoked


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
    ended = await uow.sessions.end_all(standing.customer.customer_id, reason, keep=keep)
    if ended or tell_none:
        _record(uow, standing, ended, reason, by=by, seen=seen)
    return ended


async def end_all_of_account(
    uow: UnitOfWork, standing: Standing, reason: str, *, by: Actor, seen: Seen, skip_mails: str | None = None
) -> None:
    """End all that hangs on the account: the customer's own sessions, links of every purpose, and impersonations; with
    `skip_mails`, the reason why, also mails that have not gone yet.

    The caller holds the customer's lock, and has changed the account before, see `end_sessions`.
    """
    ended = await uow.ends.of_customer(standing.customer.customer_id, reason, by, skip_mails=skip_mails)
    if ended.sessions:
        _record(uow, standing, ended.sessions, reason, by=by, seen=seen)
    record_revoked(uow, standing, ended.invitations, reason, by=by, seen=seen)
    record_ends(uow, ended.impersonations, by=by, seen=seen)


async def end_impersonations(uow: UnitOfWork, standing: Standing, reason: str, *, by: Actor, seen: Seen) -> int:
    """End every impersonation of the customer; how many were open."""
    ended = await uow.impersonations.end_of_customer(standing.customer.customer_id, reason, by)
    record_ends(uow, ended, by=by, seen=seen)
    return sum(one.state is ImpersonationState.ENDED for one in ended)


def _record(uow: UnitOfWork, standing: Standing, ended: int, reason: str, *, by: Actor, seen: Seen) -> None:
    uow.activities.record(
        NewActivity(
            ActivityType.SESSIONS_ENDED,
            by,
            seen,
            Subject(SubjectType.CUSTOMER, standing.customer.customer_id),
            standing.ref,
            {"reason": reason, "count": ended},
        )
    )
