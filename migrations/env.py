"""Runs migrations on asyncpg. The URL comes from `portal-access migrate`, or from PORTAL_DATABASE_URL."""

import asyncio
import logging
import time
from functools import partial

import asyncpg
from alembic import context
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from app.models import metadata
from app.settings import load_settings

_log = logging.getLogger("migrations")

# Any fixed number: two migrations at once take turns.
_LOCK = 7_203_114_586
_TURN_SECONDS = 0.2
# Whoever calls meanwhile waits behind a step that waits for a lock, so it waits shorter than they have patience.
_LOCK_TIMEOUT = text("SET lock_timeout = '500ms'")
_LOCK_NOT_AVAILABLE = "55P03"


def _included(name: str | None, kind: str, _parents: object) -> bool:
    """The job queue's tables belong to its library."""
    return not (kind == "table" and name is not None and name.startswith("pgqueuer"))


def _run(connection: Connection) -> None:
    # Asked for again and again, for an index that is made concurrently would wait for whoever waits inside a statement.
    while not connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": _LOCK}):
        connection.rollback()
        time.sleep(_TURN_SECONDS)
    told = False
    while not _taken(connection):
        connection.rollback()
        if not told:
            _log.warning("A table is in use: the migration tries again until it is free.")
            told = True
        time.sleep(_TURN_SECONDS)


def _taken(connection: Connection) -> bool:
    """Take the steps that are left; False if one of them found its table in use."""
    connection.execute(_LOCK_TIMEOUT)
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_name=_included,
        compare_type=True,
        compare_server_default=True,
        transaction_per_migration=True,
        on_version_apply=_keep_short,
    )
    try:
        with context.begin_transaction():
            context.run_migrations()
    except DBAPIError as fault:
        if getattr(fault.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
            raise
        return False
    return True


def _keep_short(ctx: MigrationContext, *_: object, **__: object) -> None:
    """For the step that comes next, whatever this one has set."""
    assert ctx.connection is not None
    ctx.connection.execute(_LOCK_TIMEOUT)


async def _online() -> None:
    url = context.config.attributes.get("url") or load_settings().direct_database_url
    # The driver reads the URL itself, so that whatever the service accepts, migrations accept.
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=partial(asyncpg.connect, url), poolclass=NullPool
    )
    async with engine.connect() as connection:
        await connection.run_sync(_run)
    await engine.dispose()


asyncio.run(_online())
