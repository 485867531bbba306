"""The log. Append-only: a trigger (see the migration) refuses UPDATE, DELETE and TRUNCATE."""

from sqlalchemy import Column, Index, Integer, Table, Text, Uuid, func, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from app.domain.callers import ActorType
from app.models.metadata import Xid8, metadata, one_of, organisation_id

activities = Table(
    "activities",
    metadata,
    organisation_id(),
    Column("id", Uuid, primary_key=True),
    Column("type", Text, nullable=False),
    # The moment of writing, not of the transaction's start: a change that waited for another comes after it.
    Column("occurred_at", TIMESTAMP(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    Column("customer_id", Uuid),
    Column("account_number", Text),
    Column("account_generation", Integer),
    Column("actor_type", Text, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("actor_name", Text),
    Column("impersonation_id", Uuid),
    Column("employee_id", Text),
    Column("employee_name", Text),
    Column("subject_type", Text, nullable=False),
    Column("subject_id", Uuid, nullable=False),
    Column("ip_address", Text),
    Column("user_agent", Text),
    Column("correlation_id", Text, nullable=False),
    Column("payload", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    # Which transaction wrote it, so that a seal reaches no further than the oldest one that is still running. Zero for
    # what was there before seals were.
    Column("transaction", Xid8, nullable=False, server_default=func.pg_current_xact_id()),
    one_of("actor_type", ActorType),
)

Index(
    "ix_activities_customer",
    activities.c.organisation_id,
    activities.c.customer_id,
    activities.c.occurred_at,
    activities.c.id,
)
Index("ix_activities_time", activities.c.organisation_id, activities.c.occurred_at, activities.c.id)
# The newest of one kind, for the diagnosis and the log's filter.
Index(
    "ix_activities_customer_type",
    activities.c.organisation_id,
    activities.c.customer_id,
    activities.c.type,
    activities.c.occurred_at,
)
# The same for the whole organisation, where a rare type is a needle among millions.
Index("ix_activities_type", activities.c.organisation_id, activities.c.type, activities.c.occurred_at, activities.c.id)
# The order of the seals.
Index("ix_activities_transaction", activities.c.organisation_id, activities.c.transaction, activities.c.id)
