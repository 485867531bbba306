"""One-time tokens: found, spent once, ended."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Interval, Update, bindparam, case, func, literal, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.types import Integer, Text, Uuid

from app.database import Connection, Row, Statement
from app.domain.activities import CustomerRef
from app.domain.callers import ActorType
from app.domain.one_time_tokens import OneTimeToken, TokenState
from app.domain.paging import Cursor, Page, PageRequest
from app.models import communications, customers, tokens
from app.repositories.rows import ORGANISATION, communication_columns, one_time_token, token_columns
from app.tokens import Link, Purpose

_CUSTOMER = bindparam("customer_id", type_=Uuid())
_PURPOSE = bindparam("purpose", type_=Text())
IS_PENDING = tokens.c.state == TokenState.PENDING.value
IS_THIS = (
    (tokens.c.organisation_id == ORGANISATION) & (tokens.c.id == bindparam("token_id")) & (tokens.c.purpose == _PURPOSE)
)
_with_mail = tokens.outerjoin(
    communications,
    (communications.c.organisation_id == tokens.c.organisation_id) & (communications.c.id == tokens.c.communication_id),
)
_COLUMNS = (*token_columns(), *communication_columns())

# A row past its expiry is closed as expired, at its expiry, whatever ends it now.
_overdue = tokens.c.expires_at <= func.now()


def ending(state: ColumnElement[str]) -> Update:
    """Ends the customer's pending tokens; those of every purpose, unless it is narrowed."""
    return (
        update(tokens)
        .where(tokens.c.organisation_id == ORGANISATION, tokens.c.customer_id == _CUSTOMER, IS_PENDING)
        .values(
            state=case((_overdue, TokenState.EXPIRED.value), else_=state),
            ended_at=case((_overdue, tokens.c.expires_at), else_=func.clock_timestamp()),
        )
    )


_END_PENDING = Statement(
    ending(bindparam("state", type_=Text())).where(tokens.c.purpose == _PURPOSE).returning(tokens.c.id, tokens.c.state)
)

_END_EVERY = Statement(
    ending(bindparam("state", type_=Text())).returning(tokens.c.id, tokens.c.purpose, tokens.c.state)
)

SPENDING = (
    update(tokens)
    .where(IS_THIS, IS_PENDING, tokens.c.expires_at > func.now())
    .values(state=TokenState.USED.value, ended_at=func.clock_timestamp())
    .returning(tokens.c.id)
)
_CONSUME = Statement(SPENDING)

_FIND = Statement(select(*_COLUMNS).select_from(_with_mail).where(IS_THIS))

_WRONG_TRY = Statement(
    update(tokens)
    .where(IS_THIS, IS_PENDING, tokens.c.expires_at > func.now())
    .values(
        wrong_tries=tokens.c.wrong_tries + 1,
        state=case(
            (tokens.c.wrong_tries + 1 >= bindparam("most", type_=Integer()), TokenState.REVOKED.value),
            else_=tokens.c.state,
        ),
        ended_at=case((tokens.c.wrong_tries + 1 >= bindparam("most", type_=Integer()), func.now())),
    )
    .returning(tokens.c.wrong_tries, tokens.c.state)
)

_REVOKE = Statement(
    update(tokens)
    .where(IS_THIS, tokens.c.customer_id == _CUSTOMER, IS_PENDING, tokens.c.expires_at > func.now())
    .values(state=TokenState.REVOKED.value, ended_at=func.clock_timestamp())
    .returning(tokens.c.id)
)

_OF_CUSTOMER = Statement(select(*_COLUMNS).select_from(_with_mail).where(IS_THIS, tokens.c.customer_id == _CUSTOMER))

_PAGE = Statement(
    select(*_COLUMNS)
    .select_from(_with_mail)
    .where(
        tokens.c.organisation_id == ORGANISATION,
        tokens.c.customer_id == _CUSTOMER,
        tokens.c.purpose == _PURPOSE,
        or_(
            bindparam("after_at", type_=TIMESTAMP(timezone=True)).is_(None),
            tuple_(tokens.c.created_at, tokens.c.id)
            < tuple_(bindparam("after_at", type_=TIMESTAMP(timezone=True)), bindparam("after_id", type_=Uuid())),
        ),
    )
    .order_by(tokens.c.created_at.desc(), tokens.c.id.desc())
    .limit(bindparam("most", type_=Integer()))
)

_OF_COMMUNICATION = Statement(
    select(
        *_COLUMNS,
        customers.c.account_number.label("account_number"),
        customers.c.account_generation.label("account_generation"),
    )
    .select_from(
        _with_mail.join(
            customers,
            (customers.c.organisation_id == tokens.c.organisation_id) & (customers.c.id == tokens.c.customer_id),
        )
    )
    .where(tokens.c.organisation_id == ORGANISATION, tokens.c.communication_id == bindparam("communication_id"))
    .order_by(tokens.c.created_at, tokens.c.id)
)

