"""Customers: a copy of what the billing system tells, replaced whole by each PUT."""

from sqlalchemy import Column, ForeignKeyConstraint, Index, Integer, Table, Text, UniqueConstraint, Uuid, func, text
from sqlalchemy.dialects.postgresql import JSONB

from app.models.metadata import metadata, moment, organisation_id

customers = Table(
    "customers",
    metadata,
    organisation_id(),
    Column("id", Uuid, primary_key=True),
    Column("account_number", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("email", Text),
    Column("language", Text),
    Column("contracts", JSONB, nullable=False, server_default=text("'[]'::jsonb")),
    Column("documents", JSONB, nullable=False, server_default=text("'[]'::jsonb")),
    # Counts the accounts the customer has had, so that the log can tell them apart after a reset.
    Column("account_generation", Integer, nullable=False, server_default=text("0")),
    moment("created_at", now=True),
    moment("updated_at", now=True),
    ForeignKeyConstraint(["organisation_id"], ["organisations.organisation_id"]),
    UniqueConstraint("organisation_id", "account_number"),
)

Index("ix_customers_created", customers.c.organisation_id, customers.c.created_at, customers.c.id)
# What employees find customers by, from its beginning: the name also by its last word, which often is the family's.
as_searched = {
    "number": func.lower(customers.c.account_number),
    "name": func.lower(customers.c.display_name),
    "last_name": func.lower(func.regexp_replace(customers.c.display_name, "^.* ", "")),
    "email": func.lower(customers.c.email),
}
for _name, _searched in as_searched.items():
    Index(
        f"ix_customers_searched_{_name}",
        customers.c.organisation_id,
        _searched.label("searched"),
        postgresql_ops={"searched": "text_pattern_ops"},
    )

# Whose address was meant by a login or a request that names no account.
Index("ix_customers_email", customers.c.organisation_id, func.lower(customers.c.email))
