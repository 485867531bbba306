"""Invitation batches: where each stands, and how fast an organisation's invitations may go."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import Interval, bindparam, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.types import Boolean, Text, Uuid

from app.database import Connection, Row, Statement
from app.domain.callers import Actor, ActorType, Seen
from app.domain.invitation_batches import BatchCounts, BatchStatus, InvitationBatch, NewBatch
from app.models import invitation_batches as batches
from app.models import invitation_paces as paces
from app.repositories.rows import ORGANISATION

COLUMNS = [column for column in batches.c if column.name != "organisation_id"]
_THIS = (batches.c.organisation_id == ORGANISATION) & (batches.c.id == bindparam("batch_id", type_=Uuid()))

_ADD = Statement(
    insert(batches).values(
        organisation_id=ORGANISATION,
        id=bindparam("batch_id", type_=Uuid()),
        status=BatchStatus.RUNNING.value,
        only_validate=bindparam("only_validate", type_=Boolean()),
        language=bindparam("language", type_=Text()),
        created_by_type=bindparam("created_by_type"),
        created_by_id=bindparam("created_by_id"),
        created_by_name=bindparam("created_by_name"),
        ip_address=bindparam("ip_address"),
        user_agent=bindparam("user_agent"),
        correlation_id=bindparam("correlation_id"),
    )
)
_FIND = Statement(select(*COLUMNS).where(_THIS))
_LOCK = Statement(select(*COLUMNS).where(_THIS).with_for_update(key_share=True))
_END = Statement(
    update(batches)
    .where(_THIS)
    .values(status=bindparam("new_status", type_=Text()), finished_at=func.clock_timestamp())
    .returning(*COLUMNS)
)

_cost = bindparam("cost", type_=Interval())
_insert = upsert(paces).values(organisation_id=ORGANISATION, free_at=func.now() + _cost)
_SPEND = Statement(
    _insert.on_conflict_do_update(
        constraint="pk_invitation_paces",
        set_={"free_at": _insert.excluded.free_at},
        where=paces.c.free_at <= func.now(),
    ).returning(paces.c.free_at)
)
_WAIT = Statement(select((paces.c.free_at - func.now()).label("wait")).where(paces.c.organisation_id == ORGANISATION))


class InvitationBatches:
    """Batches of one organisation."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, batch_id: UUID, new: NewBatch, *, by: Actor, seen: Seen) -> None:
        """A running batch, without customers yet."""
        await self._connection.row(
            _ADD,
            batch_id=batch_id,
            only_validate=new.only_validate,
            language=new.language,
            created_by_type=by.type.value,
            created_by_id=by.id,
            created_by_name=by.name,
            ip_address=seen.ip_address,
            user_agent=seen.user_agent,
            correlation_id=seen.correlation_id,
        )

    async def find(self, batch_id: UUID) -> InvitationBatch | None:
        """The batch as it stands."""
        row = await self._connection.row(_FIND, batch_id=batch_id)
        return invitation_batch(row) if row else None

    async def lock(self, batch_id: UUID) -> InvitationBatch | None:
        """The same; until the transaction ends nobody else cancels it or settles its customers."""
        row = await self._connection.row(_LOCK, batch_id=batch_id)
        return invitation_batch(row) if row else None

    async def end(self, batch_id: UUID, status: BatchStatus) -> InvitationBatch:
        """It has come to this end. The caller holds its lock."""
        return invitation_batch(await self._connection.one(_END, batch_id=batch_id, new_status=status.value))

    async def spend(self, cost: timedelta) -> bool:
        """Take the organisation's turn, if it has one now; the next comes after as long as this one costs."""
        return await self._connection.row(_SPEND, cost=cost) is not None

    async def until_next_turn(self) -> timedelta:
        """How long the organisation's next invitations have to wait."""
        row = await self._connection.row(_WAIT)
        return max(row["wait"], timedelta(0)) if row else timedelta(0)


def invitation_batch(row: Row) -> InvitationBatch:
    """From COLUMNS."""
    return InvitationBatch(
        id=row["id"],
        status=BatchStatus(row["status"]),
        only_validate=row["only_validate"],
        language=row["language"],
        counts=BatchCounts(row["requested"], row["invited"], row["skipped"], row["failed"]),
        created_by=Actor(ActorType(row["created_by_type"]), row["created_by_id"], row["created_by_name"]),
        seen=Seen(row["correlation_id"], row["ip_address"], row["user_agent"]),
        created_at=row["created_at"],
        finished_at=row["finished_at"],
    )
