"""Portal accounts and their credentials."""

from uuid import UUID

from sqlalchemy import CTE, ColumnElement, bindparam, case, exists, func, insert, null, select, update
from sqlalchemy.types import Boolean, Text, Uuid

from app.database import Connection, ConstraintViolated, Statement
from app.domain.accounts import Account, AccountState
from app.errors import UserAlreadyExists
from app.models import accounts, customers
from app.repositories.rows import ACCOUNT_COLUMNS, ORGANISATION, account
from app.repositories.tokens import SPENDING
from app.tokens import Purpose

_LIVE = accounts.c.state == AccountState.LIVE.value
_EMAIL = func.lower(bindparam("email", type_=Text()))


def next_generation(*conditions: ColumnElement[bool]) -> CTE:
    """The customer's next one, in one statement with the account that has it: none is ever given twice."""
    return (
        update(customers)
        .where(customers.c.organisation_id == ORGANISATION, customers.c.id == bindparam("customer_id"), *conditions)
        .values(account_generation=customers.c.account_generation + 1)
        .returning(customers.c.organisation_id, customers.c.id, customers.c.account_generation)
        .cte("generation")
    )


# The invitation is spent with it: without a living one there is no generation, and no account.
_generation = next_generation(exists(select(SPENDING.cte("spent").c.id)))
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
            _generation.c.organisation_id,
            _generation.c.id,
            _generation.c.account_generation,
            bindparam("account_id", type_=Uuid()),
            bindparam("state", AccountState.LIVE.value, type_=Text()),
            bindparam("email", type_=Text()),
            bindparam("language", type_=Text()),
            bindparam("password_hash", type_=Text()),
            func.now(),
            case((bindparam("confirmed", type_=Boolean()), func.now()), else_=null()),
        ),
    )
    .returning(*ACCOUNT_COLUMNS)
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


_CHANGE_EMAIL = Statement(
    update(accounts)
    .where(
        accounts.c.organisation_id == ORGANISATION,
        accounts.c.id == bindparam("account_id"),
        _LIVE,
        accounts.c.email_confirmed_at.is_not(None),
    )
    .values(email=bindparam("email"), email_confirmed_at=func.now(), email_changed_at=func.now())
    .returning(*ACCOUNT_COLUMNS)
)

