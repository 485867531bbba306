"""How the organisation's portal answered when its address was last checked."""

from sqlalchemy import bindparam, func
from sqlalchemy.dialects.postgresql import insert

from app.database import Connection, Statement
from app.models import portal_url_checks
from app.repositories.rows import ORGANISATION

_insert = insert(portal_url_checks).values(
    organisation_id=ORGANISATION, url=bindparam("url"), problem=bindparam("problem")
)
_PUT = Statement(
    _insert.on_conflict_do_update(
        constraint="pk_portal_url_checks",
        set_={"url": _insert.excluded.url, "problem": _insert.excluded.problem, "checked_at": func.now()},
    )
)


class PortalUrlChecks:
    """The last check of one organisation's portal."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def put(self, url: str, problem: str | None) -> None:
        """Keep the outcome in place of the one before; no problem means that the portal answered."""
        await self._connection.row(_PUT, url=url, problem=problem)
