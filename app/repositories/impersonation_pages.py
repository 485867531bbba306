"""Looking back on impersonation sessions: a customer's, and the whole organisation's."""

from typing import Any
from uuid import UUID

from sqlalchemy import any_, bindparam, func, select, tuple_
from sqlalchemy.dialects.postgresql import TIMESTAMP, array
from sqlalchemy.types import Integer, Text, Uuid

from app.database import Connection, Row, Statement
from app.domain.activities import ActivityType
from app.domain.impersonations import Impersonation, ImpersonationOverview
from app.domain.paging import NEWEST, Cursor, Page, PageRequest
from app.models import activities, customers, impersonations
from app.repositories.rows import ORGANISATION, impersonation, impersonation_columns

_OF_CUSTOMER = impersonations.c.customer_id == bindparam("customer_id", type_=Uuid())
_COLUMNS = impersonation_columns()


def _page(element: Any, *conditions: Any) -> Statement:
    """Newest first, after the cursor."""
    when, row_id = bindparam("after_at", type_=TIMESTAMP(timezone=True)), bindparam("after_id", type_=Uuid())
    return Statement(
        element.where(
            impersonations.c.organisation_id == ORGANISATION,
            *conditions,
            tuple_(impersonations.c.created_at, impersonations.c.id) < tuple_(when, row_id),
        )
        .order_by(impersonations.c.created_at.desc(), impersonations.c.id.desc())
        .limit(bindparam("most", type_=Integer()))
    )


_PAGE = _page(select(*_COLUMNS), _OF_CUSTOMER)
_PAGE_OF_VISITS = _page(select(*_COLUMNS), _OF_CUSTOMER, impersonations.c.redeemed_at.is_not(None))

# Its own beginning, end and refusals are not what the employee did.
_LIFE = array(
    [
        ActivityType.IMPERSONATION_STARTED.value,
        ActivityType.IMPERSONATION_REDEEMED.value,
        ActivityType.IMPERSONATION_REFUSED.value,
        ActivityType.IMPERSONATION_ENDED.value,
    ],
    type_=Text(),
)
_action_count = (
    select(func.count())
    .select_from(activities)
    .where(
        activities.c.organisation_id == ORGANISATION,
        activities.c.customer_id == impersonations.c.customer_id,
        activities.c.occurred_at >= impersonations.c.created_at,  # the index knows customer and time
        activities.c.occurred_at <= func.coalesce(impersonations.c.ended_at, impersonations.c.expires_at),
        activities.c.impersonation_id == impersonations.c.id,
        ~(activities.c.type == any_(_LIFE)),
    )
    .correlate(impersonations)
    .scalar_subquery()
    .label("action_count")
)
_PAGE_OF_ORGANISATION = _page(
    select(
        *_COLUMNS,
        customers.c.account_number,
        customers.c.display_name,
        (
            func.least(func.coalesce(impersonations.c.ended_at, func.now()), impersonations.c.expires_at)
            - impersonations.c.redeemed_at
        ).label("duration"),
        _action_count,
    ).select_from(
        impersonations.join(
            customers,
            (customers.c.organisation_id == impersonations.c.organisation_id)
            & (customers.c.id == impersonations.c.customer_id),
        )
    )
)


class ImpersonationPages:
    """Lists of one organisation's impersonation sessions."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def of_customer(self, customer_id: UUID, request: PageRequest) -> Page[Impersonation]:
        """The customer's impersonations, newest first."""
        return await self._page(_PAGE, request, customer_id=customer_id)

    async def visits(self, customer_id: UUID, request: PageRequest) -> Page[Impersonation]:
        """Those during which an employee really was logged in, newest first."""
        return await self._page(_PAGE_OF_VISITS, request, customer_id=customer_id)

    async def of_organisation(self, request: PageRequest) -> Page[ImpersonationOverview]:
        """The organisation's impersonations, newest first, with whom they met and what was done."""
        rows = await self._connection.rows(_PAGE_OF_ORGANISATION, **_after(request))
        found = [
            ImpersonationOverview(
                _found(row), row["account_number"], row["display_name"], row["duration"], row["action_count"]
            )
            for row in rows
        ]
        return Page.of(found, request.size, lambda one: _cursor(one.impersonation))

    async def _page(self, statement: Statement, request: PageRequest, **given: Any) -> Page[Impersonation]:
        rows = await self._connection.rows(statement, **given, **_after(request))
        return Page.of([_found(row) for row in rows], request.size, _cursor)


def _after(request: PageRequest) -> dict[str, Any]:
    after = request.after or NEWEST
    return {"after_at": after.at, "after_id": after.id, "most": request.size + 1}


def _cursor(one: Impersonation) -> Cursor:
    return Cursor(one.created_at, one.id)


def _found(row: Row) -> Impersonation:
    found = impersonation(row)
    assert found is not None
    return found
