"""A connection on loan from the pool, and a unit of work's view of it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from app.database.faults import ConstraintViolated
from app.database.statements import Statement

Row = asyncpg.Record
T = TypeVar("T")

PATIENT_SECONDS = 30.0

_patient: ContextVar[bool] = ContextVar("patient", default=False)


@contextmanager
def patiently() -> Iterator[None]:
    """Within this block an answer of the database may take half a minute: no caller waits for what is done here."""
    before = _patient.set(True)
    try:
        yield
    finally:
        _patient.reset(before)


class Loan:
    """A connection on loan from the pool. One that keeps silent for too long is given up."""

    __slots__ = ("_patience", "driver", "given_up")

    def __init__(self, driver: "PoolConnectionProxy[Row]", patience: float) -> None:
        self.driver = driver
        self.given_up = False
        self._patience = patience

    @property
    def patience(self) -> float:
        """How many seconds an answer may take."""
        return PATIENT_SECONDS if _patient.get() else self._patience

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

    def __init__(self, loan: Loan, organisation: Any) -> None:
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
