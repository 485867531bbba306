"""What the platform told of one organisation, and what became of it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, any_, bindparam, func, literal, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP, insert
from sqlalchemy.types import BigInteger, Interval, LargeBinary, Text, Uuid

from app.database import Connection, Row, Statement
from app.domain.platform_events import REPEATED_WITHIN, KeptEvent, PlatformEvent, PlatformEventState
from app.ids import new_id
from app.models import platform_events as events
from app.repositories.rows import ORGANISATION

_MOST = 500  # of one customer at once; the others have jobs of their own
_BODY = bindparam("body_digest", type_=LargeBinary())

# Two statements: one alone would read from a moment before its lock, and miss an event kept in between.
_LOCK = Statement(
    select(func.pg_advisory_xact_lock(bindparam("lock", type_=BigInteger()))).where(ORGANISATION.is_not(None))
)
_FIND = Statement(
    select(events.c.id)
    .where(
        events.c.organisation_id == ORGANISATION,
        events.c.body_digest == _BODY,
        events.c.received_at > func.now() - literal(REPEATED_WITHIN, Interval()),
    )
    .order_by(events.c.received_at.desc())
    .limit(1)
)
_KEEP = Statement(
    insert(events).values(
        organisation_id=ORGANISATION,
        id=bindparam("event_id"),
        kind=bindparam("kind"),
        customer_id=bindparam("customer_id"),
        body=bindparam("body"),
        body_digest=_BODY,
        correlation_id=bindparam("correlation_id"),
        state=bindparam("state"),
    )
)

_earlier = events.alias("earlier")
_told_before = (
    select(_earlier.c.id)
    .where(
        _earlier.c.organisation_id == ORGANISATION,
        _earlier.c.body_digest == events.c.body_digest,
        tuple_(_earlier.c.received_at, _earlier.c.id) < tuple_(events.c.received_at, events.c.id),
        or_(
            _earlier.c.state == PlatformEventState.WAITING.value,
            _earlier.c.state == PlatformEventState.APPLIED.value,
        ),
    )
    .correlate(events)
    .exists()
)


def _waiting(whose: ColumnElement[bool]) -> ColumnElement[bool]:
    return (events.c.organisation_id == ORGANISATION) & whose & (events.c.state == PlatformEventState.WAITING.value)


def _moment(whose: ColumnElement[bool]) -> Statement:
    return Statement(select(func.now().label("now")).select_from(events).where(_waiting(whose)).limit(1))


def _list(whose: ColumnElement[bool]) -> Statement:
    return Statement(
        select(
            events.c.id,
            events.c.kind,
            events.c.body,
            events.c.received_at,
            events.c.correlation_id,
            _told_before.label("told_before"),
        )
        .where(_waiting(whose), events.c.received_at <= bindparam("until", type_=TIMESTAMP(timezone=True)))
        .order_by(events.c.received_at, events.c.id)
        .limit(_MOST)
    )


_of_customer = events.c.customer_id == bindparam("customer_id", type_=Uuid())
_of_nobody = events.c.customer_id.is_(None)
_MOMENT, _MOMENT_OF_ORGANISATION = _moment(_of_customer), _moment(_of_nobody)
_LIST, _LIST_OF_ORGANISATION = _list(_of_customer), _list(_of_nobody)

_END = Statement(
    update(events)
    .where(events.c.organisation_id == ORGANISATION, events.c.id == any_(bindparam("event_ids", type_=ARRAY(Uuid()))))
    .values(state=bindparam("new_state", type_=Text()), ended_at=func.now())
)


class PlatformEvents:
    """What the platform told of one organisation."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def earlier(self, body_digest: bytes) -> UUID | None:
        """An event that came with the same body minutes ago. Until the transaction ends nobody else keeps one."""
        await self._connection.row(_LOCK, lock=int.from_bytes(body_digest[:8], "big", signed=True))
        row = await self._connection.row(_FIND, body_digest=body_digest)
        return row["id"] if row else None

    async def keep(self, event: PlatformEvent, correlation_id: str) -> UUID:
        """Keep an event; it waits if it may change something. Its id."""
        state = PlatformEventState.WAITING if event.may_change else PlatformEventState.IGNORED
        event_id = new_id()
        await self._connection.row(
            _KEEP,
            event_id=event_id,
            kind=event.kind,
            customer_id=event.customer_id,
            body=event.body,
            body_digest=event.body_digest,
            correlation_id=correlation_id,
            state=state.value,
        )
        return event_id

    async def moment(self, customer_id: UUID | None) -> datetime | None:
        """Now, by the database's clock, if something waits that was told of this customer, or of the organisation."""
        row = await self._row_or_none(customer_id)
        return row["now"] if row else None

    async def waiting(self, customer_id: UUID | None, until: datetime) -> list[KeptEvent]:
        """What waits and came by then, oldest first."""
        if customer_id is None:
            rows = await self._connection.rows(_LIST_OF_ORGANISATION, until=until)
        else:
            rows = await self._connection.rows(_LIST, customer_id=customer_id, until=until)
        return [_event(row) for row in rows]

    async def end(self, event_ids: list[UUID], state: PlatformEventState) -> None:
        """Say what became of events."""
        await self._connection.row(_END, event_ids=event_ids, new_state=state.value)

    async def _row_or_none(self, customer_id: UUID | None) -> Row | None:
        if customer_id is None:
            return await self._connection.row(_MOMENT_OF_ORGANISATION)
        return await self._connection.row(_MOMENT, customer_id=customer_id)


def _event(row: Row) -> KeptEvent:
    return KeptEvent(
        id=row["id"],
        kind=row["kind"],
        body=row["body"],
        received_at=row["received_at"],
        correlation_id=row["correlation_id"],
        told_before=row["told_before"],
    )
