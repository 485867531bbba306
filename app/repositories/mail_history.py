"""The mails of one customer: those written to them, and those that carry a link of theirs beside other customers'.

A "forgot password" mail for an address with several accounts is one mail; it names the first customer, and its
tokens name all of them.
"""

from collections.abc import Iterable
from datetime import timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, Interval, Select, bindparam, func, literal, or_, select, tuple_, union
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.types import Integer, Uuid

from app.database import Connection, Row, Statement
from app.domain.callers import Actor, ActorType
from app.domain.communications import CommunicationStatus, MailKind
from app.domain.mail_history import RESENDABLE_DAYS, PastMail
from app.domain.paging import Cursor, Page, PageRequest
from app.models import communications, tokens
from app.repositories.rows import ORGANISATION, communication_columns, one_time_token, prefixed, token_columns

_CUSTOMER = bindparam("customer_id", type_=Uuid())
_COLUMNS = (
    *token_columns(),
    *communication_columns(),
    *prefixed(
        communications,
        "m_",
        (
            "kind",
            "email",
            "language",
            "automatic",
            "account_id",
            "created_at",
            "created_by_type",
            "created_by_id",
            "created_by_name",
            "delivered_at",
            "resent_from",
        ),
    ),
    (communications.c.created_at > func.now() - literal(timedelta(days=RESENDABLE_DAYS), Interval())).label("m_recent"),
)
_carried = tokens.join(
    communications,
    (communications.c.organisation_id == tokens.c.organisation_id) & (communications.c.id == tokens.c.communication_id),
)


def _newest(source: FromClause, *conditions: ColumnElement[bool]) -> Select[Any]:
    """The newest mails after the cursor that one way leads to."""
    after_at, after_id = bindparam("after_at", type_=TIMESTAMP(timezone=True)), bindparam("after_id", type_=Uuid())
    return (
        select(communications.c.organisation_id, communications.c.id, communications.c.created_at)
        .select_from(source)
        .where(
            communications.c.organisation_id == ORGANISATION,
            *conditions,
            or_(
                after_at.is_(None),
                tuple_(communications.c.created_at, communications.c.id) < tuple_(after_at, after_id),
            ),
        )
        .order_by(communications.c.created_at.desc(), communications.c.id.desc())
        .limit(bindparam("most", type_=Integer()))
    )


# Two ways, each by an index of its own and no further than a page; one condition with OR would read every mail.
_both = union(
    _newest(communications, communications.c.customer_id == _CUSTOMER),
    _newest(_carried, tokens.c.organisation_id == ORGANISATION, tokens.c.customer_id == _CUSTOMER),
).subquery("both")
_page = (
    select(_both.c.organisation_id, _both.c.id, _both.c.created_at)
    .order_by(_both.c.created_at.desc(), _both.c.id.desc())
    .limit(bindparam("most", type_=Integer()))
    .subquery("page")
)
_THEIR_LINKS = (
    (tokens.c.organisation_id == communications.c.organisation_id)
    & (tokens.c.communication_id == communications.c.id)
    & (tokens.c.customer_id == _CUSTOMER)
)
_PAGE = Statement(
    select(*_COLUMNS)
    .select_from(
        _page.join(
            communications,
            (communications.c.organisation_id == _page.c.organisation_id) & (communications.c.id == _page.c.id),
        ).outerjoin(tokens, _THEIR_LINKS)
    )
    .order_by(_page.c.created_at.desc(), _page.c.id.desc(), tokens.c.created_at, tokens.c.id)
)

_OF_CUSTOMER = Statement(
    select(*_COLUMNS)
    .select_from(communications.outerjoin(tokens, _THEIR_LINKS))
    .where(
        communications.c.organisation_id == ORGANISATION,
        communications.c.id == bindparam("communication_id"),
        or_(communications.c.customer_id == _CUSTOMER, tokens.c.id.is_not(None)),
    )
    .order_by(tokens.c.created_at, tokens.c.id)
)


class MailHistory:
    """Mails of one organisation's customers, each with the links of that customer."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def page(self, customer_id: UUID, request: PageRequest) -> Page[PastMail]:
        """The customer's mails, newest first."""
        rows = await self._connection.rows(
            _PAGE,
            customer_id=customer_id,
            after_at=request.after.at if request.after else None,
            after_id=request.after.id if request.after else None,
            most=request.size + 1,
        )
        return Page.of(_past_mails(rows), request.size, lambda mail: Cursor(mail.created_at, mail.id))

    async def of_customer(self, customer_id: UUID, communication_id: UUID) -> PastMail | None:
        """The customer's mail with this id."""
        rows = await self._connection.rows(_OF_CUSTOMER, customer_id=customer_id, communication_id=communication_id)
        return next(iter(_past_mails(rows)), None)


def _past_mails(rows: Iterable[Row]) -> list[PastMail]:
    """From rows that repeat a mail for each of its links."""
    return [_past_mail(list(of_one)) for _, of_one in groupby(rows, key=lambda row: row["m_id"])]


def _past_mail(rows: list[Row]) -> PastMail:
    row = rows[0]
    return PastMail(
        id=row["m_id"],
        kind=MailKind(row["m_kind"]),
        email=row["m_email"],
        language=row["m_language"],
        automatic=row["m_automatic"],
        status=CommunicationStatus(row["m_status"]),
        attempts=row["m_attempts"],
        last_error=row["m_last_error"],
        created_at=row["m_created_at"],
        created_by=Actor(ActorType(row["m_created_by_type"]), row["m_created_by_id"], row["m_created_by_name"]),
        sent_at=row["m_sent_at"],
        delivered_at=row["m_delivered_at"],
        resent_from=row["m_resent_from"],
        recent=row["m_recent"],
        account_id=row["m_account_id"],
        links=tuple(one_time_token(link) for link in rows if link["t_id"] is not None),
    )
