"""The platform's webhooks, kept as they came for some weeks."""

from sqlalchemy import Column, ForeignKeyConstraint, Index, LargeBinary, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from app.domain.platform_events import PlatformEventState
from app.models.metadata import metadata, moment, one_of, organisation_id

platform_events = Table(
    "platform_events",
    metadata,
    organisation_id(),
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),  # any word: kinds that change nothing here are kept too
    Column("customer_id", Uuid),  # of nobody's record here perhaps
    Column("body", JSONB, nullable=False),
    Column("body_digest", LargeBinary, nullable=False),  # SHA-256
    Column("correlation_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    moment("received_at", now=True),
    moment("ended_at", nullable=True),
    one_of("state", PlatformEventState),
    ForeignKeyConstraint(["organisation_id"], ["organisations.organisation_id"]),
)

# The same body again.
Index(
    "ix_platform_events_body",
    platform_events.c.organisation_id,
    platform_events.c.body_digest,
    platform_events.c.received_at,
)
# What waits for its effect, in the order in which it came.
Index(
    "ix_platform_events_waiting",
    platform_events.c.organisation_id,
    platform_events.c.customer_id,
    platform_events.c.received_at,
    postgresql_where=text("state = 'waiting'"),
)
Index("ix_platform_events_time", platform_events.c.organisation_id, platform_events.c.received_at)
