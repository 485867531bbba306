"""The customer-portal card, read in one statement."""

from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, select
from sqlalchemy.types import Uuid

from app.database import Connection, Row, Statement
from app.domain.callers import Caller
from app.domain.cards import Card, action_outcomes
from app.domain.one_time_tokens import OneTimeToken, TokenState
from app.errors import CustomerDoesNotExist
from app.models import communications, customers, impersonations, tokens
from app.repositories.customers import STANDING_COLUMNS, standing, with_organisation_and_account
from app.repositories.rows import (
    ORGANISATION,
    communication_columns,
    impersonation,
    impersonation_columns,
    is_overdue,
    one_time_token,
    token_columns,
)
from app.tokens import Purpose

_PURPOSES = (Purpose.INVITATION, Purpose.PASSWORD_RESET, Purpose.EMAIL_CONFIRMATION)


_open = impersonations.alias("open_impersonation")
_newest_open = (
    select(_open.c.id)
    .where(
        _open.c.organisation_id == ORGANISATION,
        _open.c.customer_id == customers.c.id,
        _open.c.ended_at.is_(None),
        ~is_overdue(_open),
    )
    .order_by(_open.c.created_at.desc(), _open.c.id.desc())
    .limit(1)
    .correlate(customers)
    .scalar_subquery()
)


def _statement() -> Statement:
    """The standing, the one pending token of each purpose with its mail, and the newest open impersonation."""
    joined: Any = with_organisation_and_account
    columns: list[Any] = list(STANDING_COLUMNS)
    for purpose in _PURPOSES:
        token = tokens.alias(f"token_{purpose.value}")
        mail = communications.alias(f"mail_{purpose.value}")
        joined = joined.outerjoin(
            token,
            (token.c.organisation_id == customers.c.organisation_id)
            & (token.c.customer_id == customers.c.id)
            & (token.c.purpose == purpose.value)
            & (token.c.state == TokenState.PENDING.value)
            & (token.c.expires_at > func.now()),
        ).outerjoin(
            mail,
            (mail.c.organisation_id == token.c.organisation_id) & (mail.c.id == token.c.communication_id),
        )
        columns += token_columns(token, f"{purpose.value}_t_") + communication_columns(mail, f"{purpose.value}_m_")
    joined = joined.outerjoin(
        impersonations,
        (impersonations.c.organisation_id == customers.c.organisation_id) & (impersonations.c.id == _newest_open),
    )
    return Statement(
        select(*columns, *impersonation_columns())
        .select_from(joined)
        .where(customers.c.organisation_id == ORGANISATION, customers.c.id == bindparam("customer_id", type_=Uuid()))
    )


_CARD = _statement()


def _pending(row: Row, purpose: Purpose) -> OneTimeToken | None:
    if row[f"{purpose.value}_t_id"] is None:
        return None
    return one_time_token(row, f"{purpose.value}_t_", f"{purpose.value}_m_")


class Cards:
    """Cards of one organisation's customers."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def get(self, customer_id: UUID, caller: Caller) -> Card:
        """The card as this caller sees it.

        Raises: CustomerDoesNotExist.
        """
        row = await self._connection.row(_CARD, customer_id=customer_id)
        if row is None:
            raise CustomerDoesNotExist
        found = standing(row)
        return Card(
            standing=found,
            pending_invitation=_pending(row, Purpose.INVITATION),
            pending_password_reset=_pending(row, Purpose.PASSWORD_RESET),
            pending_email_confirmation=_pending(row, Purpose.EMAIL_CONFIRMATION),
            active_impersonation=impersonation(row),
            actions=action_outcomes(found, caller),
        )
