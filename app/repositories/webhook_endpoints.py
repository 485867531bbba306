"""Where the organisation's activities go, and which worker is sending there."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Interval, bindparam, case, func, insert, null, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP
from sqlalchemy.types import Boolean, Integer, LargeBinary, Text, Uuid

from app.database import Connection, Row, Statement
from app.domain.paging import NEWEST, Cursor, Page, PageRequest
from app.domain.webhooks import EndpointWish, WebhookEndpoint
from app.models import webhook_endpoints as endpoints
from app.repositories.rows import ORGANISATION

_THIS = (endpoints.c.organisation_id == ORGANISATION) & (endpoints.c.id == bindparam("endpoint_id", type_=Uuid()))
_LIVE = endpoints.c.deleted_at.is_(None)
_COLUMNS = (
    endpoints.c.id,
    endpoints.c.url,
    endpoints.c.types,
    endpoints.c.include_personal_data,
    endpoints.c.created_at,
    endpoints.c.secret_created_at,
    endpoints.c.disabled_at,
    endpoints.c.disabled_reason,
)
_WISH: dict[str, Any] = {
    "url": bindparam("url", type_=Text()),
    "types": bindparam("types", type_=ARRAY(Text())),
    "include_personal_data": bindparam("include_personal_data", type_=Boolean()),
}
_RESTED: dict[str, Any] = {"paused_until": null(), "failures": 0}

_ADD = Statement(
    insert(endpoints)
    .values(
        organisation_id=ORGANISATION,
        id=bindparam("endpoint_id", type_=Uuid()),
        sealed_secret=bindparam("sealed_secret", type_=LargeBinary()),
        **_WISH,
    )
    .returning(*_COLUMNS)
)
_CHANGE = Statement(update(endpoints).where(_THIS, _LIVE).values(**_WISH, **_RESTED).returning(*_COLUMNS))
_ROTATE = Statement(
    update(endpoints)
    .where(_THIS, _LIVE)
    .values(
        sealed_previous_secret=endpoints.c.sealed_secret,
        previous_secret_until=func.now() + bindparam("overlap", type_=Interval()),
        sealed_secret=bindparam("sealed_secret", type_=LargeBinary()),
        secret_created_at=func.now(),
    )
    .returning(*_COLUMNS)
)
_ENABLE = Statement(
    update(endpoints).where(_THIS, _LIVE).values(disabled_at=None, disabled_reason=None, **_RESTED).returning(*_COLUMNS)
)
_DISABLE = Statement(
    update(endpoints)
    .where(_THIS, _LIVE)
    .values(disabled_at=func.now(), disabled_reason=bindparam("reason", type_=Text()))
)
_DELETE = Statement(
    update(endpoints)
    .where(_THIS, _LIVE)
    .values(deleted_at=func.now(), sealed_secret=None, sealed_previous_secret=None, previous_secret_until=None)
)
_FIND = Statement(select(*_COLUMNS).where(_THIS, _LIVE))
_EXISTED = Statement(select(endpoints.c.id).where(_THIS))
_COUNT = Statement(select(func.count().label("count")).where(endpoints.c.organisation_id == ORGANISATION, _LIVE))
_SECRET = Statement(
    select(endpoints.c.sealed_secret).where(
        _THIS,
        _LIVE,
        endpoints.c.secret_created_at == bindparam("created_at", type_=TIMESTAMP(timezone=True)),
    )
)
_PAGE = Statement(
    select(*_COLUMNS)
    .where(
        endpoints.c.organisation_id == ORGANISATION,
        _LIVE,
        tuple_(endpoints.c.created_at, endpoints.c.id)
        < tuple_(bindparam("after_at", type_=TIMESTAMP(timezone=True)), bindparam("after_id", type_=Uuid())),
    )
    .order_by(endpoints.c.created_at.desc(), endpoints.c.id.desc())
    .limit(bindparam("most", type_=Integer()))
)

_now = func.clock_timestamp()  # later than the transaction's start, which may have waited for the lock
_LOCK = Statement(
    select(
        *_COLUMNS,
        endpoints.c.sealed_secret,
        case((endpoints.c.previous_secret_until > _now, endpoints.c.sealed_previous_secret)).label("sealed_previous"),
        endpoints.c.failures,
        endpoints.c.last_delivered_at,
        case((endpoints.c.turn_until > _now, endpoints.c.turn)).label("turn"),
        case((endpoints.c.paused_until > _now, endpoints.c.paused_until - _now)).label("pause"),
    )
    .where(_THIS, _LIVE)
    .with_for_update(key_share=True)
)
_BEGIN_TURN = Statement(
    update(endpoints)
    .where(_THIS)
    .values(turn=bindparam("turn", type_=Uuid()), turn_until=_now + bindparam("lease", type_=Interval()))
)
_MY_TURN = or_(endpoints.c.turn.is_(None), endpoints.c.turn == bindparam("turn", type_=Uuid()))
_TURN_OVER: dict[str, Any] = {
    "turn": case((_MY_TURN, null()), else_=endpoints.c.turn),
    "turn_until": case((_MY_TURN, null()), else_=endpoints.c.turn_until),
}
_END_TURN_WELL = Statement(update(endpoints).where(_THIS).values(**_TURN_OVER, **_RESTED, last_delivered_at=func.now()))
_END_TURN_BADLY = Statement(
    update(endpoints)
    .where(_THIS)
    .values(
        **_TURN_OVER,
        failures=endpoints.c.failures + 1,
        paused_until=_now + bindparam("pause", type_=Interval()),
    )
)


@dataclass(frozen=True, slots=True)
class LockedEndpoint:
    """An endpoint that nobody else changes until the transaction ends, with what a worker needs to send there."""

    endpoint: WebhookEndpoint
    sealed_secrets: tuple[bytes, ...]
    failures: int
    last_delivered_at: datetime | None
    turn: UUID | None  # of the job whose worker sends there, unless it must be dead
    pause: timedelta | None  # what is left of it


class WebhookEndpoints:
    """Webhook endpoints of one organisation."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, endpoint_id: UUID, wish: EndpointWish, sealed_secret: bytes) -> WebhookEndpoint:
        """A new endpoint."""
        row = await self._connection.one(_ADD, endpoint_id=endpoint_id, sealed_secret=sealed_secret, **_wish(wish))
        return _endpoint(row)

    async def change(self, endpoint_id: UUID, wish: EndpointWish) -> WebhookEndpoint:
        """The endpoint as it is wanted now; a pause is over."""
        return _endpoint(await self._connection.one(_CHANGE, endpoint_id=endpoint_id, **_wish(wish)))

    async def rotate(self, endpoint_id: UUID, sealed_secret: bytes, overlap: timedelta) -> WebhookEndpoint:
        """A new secret; the one before counts for a while longer."""
        given = {"endpoint_id": endpoint_id, "sealed_secret": sealed_secret, "overlap": overlap}
        return _endpoint(await self._connection.one(_ROTATE, **given))

    async def enable(self, endpoint_id: UUID) -> WebhookEndpoint:
        """Let activities go there again."""
        return _endpoint(await self._connection.one(_ENABLE, endpoint_id=endpoint_id))

    async def disable(self, endpoint_id: UUID, reason: str) -> None:
        """Let no more activities go there."""
        await self._connection.row(_DISABLE, endpoint_id=endpoint_id, reason=reason)

    async def delete(self, endpoint_id: UUID) -> None:
        """Take the endpoint away, and its secrets for good."""
        await self._connection.row(_DELETE, endpoint_id=endpoint_id)

    async def find(self, endpoint_id: UUID) -> WebhookEndpoint | None:
        """The endpoint, unless it was deleted."""
        row = await self._connection.row(_FIND, endpoint_id=endpoint_id)
        return _endpoint(row) if row else None

    async def existed(self, endpoint_id: UUID) -> bool:
        """Whether there is such an endpoint, or was."""
        return await self._connection.row(_EXISTED, endpoint_id=endpoint_id) is not None

    async def count(self) -> int:
        """How many there are."""
        return int((await self._connection.one(_COUNT))["count"])

    async def secret_of(self, endpoint_id: UUID, created_at: datetime) -> bytes | None:
        """The secret that was made then, still encrypted, if it is the endpoint's present one."""
        row = await self._connection.row(_SECRET, endpoint_id=endpoint_id, created_at=created_at)
        return row["sealed_secret"] if row else None

    async def page(self, request: PageRequest) -> Page[WebhookEndpoint]:
        """The endpoints, newest first."""
        after = request.after or NEWEST
        rows = await self._connection.rows(_PAGE, after_at=after.at, after_id=after.id, most=request.size + 1)
        return Page.of([*map(_endpoint, rows)], request.size, lambda one: Cursor(one.created_at, one.id))

    async def lock(self, endpoint_id: UUID) -> LockedEndpoint | None:
        """The endpoint, unless it was deleted; nobody else changes it until the transaction ends."""
        row = await self._connection.row(_LOCK, endpoint_id=endpoint_id)
        if row is None:
            return None
        sealed = tuple(one for one in (row["sealed_secret"], row["sealed_previous"]) if one is not None)
        return LockedEndpoint(
            _endpoint(row), sealed, row["failures"], row["last_delivered_at"], row["turn"], row["pause"]
        )

    async def begin_turn(self, endpoint_id: UUID, turn: UUID, lease: timedelta) -> None:
        """No other worker sends there until the turn ends, or its worker must be dead."""
        await self._connection.row(_BEGIN_TURN, endpoint_id=endpoint_id, turn=turn, lease=lease)

    async def end_turn(self, endpoint_id: UUID, turn: UUID, pause: timedelta | None) -> None:
        """The turn is over; with a pause the receiver took nothing in it."""
        if pause is None:
            await self._connection.row(_END_TURN_WELL, endpoint_id=endpoint_id, turn=turn)
        else:
            await self._connection.row(_END_TURN_BADLY, endpoint_id=endpoint_id, turn=turn, pause=pause)


def _wish(wish: EndpointWish) -> dict[str, Any]:
    types = sorted({kind.value for kind in wish.types})
    return {"url": wish.url, "types": types, "include_personal_data": wish.include_personal_data}


def _endpoint(row: Row) -> WebhookEndpoint:
    return WebhookEndpoint(
        id=row["id"],
        url=row["url"],
        types=tuple(row["types"]),
        include_personal_data=row["include_personal_data"],
        created_at=row["created_at"],
        secret_created_at=row["secret_created_at"],
        disabled_at=row["disabled_at"],
        disabled_reason=row["disabled_reason"],
    )
