"""Which documents the customer has opened in the portal; views by an impersonator are not counted."""

from sqlalchemy import Column, ForeignKeyConstraint, Integer, Table, Uuid, text

from app.models.metadata import metadata, moment, organisation_id

document_views = Table(
    "document_views",
    metadata,
    organisation_id(),
    Column("customer_id", Uuid, primary_key=True),
    Column("document_id", Uuid, primary_key=True),
    moment("first_viewed_at", now=True),
    moment("last_viewed_at", now=True),
    Column("view_count", Integer, nullable=False, server_default=text("1")),
    ForeignKeyConstraint(["organisation_id", "customer_id"], ["customers.organisation_id", "customers.id"]),
)
