"""The look across organisations, at their ids and at nothing else: to plan each one's regular work, and to find the
one whose portal has a URL."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.types import Integer, Text, Uuid

from app.database import Connection, Statement
from app.models import organisations, portal_addresses
from app.repositories.jobs import Jobs

# The only statements that name no organisation; tests/unit/test_statements.py lists them as the exceptions.
AFTER = Statement(
    select(organisations.c.organisation_id)
    .where(organisations.c.organisation_id > bindparam("after", type_=Uuid()))
    .order_by(organisations.c.organisation_id)
    .limit(bindparam("most", type_=Integer()))
)

# Of several that claim a URL, the first one has it: none can take away what another one's customers use.
BY_ADDRESS = Statement(
    select(portal_addresses.c.organisation_id)
    .where(portal_addresses.c.address == bindparam("address", type_=Text()))
    .order_by(portal_addresses.c.claimed_at, portal_addresses.c.organisation_id)
    .limit(bindparam("most", type_=Integer()))
)


class EveryOrganisation:
    """All organisations."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def after(self, organisation_id: UUID, most: int) -> list[UUID]:
        """The ids that follow this one."""
        rows = await self._connection.rows(AFTER, after=organisation_id, most=most)
        return [row["organisation_id"] for row in rows]

    async def with_portal_address(self, address: str) -> UUID | None:
        """Whose portal is found there, if anybody's."""
        row = await self._connection.row(BY_ADDRESS, address=address, most=1)
        return row["organisation_id"] if row else None

    async def tend(self, organisation_ids: list[UUID], first: timedelta, apart: timedelta) -> None:
        """Leave each one's daily work to the workers, once: the first after so long, the others one after another."""
        jobs = Jobs(self._connection)
        for place, organisation_id in enumerate(organisation_ids):
            jobs.tend_organisation(organisation_id, first + place * apart)
        await jobs.write()

    async def seal(self, organisation_ids: list[UUID]) -> None:
        """Leave the sealing of their logs to the workers, once."""
        jobs = Jobs(self._connection)
        for organisation_id in organisation_ids:
            jobs.seal_activities(organisation_id)
        await jobs.write()
