"""Statements written with SQLAlchemy Core, executed by asyncpg.

SQLAlchemy compiles each statement once, when its module is imported; a request only looks up the text and puts
its arguments in order. Why: `docs/decisions/0002-core-writes-asyncpg-runs.md`. This module knows no table.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from contextvars import ContextVar
from types import TracebackType
from typing import Any, ClassVar, Self, TypeVar, cast

import asyncpg
import structlog
from asyncpg.pool import PoolConnectionProxy
from sqlalchemy.dialects.postgresql import asyncpg as sqlalchemy_asyncpg
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import SQLCompiler

from app.errors import Contended, TemporarilyUnavailable
from app.settings import Settings

Row = asyncpg.Record
T = TypeVar("T")

_log = structlog.get_logger(__name__)


class _Compiler(sqlalchemy_asyncpg.PGCompiler_asyncpg):
    """Writes a statement's own literals into its text, so that partial indexes match and only real parameters
    remain."""

    def visit_bindparam(self, bindparam: Any, *args: Any, **given: Any) -> Any:
        if not bindparam.required:
            given["literal_binds"] = True
        return super().visit_bindparam(bindparam, *args, **given)  # type: ignore[no-untyped-call]


_DIALECT = sqlalchemy_asyncpg.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
_DIALECT.statement_compiler = _Compiler

_PATIENT_SECONDS = 30.0
_GIVE_UP_SECONDS = 2.0  # for the first words with a server, and for word that nobody waits any more
_STATEMENTS_KEPT = 200  # prepared ones, of each connection
_LOCKS = 0.8  # part of the patience that may go to waiting for a lock, whose refusal then still arrives

_patient: ContextVar[bool] = ContextVar("patient", default=False)


@contextmanager
def patiently() -> Iterator[None]:
    """Within this block an answer of the database may take half a minute: no caller waits for what is done here."""
    before = _patient.set(True)
    try:
        yield
    finally:
        _patient.reset(before)


FAULTS = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the driver's, of a connection that breaks off between two of its steps
    asyncpg.OperatorInterventionError,  # shutdown, crash, cancelled statement
    asyncpg.InsufficientResourcesError,  # too many connections, disk full
    asyncpg.TransactionRollbackError,  # deadlock, serialization
    asyncpg.LockNotAvailableError,
)


class ConstraintViolated(Exception):
    """A named constraint refused a row; the repository that knows it turns it into a domain error."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class Statement:
    """One SQL statement, compiled once, with the order of its parameters."""

    everyone: ClassVar[list["Statement"]] = []

    def __init__(self, element: Executable) -> None:
        compiled = cast(SQLCompiler, element.compile(dialect=_DIALECT))  # type: ignore[attr-defined]
        if compiled.literal_execute_params or compiled.post_compile_params:
            raise TypeError("a statement's text must not depend on its parameters; use = ANY(:values)")
        self.element = element
        self.sql = str(compiled)
        self.names: tuple[str, ...] = tuple(compiled.positiontup or ())
        Statement.everyone.append(self)

    def arguments(self, given: dict[str, Any]) -> list[Any]:
        """The arguments in the statement's order.

        Raises: TypeError, when one is missing or too many are given.
        """
        if len(given) != len(self.names):
            raise TypeError(f"the statement takes {sorted(self.names)}, not {sorted(given)}")
        try:
            return [given[name] for name in self.names]
        except KeyError as missing:
            raise TypeError(f"the statement lacks its parameter {missing}") from None


class _Loan:
    """A connection on loan from the pool. One that keeps silent for too long is given up."""

    __slots__ = ("_patience", "driver", "given_up")

    def __init__(self, driver: "PoolConnectionProxy[Row]", patience: float) -> None:
        self.driver = driver
        self.given_up = False
        self._patience = patience

    @property
    def patience(self) -> float:
        """How many seconds an answer may take."""
        return _PATIENT_SECONDS if _patient.get() else self._patience

    async def answered(self, work: Awaitable[T]) -> T:
        """What the database answers; the work itself knows how long it may take.

        Raises: TimeoutError.
        """
        try:
            return await work
        except TimeoutError:
            self.given_up = True
            raise

    async def tell(self, command: str) -> None:
        """Begin or end a transaction.

        Raises: TimeoutError.
        """
        await self.answered(self.driver.execute(command, timeout=self.patience))


class Connection:
    """One connection, at work in one organisation, which every statement names; None for those that span them all."""

    __slots__ = ("_loan", "_organisation")

    def __init__(self, loan: _Loan, organisation: Any) -> None:
        self._loan = loan
        self._organisation = organisation

    async def queue(self, work: Callable[["PoolConnectionProxy[Row]"], Awaitable[T]]) -> T:
        """A statement of the job queue's own, on the driver's own connection."""
        return await self._loan.answered(self._in_time(work))

    async def rows(self, statement: Statement, **given: Any) -> list[Row]:
        """All rows."""
        loan, arguments = self._loan, self._arguments(statement, given)
        try:
            return await loan.answered(loan.driver.fetch(statement.sql, *arguments, timeout=loan.patience))
        except asyncpg.IntegrityConstraintViolationError as error:
            raise ConstraintViolated(error.constraint_name or "") from error

    async def row(self, statement: Statement, **given: Any) -> Row | None:
        """The first row, or None."""
        loan, arguments = self._loan, self._arguments(statement, given)
        try:
            return await loan.answered(loan.driver.fetchrow(statement.sql, *arguments, timeout=loan.patience))
        except asyncpg.IntegrityConstraintViolationError as error:
            raise ConstraintViolated(error.constraint_name or "") from error

    async def one(self, statement: Statement, **given: Any) -> Row:
        """The row that the statement always has."""
        row = await self.row(statement, **given)
        if row is None:
            raise LookupError("a statement that always has a row had none")
        return row

    async def _in_time(self, work: Callable[["PoolConnectionProxy[Row]"], Awaitable[T]]) -> T:
        async with asyncio.timeout(self._loan.patience):
            return await work(self._loan.driver)

    def _arguments(self, statement: Statement, given: dict[str, Any]) -> list[Any]:
        if self._organisation is not None:
            given["organisation_id"] = self._organisation
        return statement.arguments(given)


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
            raise _unavailable(fault) from fault
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
            raise _unavailable(fault) from fault
        if isinstance(error, FAULTS):
            raise _unavailable(error) from error

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
            command_timeout=_PATIENT_SECONDS,
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

    async def lend(self) -> _Loan:
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
        return _Loan(driver, self._patience)

    async def take_back(self, loan: _Loan, *, at_rest: bool) -> None:
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


def _unavailable(fault: BaseException) -> TemporarilyUnavailable:
    """What a fault of the database is to callers."""
    _log.warning("database fault", fault=type(fault).__name__)
    return Contended() if isinstance(fault, asyncpg.TransactionRollbackError) else TemporarilyUnavailable()


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


def registered() -> Sequence[Statement]:
    """Every statement of the service whose module has been imported."""
    return tuple(Statement.everyone)
