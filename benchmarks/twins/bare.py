"""What both twins stand on: a pool as the product's, what verifies a bearer or a link, statements by name."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
from argon2 import PasswordHasher
from fastapi import FastAPI

from app.bearers import BearerVerifier, embedded_keys
from app.clock import utc_now
from app.database import Statement
from app.database.pool import _leave_as_is, _prepare
from app.domain.callers import Bearer
from app.issuer_keys import FixedKeys
from app.permissions import Permission
from app.settings import Settings, load_settings
from app.tokens import Link, Purpose, TokenSigner

Answer = dict[str, Any]
Row = asyncpg.Record


class Refused(Exception):
    """No answer that a benchmark wants."""


class Connected:
    """A connection at work in one organisation."""

    def __init__(self, driver: Any, organisation: UUID) -> None:
        self.driver = driver
        self.organisation = organisation

    async def rows(self, statement: Statement, **given: Any) -> list[Row]:
        given["organisation_id"] = self.organisation
        found: list[Row] = await self.driver.fetch(statement.sql, *[given[name] for name in statement.names])
        return found

    async def row(self, statement: Statement, **given: Any) -> Row:
        found = await self.rows(statement, **given)
        if not found:
            raise Refused
        return found[0]


class Bare:
    """What a twin works with."""

    def __init__(self, pool: "asyncpg.Pool[Row]", settings: Settings) -> None:
        self._pool = pool
        self._signer = TokenSigner(settings.secret_keys)
        self._verifier = BearerVerifier(
            keys=FixedKeys(embedded_keys(settings.secret_keys)),
            issuer=settings.embedded_issuer,
            audience=settings.oidc_audience,
            clock=utc_now,
        )
        self.hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)  # the product's
        self.idle = timedelta(minutes=settings.session_idle_minutes)
        self.session_lifetime = timedelta(hours=settings.session_hours)

    @asynccontextmanager
    async def reading(self, organisation: UUID) -> AsyncIterator[Connected]:
        """For statements that stand for themselves."""
        async with self._pool.acquire() as connection:
            yield Connected(connection, organisation)

    @asynccontextmanager
    async def transaction(self, organisation: UUID) -> AsyncIterator[Connected]:
        async with self._pool.acquire() as connection, connection.transaction():
            yield Connected(connection, organisation)

    async def employee(self, token: str, tenant: UUID, organisation: UUID, permission: Permission) -> Bearer:
        """Who may do this here."""
        bearer = await self._verifier.verify(token)
        if not bearer.reaches(tenant, organisation) or permission not in bearer.permissions:
            raise Refused
        return bearer

    def link(self, token: str, organisation: UUID, purpose: Purpose | None = None) -> Link:
        """What a link says."""
        link = self._signer.read(purpose, token) if purpose else self._signer.read_any(token)
        if link.organisation_id != organisation:
            raise Refused
        return link

    def sign(self, purpose: Purpose, organisation: UUID, token_id: UUID) -> str:
        return self._signer.sign(purpose, organisation, token_id)


@asynccontextmanager
async def opened() -> AsyncIterator[Bare]:
    """With the settings of the environment."""
    settings = load_settings()
    async with asyncpg.create_pool(  # type: ignore[call-overload]  # its stubs type reset= wrongly
        str(settings.database_url),
        min_size=0,
        max_size=settings.database_pool_size,
        statement_cache_size=200,
        init=_prepare,
        reset=_leave_as_is,
        server_settings={"jit": "off"},
    ) as pool:
        yield Bare(pool, settings)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """For as long as the application runs."""
    async with opened() as app.state.bare:
        yield
