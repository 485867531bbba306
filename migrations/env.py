"""Runs migrations on asyncpg. The URL comes from `portal-access migrate`, or from PORTAL_DATABASE_URL."""

import asyncio
import time
from functools import partial

import asyncpg
from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from app.models import metadata
from app.settings import load_settings

# Any fixed number: two migrations at once take turns.
_LOCK = 7_203_114_586
_TURN_SECONDS = 0.2


def _included(name: str | None, kind: str, _parents: object) -> bool:
    """The job queue's tables belong to its library."""
    return not (kind == "table" and name is not None and name.startswith("pgqueuer"))


def _run(connection: Connection) -> None:
    # Asked for again and again, for an index that is made concurrently would wait for whoever waits inside a statement.
    while not connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": _LOCK}):
        connection.rollback()
        time.sleep(_TURN_SECONDS)
    connection.execute(text("SET lock_timeout = '5s'"))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_name=_included,
        compare_type=True,
        compare_server_default=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def _online() -> None:
    url = context.config.attributes.get("url") or str(load_settings().database_url)
    # The driver reads the URL itself, so that whatever the service accepts, migrations accept.
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=partial(asyncpg.connect, url), poolclass=NullPool
    )
    async with engine.connect() as connection:
        await connection.run_sync(_run)
    await engine.dispose()


asyncio.run(_online())
