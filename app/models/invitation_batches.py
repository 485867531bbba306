"""Invitation batches, the customers of each, and when an organisation's next invitations may go.

The counts stand in the batch's row, changed in the same statement as the customers' outcomes: whoever watches a large
batch reads one row.
"""

from sqlalchemy import Boolean, Column, ForeignKeyConstraint, Index, Integer, Table, Text, Uuid, text

from app.domain.callers import ActorType
from app.domain.invitation_batches import BatchOutcome, BatchStatus
from app.models.metadata import metadata, moment, one_of, organisation_id


def _count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default=text("0"))


invitation_batches = Table(
    "invitation_batches",
    metadata,
    organisation_id(),
    Column("id", Uuid, primary_key=True),
    Column("status", Text, nullable=False),
    Column("only_validate", Boolean, nullable=False),
    Column("language", Text),
    _count("requested"),
    _count("invited"),
    _count("skipped"),
    _count("failed"),
    Column("created_by_type", Text, nullable=False),
    Column("created_by_id", Text, nullable=False),
    Column("created_by_name", Text),
    Column("ip_address", Text),
    Column("user_agent", Text),
    Column("correlation_id", Text, nullable=False),
    moment("created_at", now=True),
    moment("finished_at", nullable=True),
    ForeignKeyConstraint(["organisation_id"], ["organisations.organisation_id"]),
    one_of("status", BatchStatus),
    one_of("created_by_type", ActorType),
)

# As it was asked for: an id or number that nobody has stands here too.
invitation_batch_items = Table(
    "invitation_batch_items",
    metadata,
    organisation_id(),
    Column("batch_id", Uuid, primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("customer_id", Uuid),
    Column("account_number", Text),
    Column("outcome", Text, nullable=False),
    Column("key", Text),
    ForeignKeyConstraint(
        ["organisation_id", "batch_id"],
        ["invitation_batches.organisation_id", "invitation_batches.id"],
        name="fk_invitation_batch_items_batch",
    ),
    one_of("outcome", BatchOutcome),
)

# The next ones that are pending, and the results of one outcome.
Index(
    "ix_invitation_batch_items_outcome",
    invitation_batch_items.c.organisation_id,
    invitation_batch_items.c.batch_id,
    invitation_batch_items.c.outcome,
    invitation_batch_items.c.place,
)

# Until then the organisation's invitations of this minute have been spent.
invitation_paces = Table(
    "invitation_paces",
    metadata,
    organisation_id(),
    moment("free_at"),
    ForeignKeyConstraint(["organisation_id"], ["organisations.organisation_id"]),
)
