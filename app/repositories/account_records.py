"""Every account known for a customer: taken over from an older system, listed, retired, made live again, deleted."""

from uuid import UUID

from sqlalchemy import bindparam, case, delete, func, insert, null, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.types import Boolean, Integer, Text, Uuid

from app.database import Connection, ConstraintViolated, Statement
from app.domain.accounts import AccountRecord, AccountState, ImportedAccount
from app.domain.paging import Cursor, Page, PageRequest
from app.errors import UserAlreadyExists
from app.models import accounts
from app.repositories.accounts import next_generation
from app.repositories.rows import ACCOUNT_RECORD_COLUMNS, ORGANISATION, account_record

_WHEN = TIMESTAMP(timezone=True)
_OF_CUSTOMER = (accounts.c.organisation_id == ORGANISATION) & (
    accounts.c.customer_id == bindparam("customer_id", type_=Uuid())
)
_THIS = _OF_CUSTOMER & (accounts.c.id == bindparam("account_id", type_=Uuid()))
_LIVE = accounts.c.state == AccountState.LIVE.value
_RETIRED = accounts.c.state == AccountState.RETIRED.value

_generation = next_generation()
_IMPORT = Statement(
    insert(accounts)
    .from_select(
        [
            "organisation_id",
            "customer_id",
            "generation",
            "id",
            "state",
            "email",
            "password_hash",
            "imported",
            "registered_at",
            "email_confirmed_at",
        ],
        select(
            _generation.c.organisation_id,
            _generation.c.id,
            _generation.c.account_generation,
            bindparam("account_id", type_=Uuid()),
            case(
                (bindparam("live", type_=Boolean()), AccountState.LIVE.value),
                else_=AccountState.RETIRED.value,
            ),
            bindparam("email", type_=Text()),
            bindparam("password_hash", type_=Text()),
            bindparam("imported", value=True, type_=Boolean()),
            bindparam("registered_at", type_=_WHEN),
            bindparam("email_confirmed_at", type_=_WHEN),
        ),
    )
    .returning(*ACCOUNT_RECORD_COLUMNS)
)

_PAGE = Statement(
    select(*ACCOUNT_RECORD_COLUMNS)
    .where(
        _OF_CUSTOMER,
        or_(
            bindparam("after_at", type_=_WHEN).is_(None),
            tuple_(accounts.c.registered_at, accounts.c.id)
            < tuple_(bindparam("after_at", type_=_WHEN), bindparam("after_id", type_=Uuid())),
        ),
    )
    .order_by(accounts.c.registered_at.desc(), accounts.c.id.desc())
    .limit(bindparam("most", type_=Integer()))
)

_FIND = Statement(select(*ACCOUNT_RECORD_COLUMNS).where(_THIS))

# An imported duplicate is retired from the start, but nobody has decided so: it has no `retired_at` yet.
_RETIRE_OTHERS = Statement(
    update(accounts)
    .where(
        _OF_CUSTOMER,
        accounts.c.id != bindparam("account_id", type_=Uuid()),
        or_(_LIVE, accounts.c.retired_at.is_(None)),
    )
    .values(state=AccountState.RETIRED.value, retired_at=func.now())
    .returning(*ACCOUNT_RECORD_COLUMNS)
)

_MAKE_LIVE = Statement(
    update(accounts)
    .where(_THIS, _RETIRED)
    .values(state=AccountState.LIVE.value, retired_at=null())
    .returning(*ACCOUNT_RECORD_COLUMNS)
)

_DELETE_LIVE = Statement(delete(accounts).where(_OF_CUSTOMER, _LIVE))


class AccountRecords:
    """Every portal account of one organisation, live or not. Whoever changes one holds the customer's lock."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def take_over(self, account_id: UUID, customer_id: UUID, given: ImportedAccount) -> AccountRecord:
        """Add an account of an older system, as the live one or as a retired one.

        Raises: UserAlreadyExists, when it would be a second live one.
        """
        try:
            row = await self._connection.one(
                _IMPORT,
                account_id=account_id,
                customer_id=customer_id,
                email=given.email,
                password_hash=given.password_hash,
                live=given.live,
                registered_at=given.registered_at,
                email_confirmed_at=given.email_confirmed_at,
            )
        except ConstraintViolated as violated:
            if violated.name == "uq_accounts_live":
                raise UserAlreadyExists from violated
            raise
        return account_record(row)

    async def page(self, customer_id: UUID, request: PageRequest) -> Page[AccountRecord]:
        """The customer's accounts, the one registered last first."""
        rows = await self._connection.rows(
            _PAGE,
            customer_id=customer_id,
            after_at=request.after.at if request.after else None,
            after_id=request.after.id if request.after else None,
            most=request.size + 1,
        )
        found = [account_record(row) for row in rows]
        return Page.of(found, request.size, lambda one: Cursor(one.account.registered_at, one.account.account_id))

    async def find(self, customer_id: UUID, account_id: UUID) -> AccountRecord | None:
        """The customer's account with this id."""
        row = await self._connection.row(_FIND, customer_id=customer_id, account_id=account_id)
        return account_record(row) if row else None

    async def retire_others(self, customer_id: UUID, account_id: UUID) -> list[AccountRecord]:
        """Every other account of the customer is retired for good; those for which that is new."""
        rows = await self._connection.rows(_RETIRE_OTHERS, customer_id=customer_id, account_id=account_id)
        return [account_record(row) for row in rows]

    async def make_live(self, customer_id: UUID, account_id: UUID) -> AccountRecord:
        """The retired account becomes the live one; no other may be live any more."""
        return account_record(await self._connection.one(_MAKE_LIVE, customer_id=customer_id, account_id=account_id))

    async def delete_live(self, customer_id: UUID) -> None:
        """Delete the customer's live account, credentials and all."""
        await self._connection.row(_DELETE_LIVE, customer_id=customer_id)
