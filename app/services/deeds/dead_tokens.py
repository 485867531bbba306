"""Refusing a genuine token that is dead: explained to the customer, remembered in the log."""

from app.domain.activities import ActivityType, NewActivity, Subject
from app.domain.callers import Seen
from app.domain.cards import Standing
from app.domain.one_time_tokens import PURPOSES, OneTimeToken
from app.repositories.unit_of_work import UnitOfWork


def record_dead_token(uow: UnitOfWork, token: OneTimeToken, standing: Standing, seen: Seen) -> None:
    """Remember that a dead link was opened: the diagnosis of the customer's trouble starts here."""
    uow.activities.record(
        NewActivity(
            ActivityType.TOKEN_REFUSED,
            standing.actor,
            seen,
            Subject(PURPOSES[token.purpose].subject, token.id),
            standing.ref,
            {"purpose": token.purpose.value, "state": token.state.value},
        )
    )
