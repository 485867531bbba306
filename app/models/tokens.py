"""One-time tokens of every purpose: who they are for, until when, and how they ended.

No secret stands here: the link is the signed id of a row.
"""

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, Integer, Table, Text, Uuid, text

from app.domain.callers import ActorType
from app.domain.one_time_tokens import TokenState
from app.models.metadata import metadata, moment, one_of, organisation_id
from app.tokens import Purpose

tokens = Table(
    "tokens",
    metadata,
    organisation_id(),
    Column("id", Uuid, primary_key=True),
    Column("purpose", Text, nullable=False),
    Column("customer_id", Uuid, nullable=False),
    Column("account_id", Uuid),
    Column("communication_id", Uuid),
    Column("email", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("wrong_tries", Integer, nullable=False, server_default=text("0")),
    Column("created_by_type", Text, nullable=False),
    Column("created_by_id", Text, nullable=False),
    Column("created_by_name", Text),
    moment("created_at", now=True),
    moment("expires_at"),
    moment("viewed_at", nullable=True),
    moment("ended_at", nullable=True),
    ForeignKeyConstraint(["organisation_id", "customer_id"], ["customers.organisation_id", "customers.id"]),
    ForeignKeyConstraint(
        ["organisation_id", "communication_id"], ["communications.organisation_id", "communications.id"]
    ),
    one_of("purpose", Purpose),
    one_of("state", TokenState),
    one_of("created_by_type", ActorType),
    CheckConstraint("(state = 'pending') = (ended_at IS NULL)", name="ended"),
)

# Each new link ends the one before: at most one of a customer and purpose is pending.
Index(
    "uq_tokens_pending",
    tokens.c.organisation_id,
    tokens.c.customer_id,
    tokens.c.purpose,
    unique=True,
    postgresql_where=text("state = 'pending' AND purpose IN ('invitation', 'emailconfirmation', 'passwordreset')"),
)
Index(
    "ix_tokens_customer",
    tokens.c.organisation_id,
    tokens.c.customer_id,
    tokens.c.purpose,
    tokens.c.created_at,
    tokens.c.id,
)
Index("ix_tokens_communication", tokens.c.organisation_id, tokens.c.communication_id)
# Who was invited when, for the figures.
Index(
    "ix_tokens_invitations",
    tokens.c.organisation_id,
    tokens.c.created_at,
    tokens.c.customer_id,
    postgresql_where=text("purpose = 'invitation'"),
)
