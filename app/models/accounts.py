"""Portal accounts with their credentials; at most one of a customer is live."""

from sqlalchemy import Boolean, Column, ForeignKeyConstraint, Index, Integer, Table, Text, Uuid, false, func, text

from app.domain.accounts import AccountState
from app.models.metadata import metadata, moment, one_of, organisation_id

accounts = Table(
    "accounts",
    metadata,
    organisation_id(),
    Column("id", Uuid, primary_key=True),
    Column("customer_id", Uuid, nullable=False),
    Column("state", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("email", Text, nullable=False),
    Column("language", Text),
    Column("password_hash", Text),
    Column("imported", Boolean, nullable=False, server_default=false()),
    moment("registered_at", now=True),
    moment("email_confirmed_at", nullable=True),
    moment("last_active_at", nullable=True),
    moment("retired_at", nullable=True),
    moment("email_changed_at", nullable=True),  # on purpose, by the customer or for them
    # Set by "log out and clear the cache": the portal's next answer tells the browser to clear what it keeps.
    Column("clear_site_data", Boolean, nullable=False, server_default=false()),
    ForeignKeyConstraint(["organisation_id", "customer_id"], ["customers.organisation_id", "customers.id"]),
    one_of("state", AccountState),
)

Index(
    "uq_accounts_live",
    accounts.c.organisation_id,
    accounts.c.customer_id,
    unique=True,
    postgresql_where=text("state = 'live'"),
)
Index("ix_accounts_organisation_id_customer_id", accounts.c.organisation_id, accounts.c.customer_id)
Index("ix_accounts_email", accounts.c.organisation_id, func.lower(accounts.c.email))
# For lists across customers; the figures count in the two smaller ones.
Index("ix_accounts_registered", accounts.c.organisation_id, accounts.c.registered_at, accounts.c.id)
Index(
    "ix_accounts_unconfirmed",
    accounts.c.organisation_id,
    accounts.c.registered_at,
    accounts.c.id,
    postgresql_where=text("state = 'live' AND email_confirmed_at IS NULL"),
)
Index(
    "ix_accounts_confirmed",
    accounts.c.organisation_id,
    accounts.c.email_confirmed_at,
    postgresql_where=text("state = 'live' AND email_confirmed_at IS NOT NULL"),
)
email_as_searched = func.lower(accounts.c.email)
Index(
    "ix_accounts_searched_email",
    accounts.c.organisation_id,
    email_as_searched.label("searched"),
    postgresql_ops={"searched": "text_pattern_ops"},
)
