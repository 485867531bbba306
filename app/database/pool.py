"""The pool of connections to PostgreSQL."""

import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from types import TracebackType
from typing import Any, Self

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from app.database.connections import PATIENT_SECONDS, Connection, Loan, Row
from app.database.faults import FAULTS, unavailable
from app.settings import Settings

_GIVE_UP_SECONDS = 2.0  # for the first words with a server, and for word that nobody waits any more
_STATEMENTS_KEPT = 200  # prepared ones, of each connection
_LOCKS = 0.8  # part of the patience that may go to waiting for a lock, whose refusal then still arrives


class _Block:
    """A connection on loan from the pool until the block ends, inside a transaction if one is wanted.

    Classes cost a request less than generators that are context managers within each other.
    """

    __slots__ = ("_begin", "_database", "_loan", "_organisation")

    def __init__(self, database: "Database", organisation: Any, *, begin: str | None) -> None:
        self._database = database
        self._organisation = organisation
        self._begin = begin  # how the transaction begins; None for no transaction

    async def __aenter__(self) -> Connection:
        try:
            self._loan = await self._database.lend()
            if self._begin:
                await self._start(self._begin)
        except FAULTS as fault:
            raise unavailable(fault) from fault
        return Connection(self._loan, self._organisation)

    async def __aexit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _places: TracebackType | None
    ) -> None:
        at_rest = False
        try:
            try:
                if self._begin and error is None:
                    await self._loan.tell("COMMIT;")
                elif self._begin and not self._loan.given_up:
                    await self._loan.tell("ROLLBACK;")
                at_rest = error is None
            finally:
                await self._database.take_back(self._loan, at_rest=at_rest)
        except FAULTS as fault:
            raise unavailable(fault) from fault
        if isinstance(error, FAULTS):
            raise unavailable(error) from error

    async def _start(self, begin: str) -> None:
        try:
            await self._loan.tell(begin)
        except BaseException:
            await self._database.take_back(self._loan, at_rest=False)
            raise


class Database:
    """A pool of connections to PostgreSQL. Faults of the database become TemporarilyUnavailable.

    `watchers` are told the text of every statement, the job queue's own too, never its arguments: whoever must prove
    that two requests do the same work looks here.
    """

    def __init__(self, pool: "asyncpg.Pool[Row]", patience: float, *, begin: str, pooled: bool) -> None:
        self._pool = pool
        self._patience = patience
        self._begin = begin
        self._pooled = pooled
        self._given_up: set[asyncio.Task[None]] = set()
        self.watchers: list[Callable[[str], None]] = []

    @classmethod
    async def connect(cls, url: str, settings: Settings) -> Self:
        """A pool that opens its connections when they are needed, so that a start survives a missing database."""
        limits = {
            "jit": "off",
            "lock_timeout": f"{settings.database_wait_seconds * _LOCKS * 1000:.0f}ms",
            "statement_timeout": "30s",
            "idle_in_transaction_session_timeout": "60s",
        }
        begin = "BEGIN;"
        if settings.database_pooled:  # a pooler refuses them at the start of a connection
            begin += "".join(f" SET LOCAL {name} = '{limit}';" for name, limit in limits.items())
            limits = {}
        pool = asyncpg.create_pool(  # type: ignore[call-overload]  # its stubs type reset= wrongly
            url,
            min_size=0,
            max_size=settings.database_pool_size,
            statement_cache_size=0 if settings.database_pooled else _STATEMENTS_KEPT,
            max_cached_statement_lifetime=0,
            max_inactive_connection_lifetime=300,
            timeout=settings.database_wait_seconds,
            command_timeout=PATIENT_SECONDS,
            init=_prepare,
            reset=_leave_as_is,
            server_settings={"application_name": "portal-access", "timezone": "UTC"} | limits,
        )
        await pool
        return cls(pool, settings.database_wait_seconds, begin=begin, pooled=settings.database_pooled)

    def reading(self, organisation: Any) -> AbstractAsyncContextManager[Connection]:
        """A connection for single statements, each its own transaction.

        Behind a pooler they are in one together: between the parts of a statement that stands for itself another
        connection may be taken.
        """
        return _Block(self, organisation, begin=self._begin if self._pooled else None)

    def transaction(self, organisation: Any) -> AbstractAsyncContextManager[Connection]:
        """A connection inside a transaction that commits at the end of the block, or rolls back."""
        return _Block(self, organisation, begin=self._begin)

    async def lend(self) -> Loan:
        """A connection, which has to be given back.

        Raises: one of FAULTS.
        """
        if self._pool.get_idle_size():  # nothing to wait for: a timeout would cost more than the loan
            driver = await self._pool.acquire()
        else:
            async with asyncio.timeout(self._patience):
                driver = await self._pool.acquire()
        if self.watchers:
            driver.add_query_logger(self._tell)
        return Loan(driver, self._patience)

    async def take_back(self, loan: Loan, *, at_rest: bool) -> None:
        """Back into the pool; one that was given up is closed. `at_rest` says that it is at work on nothing.

        Raises: one of FAULTS.
        """
        if self.watchers:
            loan.driver.remove_query_logger(self._tell)
        if loan.given_up:
            closing = asyncio.create_task(_close(loan.driver))
            self._given_up.add(closing)
            closing.add_done_callback(self._given_up.discard)
        else:
            await self._pool.release(loan.driver, timeout=None if at_rest else self._patience)

    async def revision(self) -> str | None:
        """The migration that the database's tables stand at; None before the first.

        Raises: TemporarilyUnavailable.
        """
        async with self.reading(None) as connection:
            try:
                return await connection.queue(lambda driver: driver.fetchval("SELECT version_num FROM alembic_version"))
            except asyncpg.UndefinedTableError:
                return None

    async def close(self) -> None:
        """Close all connections; those still at work get five seconds."""
        try:
            await asyncio.wait_for(self._pool.close(), 5)
        except TimeoutError:
            self._pool.terminate()

    def _tell(self, logged: "asyncpg.connection.LoggedQuery") -> None:
        for watcher in self.watchers:
            watcher(logged.query)


async def _close(driver: "PoolConnectionProxy[Row]") -> None:
    """End what the connection was at; its place in the pool is free afterwards, whatever the server says."""
    with suppress(*FAULTS):
        await driver.close(timeout=_GIVE_UP_SECONDS)


async def _prepare(driver: "PoolConnectionProxy[Row]") -> None:
    """Teach a new connection to carry jsonb as Python objects."""
    async with asyncio.timeout(_GIVE_UP_SECONDS), driver.transaction():  # what a pooler keeps together
        await driver.set_type_codec("jsonb", schema="pg_catalog", encoder=_to_json, decoder=json.loads)


def _to_json(value: Any) -> str:
    """Objects and lists are ours; text is the job queue's own, which comes as JSON already."""
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)


async def _leave_as_is(driver: "PoolConnectionProxy[Row]") -> None:
    """Send no reset query when a connection returns: nothing here changes a connection's state outside
    transactions, and the query costs a fifth of a read's throughput."""
