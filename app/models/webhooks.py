"""Webhook endpoints, and what was sent to them or waits for it. A deleted endpoint stays, without its secret."""

from sqlalchemy import Boolean, Column, ForeignKeyConstraint, Index, Integer, LargeBinary, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY

from app.domain.webhooks import DeliveryStatus
from app.models.metadata import metadata, moment, one_of, organisation_id

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    organisation_id(),
    Column("id", Uuid, primary_key=True),
    Column("url", Text, nullable=False),
    Column("types", ARRAY(Text), nullable=False),  # none: all
    Column("include_personal_data", Boolean, nullable=False),
    Column("sealed_secret", LargeBinary),  # encrypted
    moment("secret_created_at", now=True),
    Column("sealed_previous_secret", LargeBinary),
    moment("previous_secret_until", nullable=True),
    moment("created_at", now=True),
    moment("disabled_at", nullable=True),
    Column("disabled_reason", Text),
    moment("deleted_at", nullable=True),
    # One worker at a time serves an endpoint; after a failure none does for a while.
    Column("turn", Uuid),
    moment("turn_until", nullable=True),
    moment("paused_until", nullable=True),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    moment("last_delivered_at", nullable=True),
    ForeignKeyConstraint(["organisation_id"], ["organisations.organisation_id"]),
)

Index("ix_webhook_endpoints_time", webhook_endpoints.c.organisation_id, webhook_endpoints.c.created_at)
# What every entry of the log is held against.
Index(
    "ix_webhook_endpoints_enabled",
    webhook_endpoints.c.organisation_id,
    postgresql_where=text("disabled_at IS NULL AND deleted_at IS NULL"),
)

# Without foreign keys: whoever writes to the log locks no row of an endpoint.
webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    organisation_id(),
    Column("id", Uuid, primary_key=True),
    Column("endpoint_id", Uuid, nullable=False),
    Column("activity_id", Uuid),  # none: a test
    Column("type", Text, nullable=False),
    Column("status", Text, nullable=False, server_default=text(f"'{DeliveryStatus.PENDING.value}'")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("last_status", Integer),
    Column("last_error", Text),
    moment("created_at", now=True),
    moment("requested_at", now=True),
    moment("last_attempt_at", nullable=True),
    moment("next_attempt_at", now=True),
    moment("delivered_at", nullable=True),
    one_of("status", DeliveryStatus),
)

Index(
    "ix_webhook_deliveries_endpoint",
    webhook_deliveries.c.organisation_id,
    webhook_deliveries.c.endpoint_id,
    webhook_deliveries.c.created_at,
    webhook_deliveries.c.id,
)
Index(
    "ix_webhook_deliveries_due",
    webhook_deliveries.c.organisation_id,
    webhook_deliveries.c.endpoint_id,
    webhook_deliveries.c.next_attempt_at,
    postgresql_where=text("status = 'pending'"),
)
Index("ix_webhook_deliveries_time", webhook_deliveries.c.organisation_id, webhook_deliveries.c.created_at)
