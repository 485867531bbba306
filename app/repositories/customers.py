"""Customers' records, and where a customer stands with the portal."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import any_, bindparam, column, func, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert
from sqlalchemy.types import Text, Uuid

from app.database import Connection, ConstraintViolated, Row, Statement
from app.domain.accounts import AccountState
from app.domain.cards import Standing
from app.domain.customers import Customer, KeptCustomer
from app.errors import CustomerDoesNotExist, FieldError, ResourceNotFound, ValidationFailed
from app.models import accounts, customers, impersonations, organisations, tokens
from app.repositories.rows import (
    ACCOUNT_COLUMNS,
    CUSTOMER_COLUMNS,
    ORGANISATION,
    ORGANISATION_COLUMNS,
    account,
    contract_from_json,
    contract_json,
    customer,
    document_from_json,
    document_json,
    organisation,
)

_CUSTOMER = bindparam("customer_id", type_=Uuid())
_THIS = (customers.c.organisation_id == ORGANISATION) & (customers.c.id == _CUSTOMER)
_THESE = (customers.c.organisation_id == ORGANISATION) & (
    customers.c.id == any_(bindparam("customer_ids", type_=ARRAY(Uuid())))
)

_EXISTS = Statement(select(customers.c.id).where(_THIS))

_RECORD = Statement(
    select(*CUSTOMER_COLUMNS, customers.c.contracts, customers.c.documents, customers.c.updated_at).where(_THIS)
)

_LOCK = Statement(select(*CUSTOMER_COLUMNS).where(_THIS).with_for_update(key_share=True))

# In the order of their ids, so that two who lock several never wait for each other.
_LOCK_ALL = Statement(select(*CUSTOMER_COLUMNS).where(_THESE).order_by(customers.c.id).with_for_update(key_share=True))

_LOCK_OF_TOKEN = Statement(
    select(customers.c.id)
    .where(
        customers.c.organisation_id == ORGANISATION,
        customers.c.id
        == select(tokens.c.customer_id)
        .where(tokens.c.organisation_id == ORGANISATION, tokens.c.id == bindparam("token_id"))
        .scalar_subquery(),
    )
    .with_for_update(key_share=True)
)

_LOCK_OF_IMPERSONATION = Statement(
    select(customers.c.id)
    .where(
        customers.c.organisation_id == ORGANISATION,
        customers.c.id
        == select(impersonations.c.customer_id)
        .where(
            impersonations.c.organisation_id == ORGANISATION,
            impersonations.c.id == bindparam("impersonation_id"),
        )
        .scalar_subquery(),
    )
    .with_for_update(key_share=True)
)

account_count = (
    select(func.count())
    .select_from(accounts)
    .where(accounts.c.organisation_id == ORGANISATION, accounts.c.customer_id == customers.c.id)
    .correlate(customers)
    .scalar_subquery()
    .label("account_count")
)
with_organisation_and_account = customers.join(
    organisations, organisations.c.organisation_id == customers.c.organisation_id
).outerjoin(
    accounts,
    (accounts.c.organisation_id == customers.c.organisation_id)
    & (accounts.c.customer_id == customers.c.id)
    & (accounts.c.state == AccountState.LIVE.value),
)
STANDING_COLUMNS = (*ORGANISATION_COLUMNS, *CUSTOMER_COLUMNS, *ACCOUNT_COLUMNS, account_count)

_STANDING = Statement(select(*STANDING_COLUMNS).select_from(with_organisation_and_account).where(_THIS))
_STANDINGS = Statement(select(*STANDING_COLUMNS).select_from(with_organisation_and_account).where(_THESE))

_GIVEN: dict[str, Any] = {
    "account_number": Text(),
    "display_name": Text(),
    "email": Text(),
    "language": Text(),
    "contracts": JSONB(),
    "documents": JSONB(),
}
_given = (
    func.jsonb_to_recordset(bindparam("records", type_=JSONB()))
    .table_valued(column("id", Uuid()), *(column(name, kind) for name, kind in _GIVEN.items()), name="given")
    .render_derived(with_types=True)
)
# One statement for however many customers; new rows too come in the order of their ids.
_insert = insert(customers).from_select(
    ["organisation_id", "id", *_GIVEN],
    select(ORGANISATION, _given.c.id, *(_given.c[name] for name in _GIVEN)).order_by(_given.c.id),
)
_PUT_ALL = Statement(
    _insert.on_conflict_do_update(
        constraint="pk_customers",
        set_={name: _insert.excluded[name] for name in _GIVEN} | {"updated_at": func.now()},
    ).returning(customers.c.id, text("(xmax = 0) AS created"))
)

_SET_EMAIL = Statement(update(customers).where(_THIS).values(email=bindparam("email"), updated_at=func.now()))


def standing(row: Row) -> Standing:
    """From STANDING_COLUMNS."""
    return Standing(organisation(row), customer(row), account(row), row["account_count"])


class Customers:
    """Customers of one organisation."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def require(self, customer_id: UUID) -> None:
        """Raises: CustomerDoesNotExist."""
        if await self._connection.row(_EXISTS, customer_id=customer_id) is None:
            raise CustomerDoesNotExist

    async def lock(self, customer_id: UUID) -> Customer | None:
        """The customer, if known; nobody else changes what hangs on it until the transaction ends.

        Every change to a customer's account, tokens and sessions takes this lock first, so that two of them have
        an order.
        """
        row = await self._connection.row(_LOCK, customer_id=customer_id)
        return customer(row) if row else None

    async def record(self, customer_id: UUID) -> KeptCustomer | None:
        """The whole record, with contracts and documents, if the customer is known."""
        row = await self._connection.row(_RECORD, customer_id=customer_id)
        if row is None:
            return None
        whole = replace(
            customer(row),
            contracts=tuple(contract_from_json(one) for one in row["contracts"]),
            documents=tuple(document_from_json(one) for one in row["documents"]),
        )
        return KeptCustomer(whole, row["updated_at"])

    async def lock_of_token(self, token_id: UUID) -> None:
        """The same lock for the customer whose token this is, if it is known."""
        await self._connection.row(_LOCK_OF_TOKEN, token_id=token_id)

    async def lock_all(self, customer_ids: list[UUID]) -> dict[UUID, Customer]:
        """The same lock for several customers at once; those of them that are known."""
        rows = await self._connection.rows(_LOCK_ALL, customer_ids=customer_ids)
        return {row["c_id"]: customer(row) for row in rows}

    async def lock_of_impersonation(self, impersonation_id: UUID) -> UUID | None:
        """The same for the customer whom this impersonation is about; their id, if it is known."""
        row = await self._connection.row(_LOCK_OF_IMPERSONATION, impersonation_id=impersonation_id)
        return row["id"] if row else None

    async def standing(self, customer_id: UUID) -> Standing:
        """Where the customer stands.

        Raises: CustomerDoesNotExist.
        """
        row = await self._connection.row(_STANDING, customer_id=customer_id)
        if row is None:
            raise CustomerDoesNotExist
        return standing(row)

    async def standings(self, customer_ids: list[UUID]) -> list[Standing]:
        """The same of several customers, in no order."""
        return [standing(row) for row in await self._connection.rows(_STANDINGS, customer_ids=customer_ids)]

    async def locked_standing(self, customer_id: UUID) -> Standing:
        """The lock, then where the customer stands under it.

        Raises: CustomerDoesNotExist.
        """
        if await self.lock(customer_id) is None:
            raise CustomerDoesNotExist
        return await self.standing(customer_id)

    async def put_all(self, given: Sequence[Customer]) -> list[bool]:
        """Create or replace these records, none of them twice; for each, whether it was created.

        Raises: ResourceNotFound, when the organisation has no settings yet; ValidationFailed, when another
        customer has one of the account numbers.
        """
        try:
            rows = await self._connection.rows(_PUT_ALL, records=[_record(one) for one in given])
        except ConstraintViolated as violated:
            if violated.name == "fk_customers_organisation_id_organisations":
                raise ResourceNotFound(
                    "The organisation is not known here yet: PUT /organisation/portal-settings creates it."
                ) from violated
            if violated.name == "uq_customers_organisation_id_account_number":
                message = "Another customer of the organisation has this account number."
                raise ValidationFailed(errors=[FieldError("accountNumber", "VALIDATION_FAILED", message)]) from violated
            raise
        created = {row["id"]: row["created"] for row in rows}
        return [created[one.customer_id] for one in given]

    async def set_email(self, customer_id: UUID, email: str) -> None:
        """Store the customer's contact address."""
        await self._connection.row(_SET_EMAIL, customer_id=customer_id, email=email)


def _record(one: Customer) -> dict[str, Any]:
    return {
        "id": str(one.customer_id),
        "account_number": one.account_number,
        "display_name": one.display_name,
        "email": one.email,
        "language": one.language,
        "contracts": [contract_json(contract) for contract in one.contracts],
        "documents": [document_json(document) for document in one.documents],
    }
