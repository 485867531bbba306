"""Names of constraints and indexes, the columns that every table shares, and how allowed words are checked."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from sqlalchemy import TIMESTAMP, CheckConstraint, Column, MetaData, Uuid, func
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.types import UserDefinedType

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Xid8(UserDefinedType[int]):
    """The number of a transaction, which PostgreSQL never uses twice."""

    cache_ok = True

    def get_col_spec(self, **_given: Any) -> str:
        """Its name in SQL."""
        return "xid8"


ischema_names["xid8"] = Xid8  # so that migrations, compared with the models, know it


def organisation_id() -> Column[Any]:
    """The first column of every table and key."""
    return Column("organisation_id", Uuid, primary_key=True)


def moment(name: str, *, now: bool = False, nullable: bool = False) -> Column[Any]:
    """A point in time; `now` lets the database's clock set it."""
    return Column(
        name, TIMESTAMP(timezone=True), nullable=nullable and not now, server_default=func.now() if now else None
    )


def one_of(column: str, words: Iterable[StrEnum]) -> CheckConstraint:
    """Only these words may stand in the column."""
    listed = ", ".join(f"'{word.value}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=column)
