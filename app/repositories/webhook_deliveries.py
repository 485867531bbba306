"""Activities on their way to webhook endpoints."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Interval, any_, bindparam, case, column, func, insert, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.types import Integer, Text, Uuid

from app.database import Connection, Row, Statement
from app.domain.paging import NEWEST, Cursor, Page, PageRequest
from app.domain.webhooks import TEST_TYPE, Attempt, DeliveryStatus, Wanted, WebhookDelivery
from app.ids import new_id
from app.models import webhook_deliveries as deliveries
from app.models import webhook_endpoints as endpoints
from app.repositories.rows import ORGANISATION

_WRITTEN: dict[str, Any] = {"id": Uuid(), "endpoint_id": Uuid(), "activity_id": Uuid(), "type": Text()}
_given = (
    func.jsonb_to_recordset(bindparam("entries", type_=JSONB()))
    .table_valued(*(column(name, kind) for name, kind in _WRITTEN.items()), name="entry")
    .render_derived(with_types=True)
)
_ADD = Statement(
    insert(deliveries).from_select(
        ["organisation_id", *_WRITTEN], select(ORGANISATION, *(_given.c[name] for name in _WRITTEN))
    )
)

_ENDPOINT = (deliveries.c.organisation_id == ORGANISATION) & (
    deliveries.c.endpoint_id == bindparam("endpoint_id", type_=Uuid())
)
_THIS = (deliveries.c.organisation_id == ORGANISATION) & (deliveries.c.id == bindparam("delivery_id", type_=Uuid()))
_PENDING = deliveries.c.status == DeliveryStatus.PENDING.value
_COLUMNS = [one for one in deliveries.c if one.name != "organisation_id"]
_now = func.clock_timestamp()

_due = (
    select(deliveries.c.id)
    .where(_ENDPOINT, _PENDING, deliveries.c.next_attempt_at <= _now)
    .order_by(deliveries.c.next_attempt_at, deliveries.c.id)
    .limit(bindparam("most", type_=Integer()))
    .scalar_subquery()
)
_TAKE = Statement(
    update(deliveries)
    .where(deliveries.c.organisation_id == ORGANISATION, deliveries.c.id == any_(func.array(_due)))
    .values(attempts=deliveries.c.attempts + 1, last_attempt_at=_now)
    .returning(*_COLUMNS)
)

_ATTEMPTED: dict[str, Any] = {
    "last_status": bindparam("last_status", type_=Integer()),
    "last_error": bindparam("last_error", type_=Text()),
}
_END = Statement(
    update(deliveries)
    .where(_THIS, _PENDING)
    .values(
        status=bindparam("status", type_=Text()),
        delivered_at=case((bindparam("status", type_=Text()) == DeliveryStatus.DELIVERED.value, func.now())),
        **_ATTEMPTED,
    )
)
_POSTPONE = Statement(
    update(deliveries)
    .where(_THIS, _PENDING)
    .values(next_attempt_at=func.now() + bindparam("wait", type_=Interval()), **_ATTEMPTED)
)
_AGAIN: dict[str, Any] = {
    "status": DeliveryStatus.PENDING.value,
    "attempts": 0,
    "requested_at": func.now(),
    "next_attempt_at": func.now(),
    "delivered_at": None,
}
_ASK_AGAIN = Statement(update(deliveries).where(_THIS).values(**_AGAIN).returning(*_COLUMNS))
_ASK_AGAIN_PENDING = Statement(update(deliveries).where(_ENDPOINT, _PENDING).values(**_AGAIN))

# Nothing is tried while the endpoint is off.
_next = case((_PENDING & endpoints.c.disabled_at.is_(None), deliveries.c.next_attempt_at)).label("next_attempt_at")
_SHOWN = [_next if one.name == "next_attempt_at" else one for one in _COLUMNS]
_with_endpoint = deliveries.join(
    endpoints,
    (endpoints.c.organisation_id == deliveries.c.organisation_id) & (endpoints.c.id == deliveries.c.endpoint_id),
)
_FIND = Statement(select(*_SHOWN).select_from(_with_endpoint).where(_THIS, endpoints.c.deleted_at.is_(None)))
_STATUS = bindparam("status", type_=Text())
_PAGE = Statement(
    select(*_SHOWN)
    .select_from(_with_endpoint)
    .where(
        _ENDPOINT,
        or_(_STATUS.is_(None), deliveries.c.status == _STATUS),
        tuple_(deliveries.c.created_at, deliveries.c.id)
        < tuple_(bindparam("after_at", type_=TIMESTAMP(timezone=True)), bindparam("after_id", type_=Uuid())),
    )
    .order_by(deliveries.c.created_at.desc(), deliveries.c.id.desc())
    .limit(bindparam("most", type_=Integer()))
)


class WebhookDeliveries:
    """Webhook deliveries of one organisation."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, wanted: Sequence[Wanted]) -> None:
        """Write deliveries down, due at once."""
        entries = [
            {
                "id": str(new_id()),
                "endpoint_id": str(one.endpoint_id),
                "activity_id": str(one.activity_id),
                "type": one.type,
            }
            for one in wanted
        ]
        await self._connection.row(_ADD, entries=entries)

    async def add_test(self, delivery_id: UUID, endpoint_id: UUID) -> None:
        """Write a test down, due at once."""
        entry = {"id": str(delivery_id), "endpoint_id": str(endpoint_id), "activity_id": None, "type": TEST_TYPE}
        await self._connection.row(_ADD, entries=[entry])

    async def take(self, endpoint_id: UUID, most: int) -> list[WebhookDelivery]:
        """Count an attempt for those that are due, at most so many; whoever calls this has locked the endpoint."""
        return [_delivery(row) for row in await self._connection.rows(_TAKE, endpoint_id=endpoint_id, most=most)]

    async def end(self, delivery_id: UUID, status: DeliveryStatus, attempt: Attempt) -> None:
        """The delivery's end, unless it has come to one."""
        await self._connection.row(_END, delivery_id=delivery_id, status=status.value, **_attempted(attempt))

    async def postpone(self, delivery_id: UUID, wait: timedelta, attempt: Attempt) -> None:
        """Try it again after a while, unless it has come to an end."""
        await self._connection.row(_POSTPONE, delivery_id=delivery_id, wait=wait, **_attempted(attempt))

    async def ask_again(self, delivery_id: UUID) -> WebhookDelivery:
        """Send it once more, whatever became of it, with all its attempts."""
        return _delivery(await self._connection.one(_ASK_AGAIN, delivery_id=delivery_id))

    async def ask_again_pending(self, endpoint_id: UUID) -> None:
        """The same for all that wait for the endpoint."""
        await self._connection.row(_ASK_AGAIN_PENDING, endpoint_id=endpoint_id)

    async def find(self, delivery_id: UUID) -> WebhookDelivery | None:
        """The delivery, unless its endpoint was deleted."""
        row = await self._connection.row(_FIND, delivery_id=delivery_id)
        return _delivery(row) if row else None

    async def page(
        self, endpoint_id: UUID, request: PageRequest, status: DeliveryStatus | None
    ) -> Page[WebhookDelivery]:
        """The endpoint's deliveries, newest first."""
        after = request.after or NEWEST
        rows = await self._connection.rows(
            _PAGE,
            endpoint_id=endpoint_id,
            status=status.value if status else None,
            after_at=after.at,
            after_id=after.id,
            most=request.size + 1,
        )
        return Page.of([*map(_delivery, rows)], request.size, lambda one: Cursor(one.created_at, one.id))


def _attempted(attempt: Attempt) -> dict[str, Any]:
    return {"last_status": attempt.status, "last_error": attempt.error}


def _delivery(row: Row) -> WebhookDelivery:
    return WebhookDelivery(**(dict(row) | {"status": DeliveryStatus(row["status"])}))
