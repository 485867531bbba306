"""Deleting what has been kept long enough, a bounded number of rows at a time, so that nobody waits for it."""

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Interval, Table, any_, delete, func, literal, select

from app.database import Connection, Statement
from app.models import activities, idempotency_answers, organisations, platform_events, sessions, webhook_deliveries
from app.repositories.idempotency import KEPT as ANSWERS_KEPT
from app.repositories.rows import ORGANISATION

MOST_AT_ONCE = 5_000
# Long after any of them could be asked about: the log tells of logins and logouts for as long as it is kept.
_SESSIONS_KEPT = literal(timedelta(days=90), Interval())
# No longer than any organisation's log, out of which what is sent is written.
_DELIVERIES_KEPT = literal(timedelta(days=30), Interval())
# Longer than the platform could be away without anyone noticing; one that still waits then would tell of old times.
_PLATFORM_EVENTS_KEPT = literal(timedelta(days=30), Interval())

# The setting as it is at this moment: a period that was made longer meanwhile counts at once. Without one it is null,
# and nothing is older than that.
_log_kept = (
    select(func.make_interval(0, 0, 0, organisations.c.retention_days))
    .where(organisations.c.organisation_id == ORGANISATION)
    .scalar_subquery()
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
_ACTIVITIES = _delete(activities, activities.c.id, activities.c.occurred_at, _log_kept)
_ANSWERS = _delete(
    idempotency_answers, idempotency_answers.c.key_digest, idempotency_answers.c.created_at, ANSWERS_KEPT
)
_DELIVERIES = _delete(webhook_deliveries, webhook_deliveries.c.id, webhook_deliveries.c.created_at, _DELIVERIES_KEPT)
_PLATFORM_EVENTS = _delete(platform_events, platform_events.c.id, platform_events.c.received_at, _PLATFORM_EVENTS_KEPT)
_SESSIONS = _delete(sessions, sessions.c.id, sessions.c.expires_at, _SESSIONS_KEPT)


class Retention:
    """What one organisation need not keep any longer. Each answers how many rows went, at most `MOST_AT_ONCE`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def delete_activities(self) -> int:
        """Entries of the log older than the organisation's retention period, if it has one."""
        await self._connection.row(_OPEN_LOG)
        return await self._count(_ACTIVITIES)

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
