"""Bringing the database's tables to what this version needs, and asking whether they are there."""

from functools import cache
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from app.errors import DatabaseUnreachable

_INI = Path(__file__).parent.parent / "alembic.ini"


def config(url: str | None = None) -> Config:
    """Alembic's configuration for the database at `url`."""
    made = Config(_INI)
    made.attributes["url"] = url
    return made


def migrate(url: str) -> None:
    """Upgrade the database to the newest revision; waits while another process does.

    Raises: DatabaseUnreachable.
    """
    try:
        command.upgrade(config(url), "head")
    except (OSError, asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError) as fault:
        raise DatabaseUnreachable(type(fault).__name__) from None


@cache
def head() -> str:
    """The revision that this version of the service needs."""
    found = ScriptDirectory.from_config(config()).get_current_head()
    if found is None:
        raise LookupError("there are no migrations")
    return found
