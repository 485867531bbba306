"""The chain of seals of one organisation's log, and the entries as seals look at them."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    all_,
    any_,
    bindparam,
    case,
    cast,
    func,
    insert,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP
from sqlalchemy.types import BigInteger, Integer, Text, Uuid

from app.database import Connection, Row, Statement
from app.domain.seals import COVERED, Moment, Place, Seal, SealedEntry, SealKind, pack
from app.models import activities, activity_seals, sealed_entries
from app.models.metadata import Xid8
from app.repositories.rows import ORGANISATION

_PLACES = ("begins", "ends")
_MOST = bindparam("most", type_=Integer())
_SEQUENCE = bindparam("sequence", type_=BigInteger())
_IDS = bindparam("ids", type_=ARRAY(Uuid()))
_OF_CHAIN = activity_seals.c.organisation_id == ORGANISATION
_OF_LOG = activities.c.organisation_id == ORGANISATION
_OF_LISTS = sealed_entries.c.organisation_id == ORGANISATION
_place = tuple_(activities.c.transaction, activities.c.id)


_FIRST_TIME: ColumnElement[datetime] = literal_column("timestamptz '0001-01-01 00:00:00+00'")
_LAST_TIME: ColumnElement[datetime] = literal_column("timestamptz '9999-12-31 23:59:59.999999+00'")


def _told(at: ColumnElement[datetime]) -> ColumnElement[datetime]:
    """A time that Python can hold. PostgreSQL knows others, and nobody shall hide a change behind one of them."""
    return case((at > _LAST_TIME, _LAST_TIME), (at < _FIRST_TIME, _FIRST_TIME), else_=at)


_OCCURRED = _told(activities.c.occurred_at).label("occurred_at")
# As PostgreSQL reads them out: what a payload holds may be more than a parser of JSON takes.
_COVERED = [
    *(activities.c[name] for name in COVERED if name not in ("occurred_at", "payload")),
    _OCCURRED,
    cast(activities.c.payload, Text()).label("payload"),
]


def _given(place: str) -> Any:
    return tuple_(bindparam(f"{place}_transaction", type_=Xid8()), bindparam(f"{place}_id", type_=Uuid()))


# Held until the transaction ends: each seal follows the one before, whoever makes it.
_LOCK = Statement(
    select(func.pg_advisory_xact_lock(func.hashtextextended(func.concat(ORGANISATION, " seals"), 0))).where(
        ORGANISATION.is_not(None)
    )
)
_snapshot = func.pg_current_snapshot()
_MOMENT = Statement(
    select(
        func.pg_snapshot_xmin(_snapshot, type_=Xid8()).label("oldest"),
        func.pg_snapshot_xmax(_snapshot, type_=Xid8()).label("next"),
        func.clock_timestamp().label("now"),
    ).where(ORGANISATION.is_not(None))
)
_HEAD = Statement(select(activity_seals).where(_OF_CHAIN).order_by(activity_seals.c.sequence.desc()).limit(1))
_AFTER = Statement(
    select(activity_seals)
    .where(_OF_CHAIN, activity_seals.c.sequence > _SEQUENCE)
    .order_by(activity_seals.c.sequence)
    .limit(_MOST)
)
_RESTARTS = Statement(
    select(activity_seals)
    .where(_OF_CHAIN, activity_seals.c.kind == SealKind.RESTART.value)
    .order_by(activity_seals.c.sequence)
)
_APPEND = Statement(
    insert(activity_seals).values(
        {column.name: bindparam(column.name) for column in activity_seals.c if column.name != "organisation_id"}
        | {"organisation_id": ORGANISATION}
    )
)
_KEEP = Statement(
    insert(sealed_entries).values(organisation_id=ORGANISATION, sequence=_SEQUENCE, list=bindparam("list"))
)
_LIST = Statement(select(sealed_entries.c.list).where(_OF_LISTS, sealed_entries.c.sequence == _SEQUENCE))


def _in_order(*columns: Any) -> Select[Any]:
    return select(*columns).where(_OF_LOG, _place >= _given("start")).order_by(*_place.clauses).limit(_MOST)


_UNSEALED = Statement(_in_order(*_COVERED).where(activities.c.transaction < bindparam("below", type_=Xid8())))
_BEYOND = Statement(_in_order(activities.c.transaction, activities.c.id, _OCCURRED))
_LISTED = Statement(select(*_COVERED).where(_OF_LOG, activities.c.id == any_(_IDS)))
_SINCE, _UNTIL = (bindparam(name, type_=TIMESTAMP(timezone=True)) for name in ("since", "until"))
_UNLISTED = Statement(
    _in_order(activities.c.id, _OCCURRED).where(
        _place < _given("ends"),
        activities.c.id != all_(_IDS),
        or_(_SINCE.is_(None), activities.c.occurred_at > _SINCE),
        or_(_UNTIL.is_(None), activities.c.occurred_at <= _UNTIL),
    )
)
_SPAN = Statement(
    select(
        _told(func.min(activities.c.occurred_at)).label("first_at"),
        _told(func.max(activities.c.occurred_at)).label("last_at"),
    ).where(_OF_LOG)
)


class Seals:
    """The seals of one organisation."""

    def __init__(self, connection: Connection, organisation_id: UUID) -> None:
        self._connection = connection
        self._organisation_id = organisation_id

    async def lock(self) -> None:
        """Wait for whoever is making a seal of the organisation; what is read afterwards is what they left."""
        await self._connection.row(_LOCK)

    async def moment(self) -> Moment:
        """Which transactions are over, and the time."""
        row = await self._connection.one(_MOMENT)
        return Moment(row["oldest"], row["next"], row["now"])

    async def head(self) -> Seal:
        """The newest seal; what the first one follows, when there is none."""
        row = await self._connection.row(_HEAD)
        return _seal(row) if row else Seal.before_all(self._organisation_id)

    async def after(self, sequence: int, most: int) -> list[Seal]:
        """The seals that follow."""
        return [_seal(row) for row in await self._connection.rows(_AFTER, sequence=sequence, most=most)]

    async def restarts(self) -> list[Seal]:
        """Those seals at which the transactions' numbers began anew."""
        return [_seal(row) for row in await self._connection.rows(_RESTARTS)]

    async def append(self, seal: Seal, entries: Sequence[SealedEntry] = ()) -> None:
        """Add a signed seal, and keep the list of the entries that it covers."""
        given = {field.name: getattr(seal, field.name) for field in fields(seal) if field.name != "organisation_id"}
        for name in _PLACES:
            place: Place = given.pop(name)
            given |= {f"{name}_transaction": place.transaction, f"{name}_id": place.id}
        await self._connection.row(_APPEND, **given | {"kind": seal.kind.value})
        if entries:
            await self._connection.row(_KEEP, sequence=seal.sequence, list=pack(entries))

    async def list_of(self, sequence: int) -> bytes | None:
        """The list of the entries that a seal covers, unless it is gone with them."""
        row = await self._connection.row(_LIST, sequence=sequence)
        return row["list"] if row else None

    async def unsealed(self, start: Place, below: int, most: int) -> list[tuple[Place, SealedEntry]]:
        """The entries from there on in the order, of transactions before that one."""
        rows = await self._connection.rows(_UNSEALED, **_named("start", start), below=below, most=most)
        return [(Place(row["transaction"], row["id"]), SealedEntry.of(dict(row))) for row in rows]

    async def beyond(self, start: Place, most: int) -> list[tuple[Place, datetime]]:
        """Which entries there are from there on, whichever transaction's, and when they occurred."""
        rows = await self._connection.rows(_BEYOND, **_named("start", start), most=most)
        return [(Place(row["transaction"], row["id"]), row["occurred_at"]) for row in rows]

    async def entries(self, ids: Sequence[UUID]) -> dict[UUID, tuple[int, SealedEntry]]:
        """These entries as they stand in the log, each with its transaction, by id."""
        rows = await self._connection.rows(_LISTED, ids=ids)
        return {row["id"]: (row["transaction"], SealedEntry.of(dict(row))) for row in rows}

    async def unlisted(
        self, seal: Seal, until: datetime | None, ids: Sequence[UUID], most: int
    ) -> list[tuple[UUID, datetime]]:
        """Entries where the seal looked, and of its time, that are not among these."""
        rows = await self._connection.rows(
            _UNLISTED,
            **_named("start", seal.begins),
            **_named("ends", seal.ends),
            ids=ids,
            since=seal.since,
            until=until,
            most=most,
        )
        return [(row["id"], row["occurred_at"]) for row in rows]

    async def span(self) -> tuple[datetime | None, datetime | None]:
        """When the log's oldest and its newest entry occurred."""
        row = await self._connection.one(_SPAN)
        return row["first_at"], row["last_at"]


def _named(name: str, place: Place) -> dict[str, Any]:
    return {f"{name}_transaction": place.transaction, f"{name}_id": place.id}


def _seal(row: Row) -> Seal:
    given = dict(row)
    for name in _PLACES:
        given[name] = Place(given.pop(f"{name}_transaction"), given.pop(f"{name}_id"))
    return Seal(**given | {"kind": SealKind(row["kind"])})
