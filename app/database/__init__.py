"""Statements written with SQLAlchemy Core, executed by asyncpg.

SQLAlchemy compiles each statement once, when its module is imported; a request only looks up the text and puts
its arguments in order. Why: `docs/decisions/0002-core-writes-asyncpg-runs.md`. These modules know no table.
"""

from app.database.connections import Connection, Row, patiently
from app.database.faults import FAULTS, ConstraintViolated
from app.database.pool import Database
from app.database.statements import Statement, registered

__all__ = ["FAULTS", "Connection", "ConstraintViolated", "Database", "Row", "Statement", "patiently", "registered"]
