"""The one look across organisations: at their ids, and at nothing else, to plan each one's daily work."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.types import Integer, Uuid

from app.database import Connection, Statement
from app.models import organisations
from app.repositories.jobs import Jobs

# The single statement that names no organisation; tests/unit/test_statements.py lists it as the exception.
AFTER = Statement(
    select(organisations.c.organisation_id)
    .where(organisations.c.organisation_id > bindparam("after", type_=Uuid()))
    .order_by(organisations.c.organisation_id)
    .limit(bindparam("most", type_=Integer()))
)


class EveryOrganisation:
    """All organisations, a batch at a time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def after(self, organisation_id: UUID, most: int) -> list[UUID]:
        """The ids that follow this one."""
        rows = await self._connection.rows(AFTER, after=organisation_id, most=most)
        return [row["organisation_id"] for row in rows]

    async def tend(self, organisation_ids: list[UUID], first: timedelta, apart: timedelta) -> None:
        """Leave each one's daily work to the workers, once: the first after so long, the others one after another."""
        jobs = Jobs(self._connection)
        for place, organisation_id in enumerate(organisation_ids):
            jobs.tend_organisation(organisation_id, first + place * apart)
        await jobs.write()
