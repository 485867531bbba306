"""Mails and their delivery states. The text of a mail is rendered when it is sent and stored nowhere."""

from sqlalchemy import Boolean, Column, ForeignKeyConstraint, Index, Integer, Table, Text, Uuid, text

from app.domain.callers import ActorType
from app.domain.communications import CommunicationStatus
from app.models.metadata import metadata, moment, one_of, organisation_id

communications = Table(
    "communications",
    metadata,
    organisation_id(),
    Column("id", Uuid, primary_key=True),
    Column("customer_id", Uuid, nullable=False),
    Column("account_id", Uuid),
    Column("kind", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("automatic", Boolean, nullable=False),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("last_error", Text),
    Column("created_by_type", Text, nullable=False),
    Column("created_by_id", Text, nullable=False),
    Column("created_by_name", Text),
    Column("correlation_id", Text, nullable=False),
    moment("created_at", now=True),
    moment("sent_at", nullable=True),
    moment("ended_at", nullable=True),
    moment("delivered_at", nullable=True),
    Column("resent_from", Uuid),
    ForeignKeyConstraint(["organisation_id", "customer_id"], ["customers.organisation_id", "customers.id"]),
    one_of("status", CommunicationStatus),
    one_of("created_by_type", ActorType),
)

Index(
    "ix_communications_customer",
    communications.c.organisation_id,
    communications.c.customer_id,
    communications.c.created_at,
    communications.c.id,
)
