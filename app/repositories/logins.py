"""Whom a login could mean: the accounts to try, and for a failed one all whose address it is."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.types import Integer, Text

from app.database import Connection, Row, Statement
from app.domain.accounts import Account, AccountState
from app.domain.logins import LoginTarget
from app.models import accounts, customers
from app.repositories.rows import ACCOUNT_COLUMNS, ORGANISATION, account

_LIVE = accounts.c.state == AccountState.LIVE.value
_EMAIL = func.lower(bindparam("email", type_=Text()))
_MOST = bindparam("most", type_=Integer())

_with_customer = accounts.join(
    customers, (customers.c.organisation_id == accounts.c.organisation_id) & (customers.c.id == accounts.c.customer_id)
)
_CUSTOMER_COLUMNS = (
    customers.c.id.label("customer_id"),
    customers.c.account_number.label("account_number"),
    customers.c.display_name.label("display_name"),
)


def _number(text: Any) -> Any:
    """A customer number as `plain_number` makes it."""
    return func.lower(func.regexp_replace(text, "[[:space:]\u00a0]+", "", "g"))


_CANDIDATES = Statement(
    select(
        *ACCOUNT_COLUMNS,
        *_CUSTOMER_COLUMNS,
        accounts.c.generation.label("generation"),
        accounts.c.password_hash.label("password_hash"),
    )
    .select_from(_with_customer)
    .where(
        accounts.c.organisation_id == ORGANISATION,
        func.lower(accounts.c.email) == _EMAIL,
        _LIVE,
        or_(
            bindparam("account_number", type_=Text()).is_(None),
            _number(customers.c.account_number) == bindparam("account_number", type_=Text()),
        ),
    )
    .order_by(func.coalesce(accounts.c.last_active_at, accounts.c.registered_at).desc(), accounts.c.id)
    .limit(_MOST)
)

_HOLDERS = Statement(
    select(
        *_CUSTOMER_COLUMNS,
        accounts.c.generation.label("generation"),
        accounts.c.id.label("account_id"),
        accounts.c.state.label("account_state"),
    )
    .select_from(_with_customer)
    .where(accounts.c.organisation_id == ORGANISATION, func.lower(accounts.c.email) == _EMAIL)
    .order_by(_LIVE.desc(), func.coalesce(accounts.c.last_active_at, accounts.c.registered_at).desc(), accounts.c.id)
    .limit(_MOST)
)

_CONTACTS = Statement(
    select(*_CUSTOMER_COLUMNS, customers.c.account_generation.label("generation"))
    .where(customers.c.organisation_id == ORGANISATION, func.lower(customers.c.email) == _EMAIL)
    .order_by(customers.c.updated_at.desc(), customers.c.id)
    .limit(_MOST)
)


@dataclass(frozen=True, slots=True)
class LoginCandidate:
    """A live account of the address that someone logs in with."""

    account: Account
    target: LoginTarget
    password_hash: str | None


class Logins:
    """Whom the logins of one organisation mean."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def candidates(self, email: str, account_number: str | None, *, most: int) -> list[LoginCandidate]:
        """Live accounts of the address (and customer number, when given), most recently active first."""
        rows = await self._connection.rows(_CANDIDATES, email=email, account_number=account_number, most=most)
        return [_candidate(row) for row in rows]

    async def holders(self, email: str, *, most: int) -> list[LoginTarget]:
        """Who has or had an account of this address, live ones first."""
        rows = await self._connection.rows(_HOLDERS, email=email, most=most)
        return [_target(row, row["account_id"], AccountState(row["account_state"])) for row in rows]

    async def contacts(self, email: str, *, most: int) -> list[LoginTarget]:
        """Whose contact address it is, whether they have an account or not."""
        rows = await self._connection.rows(_CONTACTS, email=email, most=most)
        return [_target(row) for row in rows]


def _candidate(row: Row) -> LoginCandidate:
    found = account(row)
    assert found is not None
    return LoginCandidate(found, _target(row, found.account_id, AccountState.LIVE), row["password_hash"])


def _target(row: Row, account_id: Any = None, state: AccountState | None = None) -> LoginTarget:
    return LoginTarget(
        row["customer_id"], row["account_number"], row["display_name"], row["generation"], account_id, state
    )
