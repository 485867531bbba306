"""Portal accounts across customers, newest first, and finding them by what an employee types."""

from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, any_, bindparam, func, null, or_, select, tuple_, union_all
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP
from sqlalchemy.types import Integer, Text, Uuid

from app.database import Connection, Row, Statement
from app.domain.accounts import AccountState, PortalStatus
from app.domain.paging import NEWEST, Cursor, Page, PageRequest
from app.domain.portal_accounts import PortalAccount, PortalAccountFilter
from app.models import accounts, customers, tokens
from app.models.accounts import email_as_searched
from app.models.customers import as_searched
from app.repositories.rows import ACCOUNT_RECORD_COLUMNS, CUSTOMER_COLUMNS, ORGANISATION, account_record, customer
from app.tokens import Purpose

_WHEN = TIMESTAMP(timezone=True)
_INVITED_BEFORE = bindparam("invited_before", type_=_WHEN)
_LAST_ACTIVE_BEFORE = bindparam("last_active_before", type_=_WHEN)
_TEXT = bindparam("text", type_=Text())
_LAST_CHARACTER = "\U0010ffff"
_LIVE = accounts.c.state == AccountState.LIVE.value

_invited_at = (
    select(func.max(tokens.c.created_at))
    .where(
        tokens.c.organisation_id == ORGANISATION,
        tokens.c.customer_id == customers.c.id,
        tokens.c.purpose == Purpose.INVITATION.value,
    )
    .correlate(customers)
    .scalar_subquery()
)
_INVITED = or_(_INVITED_BEFORE.is_(None), _invited_at < _INVITED_BEFORE)

_OF_ACCOUNTS = (
    select(*CUSTOMER_COLUMNS, *ACCOUNT_RECORD_COLUMNS, _invited_at.label("invited_at"))
    .select_from(
        accounts.join(
            customers,
            (customers.c.organisation_id == accounts.c.organisation_id) & (customers.c.id == accounts.c.customer_id),
        )
    )
    .where(
        accounts.c.organisation_id == ORGANISATION,
        _INVITED,
        or_(
            _LAST_ACTIVE_BEFORE.is_(None),
            func.coalesce(accounts.c.last_active_at, accounts.c.registered_at) < _LAST_ACTIVE_BEFORE,
        ),
    )
)
_live_account = (
    select(accounts.c.id)
    .where(accounts.c.organisation_id == ORGANISATION, accounts.c.customer_id == customers.c.id, _LIVE)
    .correlate(customers)
)
_WITHOUT_ACCOUNT = select(*CUSTOMER_COLUMNS, null().label("a_id"), _invited_at.label("invited_at")).where(
    customers.c.organisation_id == ORGANISATION,
    ~_live_account.exists(),
    _INVITED,
    _LAST_ACTIVE_BEFORE.is_(None),  # who has no account has not been active
)


def _found(searched: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether it begins with the text. As a range an index serves it whatever the text, and nothing is a wildcard."""
    return and_(searched.op("~>=~")(func.lower(_TEXT)), searched.op("~<=~")(func.lower(_TEXT + _LAST_CHARACTER)))


# Whoever has few matches is shown these, sorted. Where there are more, a page is soon full on the way from the newest.
_FEW = 2_000
_MATCHES = Statement(
    union_all(
        *(
            select(customers.c.id).where(customers.c.organisation_id == ORGANISATION, _found(searched))
            for searched in as_searched.values()
        ),
        select(accounts.c.customer_id).where(accounts.c.organisation_id == ORGANISATION, _found(email_as_searched)),
    ).limit(_FEW + 1)
)
_IS_ONE_OF_FEW = customers.c.id == any_(bindparam("customer_ids", type_=ARRAY(Uuid())))
_of_customer = accounts.alias("of_customer")
_IS_ONE_OF_MANY = or_(
    *(_found(searched) for searched in as_searched.values()),
    select(_of_customer.c.id)
    .where(
        _of_customer.c.organisation_id == ORGANISATION,
        _of_customer.c.customer_id == customers.c.id,
        _found(func.lower(_of_customer.c.email)),
    )
    .correlate(customers)
    .exists(),
)


class _Search(StrEnum):
    """How a text is looked for."""

    NONE = "none"
    FEW = "few"
    MANY = "many"


def _pages(listed: Select[Any], at: ColumnElement[Any], row_id: ColumnElement[Any]) -> dict[_Search, Statement]:
    """Newest first, after the cursor."""
    after = tuple_(bindparam("after_at", type_=_WHEN), bindparam("after_id", type_=Uuid()))
    page = (
        listed.add_columns(at.label("listed_at"), row_id.label("listed_id"))
        .where(tuple_(at, row_id) < after)
        .order_by(at.desc(), row_id.desc())
        .limit(bindparam("most", type_=Integer()))
    )
    return {
        _Search.NONE: Statement(page),
        _Search.FEW: Statement(page.where(_IS_ONE_OF_FEW)),
        _Search.MANY: Statement(page.where(_IS_ONE_OF_MANY)),
    }


_NEWEST = (accounts.c.registered_at, accounts.c.id)
# A statement for each status, so that its own index can serve it.
_PAGES = {
    None: _pages(_OF_ACCOUNTS, *_NEWEST),
    PortalStatus.NOT_CONFIRMED: _pages(_OF_ACCOUNTS.where(_LIVE, accounts.c.email_confirmed_at.is_(None)), *_NEWEST),
    PortalStatus.ACTIVE: _pages(_OF_ACCOUNTS.where(_LIVE, accounts.c.email_confirmed_at.is_not(None)), *_NEWEST),
    PortalStatus.NO_ACCOUNT: _pages(_WITHOUT_ACCOUNT, customers.c.created_at, customers.c.id),
}


class PortalAccounts:
    """The portal accounts of one organisation."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def page(self, request: PageRequest, only: PortalAccountFilter) -> Page[PortalAccount]:
        """Those that match, the one registered last first; customers without account by when they came."""
        after = request.after or NEWEST
        given: dict[str, Any] = {
            "invited_before": only.invited_before,
            "last_active_before": only.last_active_before,
            "after_at": after.at,
            "after_id": after.id,
            "most": request.size + 1,
        }
        search = _Search.NONE
        if only.text is not None:
            matches = await self._connection.rows(_MATCHES, text=only.text)
            search = _Search.FEW if len(matches) <= _FEW else _Search.MANY
            given |= {"text": only.text} if search is _Search.MANY else {"customer_ids": [row["id"] for row in matches]}
        rows = await self._connection.rows(_PAGES[only.status][search], **given)
        page = Page.of(rows, request.size, lambda row: Cursor(row["listed_at"], row["listed_id"]))
        return Page([_portal_account(row) for row in page.results], page.next)


def _portal_account(row: Row) -> PortalAccount:
    return PortalAccount(customer(row), account_record(row) if row["a_id"] is not None else None, row["invited_at"])
