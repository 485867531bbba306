"""Reads, by the product's own statements: no unit of work, no domain types, no rules, no log.

An answer is a dictionary of the shape that the product sends.
"""

from uuid import UUID

from app.database import Statement
from app.domain.accounts import masked
from app.domain.cards import Action
from app.domain.paging import NEWEST, OLDEST
from app.errors import UserNotFound
from app.repositories import activities, cards, sessions, tokens
from app.session_tokens import read_session_token
from benchmarks.twins import shapes
from benchmarks.twins.bare import Answer, Bare, Refused, Row

_REFUSED = {"allowed": False, "key": UserNotFound.key, "reason": UserNotFound().detail}
_ALLOWED = {"allowed": True, "key": None, "reason": None}
# As they are for a customer without an account.
_ACTIONS = [
    {"action": action.value} | (_ALLOWED if action is Action.SEND_INVITATION else _REFUSED) for action in Action
]


async def get_card(bare: Bare, organisation: UUID, customer: UUID) -> Answer:
    async with bare.reading(organisation) as connected:
        return shapes.card(await connected.row(cards._CARD, customer_id=customer), _ACTIONS)


async def list_activities(bare: Bare, organisation: UUID, customer: UUID, size: int) -> Answer:
    async with bare.reading(organisation) as connected:
        rows = await connected.rows(
            activities._PAGE_OF_CUSTOMER,
            customer_id=customer,
            types=None,
            from_at=OLDEST.at,
            actor_type=None,
            impersonated=None,
            after_at=NEWEST.at,
            after_id=NEWEST.id,
            most=size + 1,
        )
    return shapes.page([shapes.activity(row) for row in rows[:size]], len(rows) > size)


async def get_me(bare: Bare, token: str) -> Answer:
    return shapes.me(await _session(bare, sessions._RECOGNISE, token))


async def introspect_session(bare: Bare, token: str) -> Answer:
    return shapes.introspection(await _session(bare, sessions._LOOK, token))


async def inspect_token(bare: Bare, organisation: UUID, token: str) -> Answer:
    link = bare.link(token, organisation)
    async with bare.reading(organisation) as connected:
        row = await connected.row(tokens._FIND, token_id=link.token_id, purpose=link.purpose.value)
    return {
        "purpose": row["t_purpose"],
        "state": row["t_state"],
        "email": masked(row["t_email"]),
        "expiresDateTime": row["t_expires_at"],
        "accountNumberRequired": True,
    }


async def _session(bare: Bare, statement: Statement, token: str) -> Row:
    key = read_session_token(token)
    async with bare.reading(key.organisation_id) as connected:
        row = await connected.row(statement, session_id=key.session_id, secret_digest=key.secret_digest, idle=bare.idle)
    if not row["live"]:
        raise Refused
    return row
