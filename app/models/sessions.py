"""Portal sessions. The token's secret half is kept as a SHA-256 digest only."""

from sqlalchemy import Column, ForeignKeyConstraint, Index, LargeBinary, Table, Text, Uuid

from app.models.metadata import metadata, moment, organisation_id

sessions = Table(
    "sessions",
    metadata,
    organisation_id(),
    Column("id", Uuid, primary_key=True),
    Column("customer_id", Uuid, nullable=False),
    Column("account_id", Uuid, nullable=False),
    Column("impersonation_id", Uuid),
    Column("secret_digest", LargeBinary, nullable=False),
    Column("ip_address", Text),
    Column("user_agent", Text),
    moment("created_at", now=True),
    moment("last_seen_at", now=True),
    moment("expires_at"),
    moment("ended_at", nullable=True),
    Column("end_reason", Text),
    ForeignKeyConstraint(["organisation_id", "customer_id"], ["customers.organisation_id", "customers.id"]),
)

Index(
    "ix_sessions_customer",
    sessions.c.organisation_id,
    sessions.c.customer_id,
    sessions.c.created_at,
    sessions.c.id,
)
Index("ix_sessions_expiry", sessions.c.organisation_id, sessions.c.expires_at)
