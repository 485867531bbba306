"""All that hangs on a customer's account, ended in one statement."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, literal, select
from sqlalchemy.types import Text

from app.database import Connection, Statement
from app.domain.callers import Actor
from app.domain.one_time_tokens import TokenState
from app.models import tokens
from app.repositories.communications import SKIPPING_UNSENT
from app.repositories.impersonations import IS_OF_CUSTOMER, EndedImpersonation, ended_impersonation, ending
from app.repositories.sessions import ENDING_ALL
from app.repositories.tokens import ending as ending_tokens
from app.tokens import Purpose


def _end(*, with_mails: bool) -> Statement:
    """A row for each impersonation, or one row without; sessions and invitations stand in every one of them."""
    sessions = ENDING_ALL.cte("ended_sessions")
    links = (
        ending_tokens(literal(TokenState.REVOKED.value, Text()))
        .returning(tokens.c.id, tokens.c.purpose, tokens.c.state)
        .cte("ended_links")
    )
    impersonations = ending(IS_OF_CUSTOMER).cte("ended_impersonations")
    others = select(
        select(func.count()).select_from(sessions).where(sessions.c.live).scalar_subquery().label("sessions"),
        select(func.array_agg(links.c.id))
        .where(links.c.purpose == Purpose.INVITATION.value, links.c.state == TokenState.REVOKED.value)
        .scalar_subquery()
        .label("invitations"),
    ).subquery("others")
    ended = select(others, impersonations).select_from(others.outerjoin(impersonations, literal(True)))
    return Statement(ended.add_cte(SKIPPING_UNSENT.cte("skipped")) if with_mails else ended)


_END = _end(with_mails=False)
_END_WITH_MAILS = _end(with_mails=True)


@dataclass(frozen=True, slots=True)
class Ended:
    """What has just ended: how many of the customer's own sessions, which invitations, which impersonations; what time
    had ended before is not among them, but for impersonations, which say so themselves."""

    sessions: int
    invitations: list[UUID]
    impersonations: list[EndedImpersonation]


class Ends:
    """Ends of one organisation's customers."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def of_customer(self, customer_id: UUID, reason: str, by: Actor, *, skip_mails: str | None) -> Ended:
        """End the customer's own sessions, pending links of every purpose and impersonations.

        With `skip_mails`, the reason why, mails that have not gone yet do not go; but for those that carry another
        customer's living link.
        """
        mails = {} if skip_mails is None else {"error": skip_mails}
        rows = await self._connection.rows(
            _END if skip_mails is None else _END_WITH_MAILS,
            customer_id=customer_id,
            kept=None,
            reason=reason,
            by_type=by.type.value,
            by_id=by.id,
            by_name=by.name,
            **mails,
        )
        return Ended(
            rows[0]["sessions"],
            rows[0]["invitations"] or [],
            [ended_impersonation(row) for row in rows if row["id"] is not None],
        )
