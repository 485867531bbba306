"""Ending every link of a customer at once, whatever it was for."""

from app.domain.activities import ActivityType, NewActivity, Subject, SubjectType
from app.domain.callers import Actor, Seen
from app.domain.cards import Standing
from app.domain.one_time_tokens import TokenState
from app.repositories.unit_of_work import UnitOfWork
from app.tokens import Purpose


async def revoke_links(uow: UnitOfWork, standing: Standing, reason: str, *, by: Actor, seen: Seen) -> None:
    """End the customer's pending links of every purpose. The caller holds the customer's lock.

    The log names each invitation; the others end with the account that they were sent for.
    """
    for purpose, token_id in await uow.tokens.end_every(standing.customer.customer_id, TokenState.REVOKED):
        if purpose is Purpose.INVITATION:
            uow.activities.record(
                NewActivity(
                    ActivityType.INVITATION_REVOKED,
                    by,
                    seen,
                    Subject(SubjectType.INVITATION, token_id),
                    standing.ref,
                    {"reason": reason},
                )
            )
