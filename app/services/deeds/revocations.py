"""Ending every link of a customer at once, whatever it was for."""

from collections.abc import Iterable
from uuid import UUID

from app.domain.activities import ActivityType, NewActivity, Subject, SubjectType
from app.domain.callers import Actor, Seen
from app.domain.cards import Standing
from app.domain.one_time_tokens import TokenState
from app.repositories.unit_of_work import UnitOfWork
from app.tokens import Purpose


async def revoke_links(uow: UnitOfWork, standing: Standing, reason: str, *, by: Actor, seen: Seen) -> None:
    """End the customer's pending links of every purpose. The caller holds the customer's lock."""
    ended = await uow.tokens.end_every(standing.customer.customer_id, TokenState.REVOKED)
    invitations = [token_id for purpose, token_id in ended if purpose is Purpose.INVITATION]
    record_revoked(uow, standing, invitations, reason, by=by, seen=seen)


def record_revoked(
    uow: UnitOfWork, standing: Standing, invitations: Iterable[UUID], reason: str, *, by: Actor, seen: Seen
) -> None:
    """The log names each invitation; other links end with the account that they were sent for."""
    for invitation_id in invitations:
        uow.activities.record(
            NewActivity(
                ActivityType.INVITATION_REVOKED,
                by,
                seen,
                Subject(SubjectType.INVITATION, invitation_id),
                standing.ref,
                {"reason": reason},
            )
        )
