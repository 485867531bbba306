"""Portal accounts and their credentials."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, case, func, insert, null, or_, select, update
from sqlalchemy.types import Boolean, Integer, Text, Uuid

from app.database import Connection, ConstraintViolated, Statement
from app.domain.accounts import Account, AccountState
from app.errors import UserAlreadyExists
from app.models import accounts, customers
from app.repositories.rows import ACCOUNT_COLUMNS, ORGANISATION, account

_LIVE = accounts.c.state == AccountState.LIVE.value
_EMAIL = func.lower(bindparam("email", type_=Text()))

# The account and its customer's generation in one statement: a generation is never given twice.
next_generation = (
    update(customers)
    .where(customers.c.organisation_id == ORGANISATION, customers.c.id == bindparam("customer_id"))
    .values(account_generation=customers.c.account_generation + 1)
    .returning(customers.c.organisation_id, customers.c.id, customers.c.account_generation)
    .cte("generation")
)
_REGISTER = Statement(
    insert(accounts)
    .from_select(
        [
            "organisation_id",
            "customer_id",
            "generation",
            "id",
            "state",
            "email",
            "language",
            "password_hash",
            "registered_at",
            "email_confirmed_at",
        ],
        select(
            next_generation.c.organisation_id,
            next_generation.c.id,
            next_generation.c.account_generation,
            bindparam("account_id", type_=Uuid()),
            bindparam("state", AccountState.LIVE.value, type_=Text()),
            bindparam("email", type_=Text()),
            bindparam("language", type_=Text()),
            bindparam("password_hash", type_=Text()),
            func.now(),
            case((bindparam("confirmed", type_=Boolean()), func.now()), else_=null()),
        ),
    )
    .returning(*ACCOUNT_COLUMNS, accounts.c.generation.label("generation"))
)

_CONFIRM = Statement(
    update(accounts)
    .where(
        accounts.c.organisation_id == ORGANISATION,
        accounts.c.id == bindparam("account_id"),
        _LIVE,
        func.lower(accounts.c.email) == _EMAIL,
    )
    .values(email_confirmed_at=func.coalesce(accounts.c.email_confirmed_at, func.now()))
    .returning(*ACCOUNT_COLUMNS)
)

_SET_UNCONFIRMED_EMAIL = Statement(
    update(accounts)
    .where(
        accounts.c.organisation_id == ORGANISATION,
        accounts.c.id == bindparam("account_id"),
        _LIVE,
        accounts.c.email_confirmed_at.is_(None),
    )
    .values(email=bindparam("email"))
)


def _number(text: Any) -> Any:
    """A customer number as `same_customer_number` compares it: without spaces, in lower case."""
    return func.lower(func.replace(text, " ", ""))


_LOGIN_CANDIDATES = Statement(
    select(
        *ACCOUNT_COLUMNS,
        accounts.c.password_hash.label("password_hash"),
        accounts.c.generation.label("generation"),
        customers.c.account_number.label("account_number"),
        customers.c.display_name.label("display_name"),
    )
    .join(
        customers,
        (customers.c.organisation_id == accounts.c.organisation_id) & (customers.c.id == accounts.c.customer_id),
    )
    .where(
        accounts.c.organisation_id == ORGANISATION,
        func.lower(accounts.c.email) == _EMAIL,
        _LIVE,
        or_(
            bindparam("account_number", type_=Text()).is_(None),
            _number(customers.c.account_number) == _number(bindparam("account_number", type_=Text())),
        ),
    )
    .order_by(func.coalesce(accounts.c.last_active_at, accounts.c.registered_at).desc(), accounts.c.id)
    .limit(bindparam("most", type_=Integer()))
)

_UNCONFIRMED = Statement(
    select(accounts.c.customer_id)
    .where(
        accounts.c.organisation_id == ORGANISATION,
        func.lower(accounts.c.email) == _EMAIL,
        _LIVE,
        accounts.c.email_confirmed_at.is_(None),
    )
    .order_by(accounts.c.registered_at.desc(), accounts.c.id)
    .limit(10)
)

_REHASH = Statement(
    update(accounts)
    .where(
        accounts.c.organisation_id == ORGANISATION,
        accounts.c.id == bindparam("account_id"),
        accounts.c.password_hash == bindparam("old_hash"),
    )
    .values(password_hash=bindparam("new_hash"))
)


@dataclass(frozen=True, slots=True)
class LoginCandidate:
    """A live account of the address that someone logs in with."""

    account: Account
    account_number: str
    display_name: str
    generation: int
    password_hash: str | None


class Accounts:
    """Portal accounts of one organisation."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def register(
        self,
        *,
        account_id: UUID,
        customer_id: UUID,
        email: str,
        language: str | None,
        password_hash: str,
        confirmed: bool,
    ) -> tuple[Account, int]:
        """A new live account and its generation.

        Raises: UserAlreadyExists.
        """
        try:
            row = await self._connection.one(
                _REGISTER,
                account_id=account_id,
                customer_id=customer_id,
                email=email,
                language=language,
                password_hash=password_hash,
                confirmed=confirmed,
            )
        except ConstraintViolated as violated:
            if violated.name == "uq_accounts_live":
                raise UserAlreadyExists from violated
            raise
        made = account(row)
        assert made is not None
        return made, row["generation"]

    async def confirm(self, account_id: UUID, email: str) -> Account | None:
        """Mark the live account's address as proven, if it still is this address; the account, or None."""
        row = await self._connection.row(_CONFIRM, account_id=account_id, email=email)
        return account(row) if row else None

    async def set_unconfirmed_email(self, account_id: UUID, email: str) -> None:
        """Correct the address of an account that nobody has confirmed yet."""
        await self._connection.row(_SET_UNCONFIRMED_EMAIL, account_id=account_id, email=email)

    async def login_candidates(self, email: str, account_number: str | None, *, most: int) -> list[LoginCandidate]:
        """Live accounts of the address (and customer number, when given), most recently active first."""
        rows = await self._connection.rows(_LOGIN_CANDIDATES, email=email, account_number=account_number, most=most)
        candidates = []
        for row in rows:
            found = account(row)
            assert found is not None
            candidates.append(
                LoginCandidate(
                    found, row["account_number"], row["display_name"], row["generation"], row["password_hash"]
                )
            )
        return candidates

    async def customers_with_unconfirmed(self, email: str) -> list[UUID]:
        """Customers whose live account has this address and waits for its confirmation; at most 10."""
        rows = await self._connection.rows(_UNCONFIRMED, email=email)
        return [row["customer_id"] for row in rows]

    async def rehash(self, account_id: UUID, old_hash: str, new_hash: str) -> None:
        """Replace a hash by a stronger one of the same password, unless the password changed meanwhile."""
        await self._connection.row(_REHASH, account_id=account_id, old_hash=old_hash, new_hash=new_hash)