_REPLACE_EMAIL = Statement(
    update(accounts)
    .where(
        accounts.c.organisation_id == ORGANISATION,
        accounts.c.id == bindparam("account_id"),
        _LIVE,
    )
    .values(email=bindparam("email"), email_confirmed_at=null(), email_changed_at=func.now())
    .returning(*ACCOUNT_COLUMNS)
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

_CONFIRMED = Statement(
    select(accounts.c.customer_id)
    .where(
        accounts.c.organisation_id == ORGANISATION,
        func.lower(accounts.c.email) == _EMAIL,
        _LIVE,
        accounts.c.email_confirmed_at.is_not(None),
    )
    .order_by(func.coalesce(accounts.c.last_active_at, accounts.c.registered_at).desc(), accounts.c.id)
    .limit(10)
)

_SET_PASSWORD = Statement(
    update(accounts)
    .where(
        accounts.c.organisation_id == ORGANISATION,
        accounts.c.id == bindparam("account_id"),
        _LIVE,
    )
    .values(password_hash=bindparam("password_hash"))
    .returning(accounts.c.id)
)

_THIS_LIVE = (accounts.c.organisation_id == ORGANISATION) & (accounts.c.id == bindparam("account_id")) & _LIVE
_PASSWORD_HASH = Statement(select(accounts.c.password_hash).where(_THIS_LIVE))
_ASK_TO_CLEAR_SITE_DATA = Statement(update(accounts).where(_THIS_LIVE).values(clear_site_data=True))
_TAKE_CLEAR_SITE_DATA = Statement(
    update(accounts)
    .where(_THIS_LIVE, accounts.c.clear_site_data)
    .values(clear_site_data=False)
    .returning(accounts.c.id)
)

_REPLACE_HASH = Statement(
    update(accounts)
    .where(
        accounts.c.organisation_id == ORGANISATION,
        accounts.c.id == bindparam("account_id"),
        _LIVE,
        accounts.c.password_hash == bindparam("old_hash"),
    )
    .values(password_hash=bindparam("new_hash"))
    .returning(accounts.c.id)
)


class Accounts:
    """Portal accounts of one organisation."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def register(
        self,
        invitation_id: UUID,
        *,
        account_id: UUID,
        customer_id: UUID,
        email: str,
        language: str | None,
        password_hash: str,
        confirmed: bool,
    ) -> Account | None:
        """Spend the invitation for a new live account; None when it was spent or has ended before.

        Raises: UserAlreadyExists.
        """
        try:
            row = await self._connection.row(
                _REGISTER,
                token_id=invitation_id,
                purpose=Purpose.INVITATION.value,
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
        return account(row) if row else None

    async def confirm(self, account_id: UUID, email: str) -> Account | None:
        """Mark the live account's address as proven, if it still is this address; the account, or None."""
        row = await self._connection.row(_CONFIRM, account_id=account_id, email=email)
        return account(row) if row else None

    async def set_unconfirmed_email(self, account_id: UUID, email: str) -> None:
        """Correct the address of an account that nobody has confirmed yet."""
        await self._connection.row(_SET_UNCONFIRMED_EMAIL, account_id=account_id, email=email)

    async def change_email(self, account_id: UUID, email: str) -> Account | None:
        """Give the live, confirmed account another address, proven just now; the account, or None."""
        row = await self._connection.row(_CHANGE_EMAIL, account_id=account_id, email=email)
        return account(row) if row else None

    async def replace_email(self, account_id: UUID, email: str) -> Account | None:
        """Give the live account another address, which nobody has proven yet; the account, or None."""
        row = await self._connection.row(_REPLACE_EMAIL, account_id=account_id, email=email)
        return account(row) if row else None

    async def customers_with_unconfirmed(self, email: str) -> list[UUID]:
        """Customers whose live account has this address and waits for its confirmation; at most 10."""
        rows = await self._connection.rows(_UNCONFIRMED, email=email)
        return [row["customer_id"] for row in rows]

    async def customers_with_confirmed(self, email: str) -> list[UUID]:
        """Customers whose live account has this address, proven; the 10 most recently active, the latest first."""
        rows = await self._connection.rows(_CONFIRMED, email=email)
        return [row["customer_id"] for row in rows]

    async def set_password(self, account_id: UUID, password_hash: str) -> bool:
        """Give the live account another password; False when it is not live any more."""
        row = await self._connection.row(_SET_PASSWORD, account_id=account_id, password_hash=password_hash)
        return row is not None

    async def password_hash(self, account_id: UUID) -> str | None:
        """The live account's hash, if it has one."""
        row = await self._connection.row(_PASSWORD_HASH, account_id=account_id)
        return row["password_hash"] if row else None

    async def ask_to_clear_site_data(self, account_id: UUID) -> None:
        """Have the next login tell the browser to forget what it keeps of the portal."""
        await self._connection.row(_ASK_TO_CLEAR_SITE_DATA, account_id=account_id)

    async def take_clear_site_data(self, account_id: UUID) -> bool:
        """Whether this login is to tell the browser so; no later one does again."""
        return await self._connection.row(_TAKE_CLEAR_SITE_DATA, account_id=account_id) is not None

    async def replace_hash(self, account_id: UUID, old_hash: str, new_hash: str) -> bool:
        """Give the live account another hash, of the same password or a new one; False when it changed meanwhile."""
        row = await self._connection.row(_REPLACE_HASH, account_id=account_id, old_hash=old_hash, new_hash=new_hash)
        return row is not None
