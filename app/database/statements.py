"""Statements, compiled by SQLAlchemy once."""

from typing import Any, ClassVar, cast

from sqlalchemy.dialects.postgresql import asyncpg as sqlalchemy_asyncpg
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import SQLCompiler


class _Compiler(sqlalchemy_asyncpg.PGCompiler_asyncpg):
    """Writes a statement's own literals into its text, so that partial indexes match and only real parameters
    remain."""

    def visit_bindparam(self, bindparam: Any, *args: Any, **given: Any) -> Any:
        if not bindparam.required:
            given["literal_binds"] = True
        return super().visit_bindparam(bindparam, *args, **given)  # type: ignore[no-untyped-call]


_DIALECT = sqlalchemy_asyncpg.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
_DIALECT.statement_compiler = _Compiler


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


def registered() -> tuple[Statement, ...]:
    """Every statement of the service whose module has been imported."""
    return tuple(Statement.everyone)
