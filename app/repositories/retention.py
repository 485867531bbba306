"""Deleting what has been kept long enough, a bounded number of rows at a time, so that nobody waits for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Interval, Table, Uuid, any_, bindparam, delete, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

from app.database import Connection, Statement
from app.models import (
    activities,
    activity_seals,
    idempotency_answers,
    organisations,
    platform_events,
    sealed_entries,
    sessions,
    webhook_deliveries,
)
from app.repositories.idempotency import KEPT as ANSWERS_KEPT
from app.repositories.rows import ORGANISATION

MOST_AT_ONCE = 5_000
# Long after any of them could be asked about: the log tells of logins and logouts for as long as it is kept.
_SESSIONS_KEPT = literal(timedelta(days=90), Interval())
# No longer than any organisation's log, out of which what is sent is written.
_DELIVERIES_KEPT = literal(timedelta(days=30), Interval())
# Longer than the platform could be away without anyone noticing; one that still waits then would tell of old times.
_PLATFORM_EVENTS_KEPT = literal(timedelta(days=30), Interval())

# The setting as it is at this moment: a period that was made longer meanwhile counts at once. Without one it is null.
_LOG_KEPT_FROM = Statement(
    select((func.now() - func.make_interval(0, 0, 0, organisations.c.retention_days)).label("kept_from")).where(
        organisations.c.organisation_id == ORGANISATION
    )
)


def _delete(table: Table, key: ColumnElement[Any], moment: ColumnElement[Any], kept: ColumnElement[Any]) -> Statement:
    """The oldest of the organisation's rows that are older than that, and how many they were."""
    old = (
        select(key)
        .where(table.c.organisation_id == ORGANISATION, moment < func.now() - kept)
        .order_by(moment)
        .limit(MOST_AT_ONCE)
        .scalar_subquery()
    )
    gone = (
        delete(table)
        # As an array, so that each key is looked up in the index: a join is guessed wrong where statistics are old.
        .where(table.c.organisation_id == ORGANISATION, key == any_(func.array(old)))
        .returning(table.c.organisation_id)
        .cte("gone")
    )
    return Statement(select(func.count().label("count")).select_from(gone))


# The log's trigger lets a transaction delete that says it is retention.
_OPEN_LOG = Statement(select(func.set_config("portal.retention", "on", True)).where(ORGANISATION.is_not(None)))
_BEFORE = bindparam("before", type_=TIMESTAMP(timezone=True))
_LISTS_AT_ONCE = 5
_LISTS = Statement(
    select(sealed_entries.c.sequence, sealed_entries.c.list, activity_seals.c.last_at)
    .join(
        activity_seals,
        (activity_seals.c.organisation_id == sealed_entries.c.organisation_id)
        & (activity_seals.c.sequence == sealed_entries.c.sequence),
    )
    .where(
        sealed_entries.c.organisation_id == ORGANISATION,
        sealed_entries.c.sequence > bindparam("after", type_=BigInteger()),
        activity_seals.c.first_at < _BEFORE,
    )
    .order_by(sealed_entries.c.sequence)
    .limit(_LISTS_AT_ONCE)
)
_DELETE_LISTS = Statement(
    delete(sealed_entries).where(
        sealed_entries.c.organisation_id == ORGANISATION,
        sealed_entries.c.sequence == any_(bindparam("sequences", type_=ARRAY(BigInteger()))),
    )
)
_ACTIVITIES = Statement(
    delete(activities)
    .where(
        activities.c.organisation_id == ORGANISATION,
        activities.c.id == any_(bindparam("ids", type_=ARRAY(Uuid()))),
        activities.c.occurred_at < _BEFORE,
    )
    .returning(activities.c.id)
)
_ANSWERS = _delete(
    idempotency_answers, idempotency_answers.c.key_digest, idempotency_answers.c.created_at, ANSWERS_KEPT
)
_DELIVERIES = _delete(webhook_deliveries, webhook_deliveries.c.id, webhook_deliveries.c.created_at, _DELIVERIES_KEPT)
_PLATFORM_EVENTS = _delete(platform_events, platform_events.c.id, platform_events.c.received_at, _PLATFORM_EVENTS_KEPT)
_SESSIONS = _delete(sessions, sessions.c.id, sessions.c.expires_at, _SESSIONS_KEPT)


@dataclass(frozen=True, slots=True)
class OutdatedList:
    """A list of sealed entries of which some are older than the log is kept."""

    sequence: int
    packed: bytes
    last_at: datetime


class Retention:
    """What one organisation need not keep any longer. Less than `MOST_AT_ONCE` rows gone mean that no more are left."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def open_log(self) -> None:
        """Let this transaction delete from the log."""
        await self._connection.row(_OPEN_LOG)

    async def log_kept_from(self) -> datetime | None:
        """What occurred earlier is older than the organisation's retention period; None when it has none."""
        row = await self._connection.row(_LOG_KEPT_FROM)
        return row["kept_from"] if row else None

    async def outdated_lists(self, after: int, before: datetime) -> list[OutdatedList]:
        """Some of the lists that follow in the chain and name what occurred before that moment."""
        rows = await self._connection.rows(_LISTS, after=after, before=before)
        return [OutdatedList(row["sequence"], row["list"], row["last_at"]) for row in rows]

    async def delete_activities(self, ids: Sequence[UUID], before: datetime) -> set[UUID]:
        """Of these entries of the log those that occurred before that moment; which they were."""
        return {row["id"] for row in await self._connection.rows(_ACTIVITIES, ids=ids, before=before)}

    async def delete_lists(self, sequences: Sequence[int]) -> None:
        """The lists of these seals, which name nothing any more."""
        await self._connection.row(_DELETE_LISTS, sequences=sequences)

    async def delete_answers(self) -> int:
        """Answers kept for repeated requests, once no repetition gets them any more."""
        return await self._count(_ANSWERS)

    async def delete_platform_events(self) -> int:
        """What the platform told weeks ago."""
        return await self._count(_PLATFORM_EVENTS)

    async def delete_sessions(self) -> int:
        """Sessions that ended long ago."""
        return await self._count(_SESSIONS)

    async def delete_webhook_deliveries(self) -> int:
        """Webhook deliveries, also those that still wait for an endpoint that is off."""
        return await self._count(_DELIVERIES)

    async def _count(self, statement: Statement) -> int:
        return int((await self._connection.one(statement))["count"])
