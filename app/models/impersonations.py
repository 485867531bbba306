"""Impersonation sessions: who logged in as whom, why, and how it ended. The row is also the hand-off link's truth."""

from sqlalchemy import Column, ForeignKeyConstraint, Index, Table, Text, Uuid, text

from app.domain.callers import ActorType
from app.domain.impersonations import AccessMode, ImpersonationState
from app.models.metadata import metadata, moment, one_of, organisation_id

impersonations = Table(
    "impersonations",
    metadata,
    organisation_id(),
    Column("id", Uuid, primary_key=True),
    Column("customer_id", Uuid, nullable=False),
    Column("account_id", Uuid, nullable=False),
    Column("employee_id", Text, nullable=False),
    Column("employee_name", Text),
    Column("reason", Text, nullable=False),
    Column("ticket_reference", Text),
    Column("access_mode", Text, nullable=False),
    Column("state", Text, nullable=False),
    moment("created_at", now=True),
    moment("handoff_expires_at"),
    moment("expires_at"),
    moment("redeemed_at", nullable=True),
    moment("ended_at", nullable=True),
    Column("ended_by_type", Text),
    Column("ended_by_id", Text),
    Column("ended_by_name", Text),
    Column("end_reason", Text),
    ForeignKeyConstraint(["organisation_id", "customer_id"], ["customers.organisation_id", "customers.id"]),
    one_of("access_mode", AccessMode),
    one_of("state", ImpersonationState),
    one_of("ended_by_type", ActorType),
)

# One at a time for each employee: starting another ends the first.
Index(
    "uq_impersonations_open",
    impersonations.c.organisation_id,
    impersonations.c.employee_id,
    unique=True,
    postgresql_where=text("ended_at IS NULL"),
)
Index(
    "ix_impersonations_customer",
    impersonations.c.organisation_id,
    impersonations.c.customer_id,
    impersonations.c.created_at,
    impersonations.c.id,
)
Index("ix_impersonations_time", impersonations.c.organisation_id, impersonations.c.created_at, impersonations.c.id)
