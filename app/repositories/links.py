"""Links together with what they hang on, in one statement each: a link is read with its customer's standing, and made
with the mail that carries it while the one before ends.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Interval, bindparam, func, insert, literal, select, update
from sqlalchemy.types import Text, Uuid

from app.database import Connection, Statement
from app.domain.callers import Actor
from app.domain.cards import Standing
from app.domain.communications import Communication, CommunicationStatus, NewMail
from app.domain.impersonations import Impersonation
from app.domain.one_time_tokens import OneTimeToken, TokenState
from app.models import communications, customers, impersonations, tokens
from app.repositories.communications import NEW_MAIL
from app.repositories.customers import STANDING_COLUMNS, standing, with_organisation_and_account
from app.repositories.rows import (
    ORGANISATION,
    communication_columns,
    impersonation,
    impersonation_columns,
    one_time_token,
    token_columns,
)
from app.repositories.tokens import IS_PENDING, IS_THIS, ending
from app.tokens import Link, Purpose

_FIND = Statement(
    select(*STANDING_COLUMNS, *token_columns(), *communication_columns())
    .select_from(
        with_organisation_and_account.join(
            tokens,
            (tokens.c.organisation_id == customers.c.organisation_id) & (tokens.c.customer_id == customers.c.id),
        ).outerjoin(
            communications,
            (communications.c.organisation_id == tokens.c.organisation_id)
            & (communications.c.id == tokens.c.communication_id),
        )
    )
    .where(IS_THIS, customers.c.organisation_id == ORGANISATION)
)

_HAND_OFF = Statement(
    select(*STANDING_COLUMNS, *impersonation_columns())
    .select_from(
        with_organisation_and_account.join(
            impersonations,
            (impersonations.c.organisation_id == customers.c.organisation_id)
            & (impersonations.c.customer_id == customers.c.id),
        )
    )
    .where(
        customers.c.organisation_id == ORGANISATION,
        impersonations.c.organisation_id == ORGANISATION,
        impersonations.c.id == bindparam("impersonation_id", type_=Uuid()),
    )
)

_viewed = (
    update(tokens)
    .where(IS_THIS, IS_PENDING, tokens.c.expires_at > func.now(), tokens.c.viewed_at.is_(None))
    .values(viewed_at=func.now())
    .returning(tokens.c.customer_id)
    .cte("viewed")
)
_VIEW = Statement(
    select(*STANDING_COLUMNS)
    .select_from(with_organisation_and_account)
    .where(
        customers.c.organisation_id == ORGANISATION,
        customers.c.id == select(_viewed.c.customer_id).scalar_subquery(),
    )
)


def _send(*, with_mail: bool) -> Statement:
    """The pending link of this purpose ends, then the new one is made; with the mail, or into one made before."""
    before = (
        ending(literal(TokenState.SUPERSEDED.value, Text()))
        .where(tokens.c.purpose == bindparam("purpose", type_=Text()))
        .returning(tokens.c.id, tokens.c.state)
        .cte("before")
    )
    superseded = (
        select(func.array_agg(before.c.id).label("ids"))
        .where(before.c.state == TokenState.SUPERSEDED.value)
        .subquery("superseded")
    )
    # The moment of writing, under the customer's lock, not of the transaction's start: a link that waited for another
    # one is the newer of the two. It is made of the ended ones, so that they have ended before the new one is there.
    moment = select(func.clock_timestamp().label("at"), superseded.c.ids).cte("moment")
    given: dict[str, Any] = {
        "organisation_id": ORGANISATION,
        "id": bindparam("token_id", type_=Uuid()),
        "purpose": bindparam("purpose", type_=Text()),
        "customer_id": bindparam("customer_id", type_=Uuid()),
        "account_id": bindparam("account_id", type_=Uuid()),
        "communication_id": bindparam("communication_id", type_=Uuid()),
        "email": bindparam("email", type_=Text()),
        "language": bindparam("language", type_=Text()),
        "state": literal(TokenState.PENDING.value),
        "created_by_type": bindparam("created_by_type", type_=Text()),
        "created_by_id": bindparam("created_by_id", type_=Text()),
        "created_by_name": bindparam("created_by_name", type_=Text()),
        "created_at": moment.c.at,
        "expires_at": moment.c.at + bindparam("lifetime", type_=Interval()),
    }
    made = (
        insert(tokens)
        .from_select(list(given), select(*given.values()))
        .returning(tokens.c.created_at, tokens.c.expires_at)
        .cte("made")
    )
    sent = select(made.c.created_at, made.c.expires_at, moment.c.ids.label("superseded")).select_from(
        made.join(moment, literal(True))
    )
    return Statement(sent.add_cte(NEW_MAIL.cte("mail")) if with_mail else sent)


_SEND = _send(with_mail=True)
_SEND_ALONG = _send(with_mail=False)


class Links:
    """Links of one organisation's customers."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def find(self, link: Link) -> tuple[OneTimeToken, Standing] | None:
        """The token that a link names, and where its customer stands."""
        row = await self._connection.row(_FIND, token_id=link.token_id, purpose=link.purpose.value)
        return (one_time_token(row), standing(row)) if row else None

    async def hand_off(self, link: Link) -> tuple[Impersonation, Standing] | None:
        """The impersonation that a hand-off link names, and where its customer stands."""
        row = await self._connection.row(_HAND_OFF, impersonation_id=link.token_id)
        found = impersonation(row) if row else None
        return (found, standing(row)) if row and found else None

    async def view(self, link: Link) -> Standing | None:
        """Mark the token as viewed; where its customer stands, if this was the first view of a living one."""
        row = await self._connection.row(_VIEW, token_id=link.token_id, purpose=link.purpose.value)
        return standing(row) if row else None

    async def send(
        self,
        mail: NewMail,
        purpose: Purpose,
        *,
        communication_id: UUID,
        token_id: UUID,
        customer_id: UUID,
        lifetime: timedelta,
        by: Actor,
        correlation_id: str,
        queued: bool = False,
    ) -> tuple[OneTimeToken, list[UUID]]:
        """A new pending token and the mail that carries it, which is written down with it unless it is `queued`
        already; and the ids of the tokens that it supersedes.

        It lives `lifetime` from now by the database's clock.
        """
        given: dict[str, Any] = {
            "token_id": token_id,
            "purpose": purpose.value,
            "customer_id": customer_id,
            "account_id": mail.account_id,
            "communication_id": communication_id,
            "email": mail.email,
            "language": mail.language,
            "created_by_type": by.type.value,
            "created_by_id": by.id,
            "created_by_name": by.name,
            "lifetime": lifetime,
        }
        if not queued:
            given |= {
                "kind": mail.kind.value,
                "automatic": mail.automatic,
                "resent_from": mail.resent_from,
                "correlation_id": correlation_id,
            }
        row = await self._connection.one(_SEND_ALONG if queued else _SEND, **given)
        token = OneTimeToken(
            id=token_id,
            purpose=purpose,
            customer_id=customer_id,
            account_id=mail.account_id,
            email=mail.email,
            language=mail.language,
            state=TokenState.PENDING,
            created_at=row["created_at"],
            created_by=by,
            expires_at=row["expires_at"],
            viewed_at=None,
            ended_at=None,
            communication=Communication(communication_id, CommunicationStatus.QUEUED, 0, None, None),
        )
        return token, row["superseded"] or []
