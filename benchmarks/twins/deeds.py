"""What both twins do: the product's own statements for an operation, on a bare connection of asyncpg.

No unit of work, no domain types, no rules, no log: what is left is what the operation costs in any case. An answer is
a dictionary of the shape that the product sends.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
from fastapi import FastAPI

from app.bearers import BearerVerifier, embedded_keys
from app.clock import utc_now
from app.database import Statement, _leave_as_is, _prepare
from app.domain.accounts import masked
from app.domain.cards import Action
from app.domain.paging import NEWEST, OLDEST
from app.issuer_keys import FixedKeys
from app.permissions import Permission
from app.repositories import activities, cards, sessions, tokens
from app.session_tokens import read_session_token
from app.settings import Settings, load_settings
from app.tokens import Link, TokenSigner
from benchmarks.twins import shapes

Answer = dict[str, Any]
Row = asyncpg.Record


class Refused(Exception):
    """No answer that a benchmark wants."""


def arguments(statement: Statement, **given: Any) -> list[Any]:
    return [given[name] for name in statement.names]


class Deeds:
    """The operations."""

    def __init__(self, pool: "asyncpg.Pool[Row]", settings: Settings) -> None:
        self.pool = pool
        self.signer = TokenSigner(settings.secret_keys)
        self.idle = timedelta(minutes=settings.session_idle_minutes)
        self.verifier = BearerVerifier(
            keys=FixedKeys(embedded_keys(settings.secret_keys)),
            issuer=settings.embedded_issuer,
            audience=settings.oidc_audience,
            clock=utc_now,
        )

    @classmethod
    @asynccontextmanager
    async def open(cls) -> AsyncIterator["Deeds"]:
        """With a pool as the product's."""
        settings = load_settings()
        async with asyncpg.create_pool(  # type: ignore[call-overload]  # its stubs type reset= wrongly
            str(settings.database_url),
            min_size=0,
            max_size=settings.database_pool_size,
            statement_cache_size=settings.database_statement_cache,
            init=_prepare,
            reset=_leave_as_is,
            server_settings={"jit": "off"},
        ) as pool:
            yield cls(pool, settings)

    async def employee(self, token: str, tenant: UUID, organisation: UUID, permission: Permission) -> None:
        """Whether the bearer may do this here."""
        bearer = await self.verifier.verify(token)
        if not bearer.reaches(tenant, organisation) or permission not in bearer.permissions:
            raise Refused

    def link(self, token: str, organisation: UUID) -> Link:
        """What a link says."""
        link = self.signer.read_any(token)
        if link.organisation_id != organisation:
            raise Refused
        return link

    async def row(self, statement: Statement, **given: Any) -> Row:
        """The one row of a statement that stands for itself."""
        async with self.pool.acquire() as connection:
            row = await connection.fetchrow(statement.sql, *arguments(statement, **given))
        if row is None:
            raise Refused
        return row

    async def get_card(self, organisation: UUID, customer: UUID) -> Answer:
        row = await self.row(cards._CARD, organisation_id=organisation, customer_id=customer)
        return shapes.card(row, [action.value for action in Action])

    async def list_activities(self, organisation: UUID, customer: UUID, size: int) -> Answer:
        wanted = arguments(
            activities._PAGE_OF_CUSTOMER,
            organisation_id=organisation,
            customer_id=customer,
            types=None,
            from_at=OLDEST.at,
            actor_type=None,
            impersonated=None,
            after_at=NEWEST.at,
            after_id=NEWEST.id,
            most=size + 1,
        )
        async with self.pool.acquire() as connection:
            rows = await connection.fetch(activities._PAGE_OF_CUSTOMER.sql, *wanted)
        return shapes.page([shapes.activity(row) for row in rows[:size]], len(rows) > size)

    async def get_me(self, token: str) -> Answer:
        return shapes.me(await self._session(sessions._RECOGNISE, token))

    async def introspect_session(self, token: str) -> Answer:
        return shapes.introspection(await self._session(sessions._LOOK, token))

    async def inspect_token(self, organisation: UUID, token: str) -> Answer:
        link = self.link(token, organisation)
        row = await self.row(
            tokens._FIND, organisation_id=organisation, token_id=link.token_id, purpose=link.purpose.value
        )
        return {
            "purpose": row["t_purpose"],
            "state": row["t_state"],
            "email": masked(row["t_email"]),
            "expiresDateTime": row["t_expires_at"],
            "accountNumberRequired": True,
        }

    async def _session(self, statement: Statement, token: str) -> Row:
        key = read_session_token(token)
        row = await self.row(
            statement,
            organisation_id=key.organisation_id,
            session_id=key.session_id,
            secret_digest=key.secret_digest,
            idle=self.idle,
        )
        if not row["live"]:
            raise Refused
        return row


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Deeds for as long as the application runs."""
    async with Deeds.open() as app.state.deeds:
        yield
