"""A migrated template database, and a copy of it for each test worker."""

import asyncio
import hashlib
import os
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from app.embedded import start
from app.migrating import migrate

T = TypeVar("T")
_LOCK = 20_019_188


@contextmanager
def postgres(shared: Path) -> Iterator[str]:
    """The PostgreSQL to test on: PORTAL_TEST_DATABASE_URL, or the embedded one, shared by all workers."""
    given = os.environ.get("PORTAL_TEST_DATABASE_URL")
    if given:
        yield given
        return
    hold = start(shared / "postgres", durable=False)
    try:
        yield hold.url
    finally:
        hold.stop()


def named(url: str, database: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def run(url: str, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
    """Do something on a connection of its own."""

    async def connected() -> T:
        connection = await asyncpg.connect(url)
        try:
            return await work(connection)
        finally:
            await connection.close()

    return asyncio.run(connected())


def fresh_copy(server: str, name: str) -> str:
    """A new database, copied from the migrated template; an older one of that name goes first."""
    versions = sorted(Path("migrations/versions").glob("*.py"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in versions)).hexdigest()[:12]
    template = f"portal_template_{digest}"

    async def make(connection: asyncpg.Connection) -> None:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", template):
            await connection.execute(f'CREATE DATABASE "{template}_draft"')
            await asyncio.to_thread(migrate, named(server, f"{template}_draft"))
            await connection.execute(f'ALTER DATABASE "{template}_draft" RENAME TO "{template}"')
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')

    run(server, make)
    return named(server, name)


def drop(server: str, name: str) -> None:
    """Remove a copy."""

    async def work(connection: asyncpg.Connection) -> None:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    run(server, work)


class Sql:
    """Plain SQL for arranging what no caller can (time that has passed) and for looking behind the API."""

    def __init__(self, url: str) -> None:
        self._url = url

    def rows(self, sql: str, *arguments: Any) -> list[dict[str, Any]]:
        """All rows, as dictionaries."""

        async def work(connection: asyncpg.Connection) -> list[dict[str, Any]]:
            return [dict(row) for row in await connection.fetch(sql, *arguments)]

        return run(self._url, work)

    def value(self, sql: str, *arguments: Any) -> Any:
        """The first column of the first row."""

        async def work(connection: asyncpg.Connection) -> Any:
            return await connection.fetchval(sql, *arguments)

        return run(self._url, work)

    def run(self, sql: str, *arguments: Any) -> str:
        """The command's status, such as `UPDATE 1`."""

        async def work(connection: asyncpg.Connection) -> str:
            return await connection.execute(sql, *arguments)

        return run(self._url, work)

    def unseen(self, sql: str, *arguments: Any) -> str:
        """The command's status; no trigger sees it, as when a superuser of the database does it."""

        async def work(connection: asyncpg.Connection) -> str:
            await connection.execute("SET session_replication_role = replica")
            return await connection.execute(sql, *arguments)

        return run(self._url, work)

    def wait_until(
        self,
        sql: str,
        enough: Callable[[Any], bool],
        *arguments: Any,
        doing: Callable[[], None] = lambda: None,
    ) -> Any:
        """The first value that is enough."""
        deadline = time.monotonic() + 40
        while not enough(value := self.value(sql, *arguments)):
            assert time.monotonic() < deadline, f"still {value}"
            doing()
            time.sleep(0.05)
        return value

    @contextmanager
    def holding(self, sql: str, *arguments: Any, isolation: str = "READ COMMITTED") -> Iterator[None]:
        """A transaction that has done this and is not over yet, whoever waits for it."""
        with asyncio.Runner() as runner:
            connection = runner.run(asyncpg.connect(self._url))
            try:
                runner.run(connection.execute(f"BEGIN ISOLATION LEVEL {isolation}"))
                runner.run(connection.execute(sql, *arguments))
                yield
                runner.run(connection.execute("COMMIT"))
            finally:
                runner.run(connection.close())

    def wait_for_waiting(self, count: int) -> None:
        """Until so many wait for a lock."""
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        deadline = time.monotonic() + 20
        while self.value(waiting) < count:
            assert time.monotonic() < deadline, "nobody waits"
            time.sleep(0.02)
