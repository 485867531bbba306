"""Customers as the platform's existing calls show them."""

from dataclasses import replace
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.types import Text, Uuid

from app.database import Connection, Row, Statement
from app.domain.platform_customers import PlatformCustomer
from app.errors import CustomerDoesNotExist
from app.models import customers
from app.repositories.customers import STANDING_COLUMNS, standing, with_organisation_and_account
from app.repositories.rows import ORGANISATION, contract_from_json

_all = (
    select(*STANDING_COLUMNS, customers.c.contracts, customers.c.created_at, customers.c.updated_at)
    .select_from(with_organisation_and_account)
    .where(customers.c.organisation_id == ORGANISATION)
)
_GET = Statement(_all.where(customers.c.id == bindparam("customer_id", type_=Uuid())))
_BY_ACCOUNT_NUMBER = Statement(_all.where(customers.c.account_number == bindparam("account_number", type_=Text())))


class PlatformCustomers:
    """Customers of one organisation, in the platform's words."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def get(self, customer_id: UUID) -> PlatformCustomer:
        """The customer with this id.

        Raises: CustomerDoesNotExist.
        """
        return _found(await self._connection.row(_GET, customer_id=customer_id))

    async def by_account_number(self, account_number: str) -> PlatformCustomer:
        """The customer with this number.

        Raises: CustomerDoesNotExist.
        """
        return _found(await self._connection.row(_BY_ACCOUNT_NUMBER, account_number=account_number))


def _found(row: Row | None) -> PlatformCustomer:
    if row is None:
        raise CustomerDoesNotExist
    stands = standing(row)
    contracts = tuple(contract_from_json(one) for one in row["contracts"])
    whole = replace(stands, customer=replace(stands.customer, contracts=contracts))
    return PlatformCustomer(whole, row["created_at"], row["updated_at"])
