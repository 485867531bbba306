"""Where the organisation's portal is found."""

from collections.abc import Collection

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.types import Text

from app.database import Connection, Statement
from app.models import portal_addresses
from app.repositories.rows import ORGANISATION

_ADDRESSES = bindparam("addresses", type_=ARRAY(Text()))

_FORGET_OTHERS = Statement(
    delete(portal_addresses).where(
        portal_addresses.c.organisation_id == ORGANISATION, portal_addresses.c.address != func.all(_ADDRESSES)
    )
)
# One that was claimed before keeps its age: whoever came first is found.
_CLAIM = Statement(
    insert(portal_addresses)
    .from_select(
        ["organisation_id", "address"],
        select(ORGANISATION, func.unnest(_ADDRESSES)),
    )
    .on_conflict_do_nothing()
)


class PortalAddresses:
    """The URLs of one organisation's portal."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def put(self, addresses: Collection[str]) -> None:
        """These lead to the organisation from now on, and no others."""
        given = sorted(addresses)
        await self._connection.row(_FORGET_OTHERS, addresses=given)
        await self._connection.row(_CLAIM, addresses=given)
