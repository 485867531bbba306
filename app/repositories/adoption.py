"""Figures of an organisation's portal, counted in indexes alone as far as the tables have been vacuumed."""

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Interval, ScalarSelect, bindparam, column, distinct, func, literal, select
from sqlalchemy.dialects.postgresql import TIMESTAMP

from app.database import Connection, Statement
from app.domain.accounts import AccountState
from app.domain.adoption import Totals, Week
from app.models import accounts, customers, tokens
from app.repositories.rows import ORGANISATION
from app.tokens import Purpose

_INVITATIONS = (tokens.c.organisation_id == ORGANISATION) & (tokens.c.purpose == Purpose.INVITATION.value)
_LIVE = (accounts.c.organisation_id == ORGANISATION) & (accounts.c.state == AccountState.LIVE.value)
_CONFIRMED = accounts.c.email_confirmed_at.is_not(None)
_INVITED = select(func.count(distinct(tokens.c.customer_id))).where(_INVITATIONS)
_REGISTERED = select(func.count()).select_from(accounts).where(_LIVE)

_TOTALS = Statement(
    select(
        select(func.count())
        .select_from(customers)
        .where(customers.c.organisation_id == ORGANISATION)
        .scalar_subquery()
        .label("customers"),
        _INVITED.scalar_subquery().label("invited"),
        _REGISTERED.scalar_subquery().label("registered"),
        _REGISTERED.where(_CONFIRMED).scalar_subquery().label("active"),
    )
)

_this_week = func.date_trunc("week", func.now(), "UTC")
_A_WEEK = literal(timedelta(weeks=1), Interval())
_week = (
    func.generate_series(_this_week - bindparam("back", type_=Interval()), _this_week, _A_WEEK)
    .table_valued(column("starts_at", TIMESTAMP(timezone=True)), name="week")
    .render_derived()
)


def _in_week(counted: Any, moment: ColumnElement[Any]) -> ScalarSelect[Any]:
    during = counted.where(moment >= _week.c.starts_at, moment < _week.c.starts_at + _A_WEEK)
    return during.correlate(_week).scalar_subquery()  # type: ignore[no-any-return]


_WEEKS = Statement(
    select(
        _week.c.starts_at,
        _in_week(_INVITED, tokens.c.created_at).label("invited"),
        _in_week(_REGISTERED, accounts.c.registered_at).label("registered"),
        _in_week(_REGISTERED.where(_CONFIRMED), accounts.c.email_confirmed_at).label("confirmed"),
    ).order_by(_week.c.starts_at)
)


class Adoption:
    """Figures of one organisation."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def totals(self) -> Totals:
        """As of now."""
        row = await self._connection.one(_TOTALS)
        return Totals(row["customers"], row["invited"], row["registered"], row["active"])

    async def weeks(self, count: int) -> list[Week]:
        """So many weeks up to this one, by the database's clock, oldest first."""
        rows = await self._connection.rows(_WEEKS, back=timedelta(weeks=count - 1))
        return [Week(row["starts_at"].date(), row["invited"], row["registered"], row["confirmed"]) for row in rows]