_ASKED_FOR_WITHIN_AN_HOUR = Statement(
    select(func.count().label("made"))
    .select_from(_with_mail)
    .where(
        tokens.c.organisation_id == ORGANISATION,
        tokens.c.created_by_type == ActorType.CUSTOMER.value,
        communications.c.automatic.is_(False),
        tokens.c.customer_id == _CUSTOMER,
        tokens.c.purpose == _PURPOSE,
        tokens.c.created_at > func.now() - literal(timedelta(hours=1), Interval()),
    )
)


@dataclass(frozen=True, slots=True)
class WrongTry:
    """How many wrong customer numbers were given for a token, and whether that revoked it."""

    tries: int
    revoked: bool


@dataclass(frozen=True, slots=True)
class CarriedToken:
    """A token that a mail carries, and whose it is: a mail may carry those of several customers."""

    token: OneTimeToken
    customer: CustomerRef


class Tokens:
    """One-time tokens of one organisation."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def end_pending(self, customer_id: UUID, purpose: Purpose, state: TokenState) -> list[UUID]:
        """End the customer's pending token of this purpose; the ids of those that time had not ended before."""
        rows = await self._connection.rows(
            _END_PENDING, customer_id=customer_id, purpose=purpose.value, state=state.value
        )
        return [row["id"] for row in rows if row["state"] == state.value]

    async def end_every(self, customer_id: UUID, state: TokenState) -> list[tuple[Purpose, UUID]]:
        """End the customer's pending tokens of every purpose; those that time had not ended before."""
        rows = await self._connection.rows(_END_EVERY, customer_id=customer_id, state=state.value)
        return [(Purpose(row["purpose"]), row["id"]) for row in rows if row["state"] == state.value]

    async def consume(self, link: Link) -> bool:
        """Spend the token. True for one caller, once, in time; False for everyone else."""
        row = await self._connection.row(_CONSUME, token_id=link.token_id, purpose=link.purpose.value)
        return row is not None

    async def find(self, link: Link) -> OneTimeToken | None:
        """The token that a link names."""
        row = await self._connection.row(_FIND, token_id=link.token_id, purpose=link.purpose.value)
        return one_time_token(row) if row else None

    async def wrong_try(self, link: Link, *, most: int) -> WrongTry | None:
        """Count a wrong customer number; the one that makes `most` revokes the token. None for a dead token."""
        row = await self._connection.row(_WRONG_TRY, token_id=link.token_id, purpose=link.purpose.value, most=most)
        return WrongTry(row["wrong_tries"], row["state"] == TokenState.REVOKED.value) if row else None

    async def revoke(self, customer_id: UUID, purpose: Purpose, token_id: UUID) -> bool:
        """Withdraw a pending token; False when it was not pending."""
        row = await self._connection.row(_REVOKE, customer_id=customer_id, purpose=purpose.value, token_id=token_id)
        return row is not None

    async def of_customer(self, customer_id: UUID, purpose: Purpose, token_id: UUID) -> OneTimeToken | None:
        """The customer's token with this id."""
        row = await self._connection.row(
            _OF_CUSTOMER, customer_id=customer_id, purpose=purpose.value, token_id=token_id
        )
        return one_time_token(row) if row else None

    async def page(self, customer_id: UUID, purpose: Purpose, request: PageRequest) -> Page[OneTimeToken]:
        """The customer's tokens of this purpose, newest first."""
        rows = await self._connection.rows(
            _PAGE,
            customer_id=customer_id,
            purpose=purpose.value,
            after_at=request.after.at if request.after else None,
            after_id=request.after.id if request.after else None,
            most=request.size + 1,
        )
        found = [one_time_token(row) for row in rows]
        return Page.of(found, request.size, lambda token: Cursor(token.created_at, token.id))

    async def of_communication(self, communication_id: UUID) -> list[CarriedToken]:
        """The tokens that a mail carries, in the order in which they were made."""
        rows = await self._connection.rows(_OF_COMMUNICATION, communication_id=communication_id)
        return [_carried_token(row) for row in rows]

    async def asked_for_within_an_hour(self, customer_id: UUID, purpose: Purpose) -> int:
        """How many tokens of this purpose the customer asked for, and got, in the last hour."""
        row = await self._connection.one(_ASKED_FOR_WITHIN_AN_HOUR, customer_id=customer_id, purpose=purpose.value)
        return int(row["made"])


def _carried_token(row: Row) -> CarriedToken:
    token = one_time_token(row)
    return CarriedToken(token, CustomerRef(token.customer_id, row["account_number"], row["account_generation"]))
