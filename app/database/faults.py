"""What can be wrong with the database, and what callers are told of it."""

import asyncpg
import structlog

from app.errors import Contended, TemporarilyUnavailable

_log = structlog.get_logger(__name__)

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


def unavailable(fault: BaseException) -> TemporarilyUnavailable:
    """What a fault of the database is to callers."""
    _log.warning("database fault", fault=type(fault).__name__)
    return Contended() if isinstance(fault, asyncpg.TransactionRollbackError) else TemporarilyUnavailable()
