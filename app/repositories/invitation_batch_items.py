"""The customers of an invitation batch, and what became of each."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import any_, bindparam, case, exists, func, insert, literal, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP
from sqlalchemy.types import Boolean, Integer, Text, Uuid

from app.database import Connection, Row, Statement
from app.domain.accounts import PortalStatus
from app.domain.invitation_batches import (
    MOST_CUSTOMERS,
    BatchOutcome,
    BatchResult,
    CustomerFilter,
    InvitationBatch,
    NewBatch,
    PendingItem,
    Verdict,
)
from app.domain.paging import Cursor, Page, PageRequest
from app.errors import CustomerDoesNotExist
from app.models import accounts, customers, organisations, tokens
from app.models import invitation_batch_items as items
from app.models import invitation_batches as batches
from app.repositories.customers import STANDING_COLUMNS, standing, with_organisation_and_account
from app.repositories.invitation_batches import COLUMNS, invitation_batch
from app.repositories.rows import ORGANISATION
from app.tokens import Purpose

_BATCH = bindparam("batch_id", type_=Uuid())
_OF_BATCH = (items.c.organisation_id == ORGANISATION) & (items.c.batch_id == _BATCH)
_THIS_BATCH = (batches.c.organisation_id == ORGANISATION) & (batches.c.id == _BATCH)
_PENDING = items.c.outcome == BatchOutcome.PENDING.value
_LARGEST_PLACE = 2**31 - 1
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)


def _adding(chosen: Any) -> Statement:
    """Store the chosen customers, each with its place, and count them in the batch: none of them is lost in between."""
    unknown = chosen.c.found.is_(None)
    given = {
        "organisation_id": ORGANISATION,
        "batch_id": _BATCH,
        "place": chosen.c.place,
        "customer_id": chosen.c.customer_id,
        "account_number": chosen.c.account_number,
        "outcome": case((unknown, BatchOutcome.FAILED.value), else_=BatchOutcome.PENDING.value),
        "key": case((unknown, CustomerDoesNotExist.key)),
    }
    added = insert(items).from_select(list(given), select(*given.values())).returning(items.c.outcome).cte("added")
    count = select(func.count()).select_from(added)
    return Statement(
        update(batches)
        .where(_THIS_BATCH)
        .values(
            requested=count.scalar_subquery(),
            failed=count.where(added.c.outcome == BatchOutcome.FAILED.value).scalar_subquery(),
        )
        .returning(*COLUMNS)
    )


def _listed(name: str, kind: Any) -> Any:
    return (
        func.unnest(bindparam(name, type_=ARRAY(kind)))
        .table_valued("value", with_ordinality="place", name="listed")
        .render_derived()
    )


_ids, _numbers = _listed("customer_ids", Uuid()), _listed("account_numbers", Text())
_ADD_BY_ID = _adding(
    select(
        _ids.c.place,
        _ids.c.value.label("customer_id"),
        customers.c.account_number,
        customers.c.id.label("found"),
    )
    .select_from(
        _ids.outerjoin(customers, (customers.c.organisation_id == ORGANISATION) & (customers.c.id == _ids.c.value))
    )
    .cte("chosen")
)
_ADD_BY_NUMBER = _adding(
    select(
        _numbers.c.place,
        customers.c.id.label("customer_id"),
        _numbers.c.value.label("account_number"),
        customers.c.id.label("found"),
    )
    .select_from(
        _numbers.outerjoin(
            customers,
            (customers.c.organisation_id == ORGANISATION) & (customers.c.account_number == _numbers.c.value),
        )
    )
    .cte("chosen")
)


def _if_given(name: str, kind: Any, condition: Any) -> Any:
    return or_(bindparam(name, type_=kind).is_(None), condition)


_status = case(
    (accounts.c.id.is_(None), PortalStatus.NO_ACCOUNT.value),
    (accounts.c.email_confirmed_at.is_(None), PortalStatus.NOT_CONFIRMED.value),
    else_=PortalStatus.ACTIVE.value,
)
_invitation = (
    (tokens.c.organisation_id == ORGANISATION)
    & (tokens.c.customer_id == customers.c.id)
    & (tokens.c.purpose == Purpose.INVITATION.value)
)
_last_invited_at = select(func.max(tokens.c.created_at)).where(_invitation).correlate(customers).scalar_subquery()
_before = bindparam("invited_before", type_=TIMESTAMP(timezone=True))
_text = func.lower(func.concat_ws("\n", customers.c.account_number, customers.c.display_name, customers.c.email))
_ADD_BY_FILTER = _adding(
    select(
        func.row_number().over(order_by=(customers.c.created_at, customers.c.id)).label("place"),
        customers.c.id.label("customer_id"),
        customers.c.account_number,
        customers.c.id.label("found"),
    )
    .select_from(with_organisation_and_account)
    .where(
        customers.c.organisation_id == ORGANISATION,
        _if_given("portal_status", Text(), _status == bindparam("portal_status", type_=Text())),
        _if_given(
            "invited",
            Boolean(),
            exists().where(_invitation).correlate(customers) == bindparam("invited", type_=Boolean()),
        ),
        or_(_before.is_(None), _last_invited_at < _before),
        _if_given(
            "language",
            Text(),
            func.coalesce(customers.c.language, organisations.c.default_language)
            == bindparam("language", type_=Text()),
        ),
        _if_given("q", Text(), func.strpos(_text, func.lower(bindparam("q", type_=Text()))) > 0),
    )
    .limit(bindparam("most", type_=Integer()))
    .cte("chosen")
)

_NEXT = Statement(
    select(items.c.place, items.c.customer_id.label("item_customer_id"), *STANDING_COLUMNS)
    .select_from(
        items.outerjoin(
            with_organisation_and_account,
            (customers.c.organisation_id == items.c.organisation_id) & (customers.c.id == items.c.customer_id),
        )
    )
    .where(_OF_BATCH, _PENDING)
    .order_by(items.c.place)
    .limit(bindparam("most", type_=Integer()))
)

_outcome = bindparam("outcome", type_=Text())
_settled = (
    update(items)
    .where(_OF_BATCH, items.c.place == any_(bindparam("places", type_=ARRAY(Integer()))), _PENDING)
    .values(outcome=_outcome, key=bindparam("key", type_=Text()))
    .returning(items.c.place)
    .cte("settled")
)
_number = select(func.count()).select_from(_settled).scalar_subquery()
_SETTLE = Statement(
    update(batches)
    .where(_THIS_BATCH)
    .values(
        {
            name: batches.c[name] + case((_outcome == name, _number), else_=literal(0))
            for name in (BatchOutcome.INVITED.value, BatchOutcome.SKIPPED.value, BatchOutcome.FAILED.value)
        }
    )
    .returning(*COLUMNS, _number.label("settled"))
)


def _page(*conditions: Any) -> Statement:
    return Statement(
        select(items.c.place, items.c.customer_id, items.c.account_number, items.c.outcome, items.c.key)
        .where(_OF_BATCH, *conditions, items.c.place > bindparam("after", type_=Integer()))
        .order_by(items.c.place)
        .limit(bindparam("most", type_=Integer()))
    )


_PAGE, _PAGE_OF_OUTCOME = _page(), _page(items.c.outcome == _outcome)


class InvitationBatchItems:
    """The customers of one organisation's batches."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, batch_id: UUID, new: NewBatch) -> InvitationBatch:
        """Store the customers that the batch was asked for; those who do not exist have failed. The batch with its
        counts: one more than there may be, when a filter finds more.
        """
        chosen = new.customers
        if isinstance(chosen, CustomerFilter):
            row = await self._connection.one(
                _ADD_BY_FILTER,
                batch_id=batch_id,
                portal_status=chosen.portal_status.value if chosen.portal_status else None,
                invited=chosen.invited,
                invited_before=chosen.invited_before,
                language=chosen.language,
                q=chosen.q,
                most=MOST_CUSTOMERS + 1,
            )
        elif isinstance(chosen[0], UUID):
            row = await self._connection.one(_ADD_BY_ID, batch_id=batch_id, customer_ids=chosen)
        else:
            row = await self._connection.one(_ADD_BY_NUMBER, batch_id=batch_id, account_numbers=chosen)
        return invitation_batch(row)

    async def next(self, batch_id: UUID, most: int) -> list[PendingItem]:
        """The next customers whose turn it is, and where each stands; None for one who is not known any more."""
        rows = await self._connection.rows(_NEXT, batch_id=batch_id, most=most)
        return [
            PendingItem(row["place"], row["item_customer_id"], standing(row) if row["c_id"] is not None else None)
            for row in rows
        ]

    async def settle(self, batch_id: UUID, places: Sequence[int], verdict: Verdict) -> tuple[InvitationBatch, int]:
        """Give the customers at these places their outcome, once; the batch then, and how many had none before.

        The caller holds the batch's lock.
        """
        row = await self._connection.one(
            _SETTLE, batch_id=batch_id, places=places, outcome=verdict.outcome.value, key=verdict.key
        )
        return invitation_batch(row), int(row["settled"])

    async def page(self, batch_id: UUID, outcome: BatchOutcome | None, request: PageRequest) -> Page[BatchResult]:
        """Results in the order in which the customers were asked for: all, or those of one outcome."""
        given = {"batch_id": batch_id, "after": _place(request.after), "most": request.size + 1}
        if outcome is None:
            rows = await self._connection.rows(_PAGE, **given)
        else:
            rows = await self._connection.rows(_PAGE_OF_OUTCOME, **given, outcome=outcome.value)
        return Page.of([_result(row) for row in rows], request.size, lambda one: _cursor(one.place))


def _cursor(place: int) -> Cursor:
    """Results have a place instead of a time."""
    return Cursor(_NO_TIME, UUID(int=place))


def _place(after: Cursor | None) -> int:
    return min(after.id.int, _LARGEST_PLACE) if after else 0


def _result(row: Row) -> BatchResult:
    return BatchResult(
        row["place"], row["customer_id"], row["account_number"], BatchOutcome(row["outcome"]), row["key"]
    )
