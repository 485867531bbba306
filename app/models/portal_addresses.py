"""Where each organisation's portal is found: the one place that leads from a URL to an organisation."""

from sqlalchemy import Column, ForeignKeyConstraint, Index, Table, Text

from app.models.metadata import metadata, moment, organisation_id

portal_addresses = Table(
    "portal_addresses",
    metadata,
    organisation_id(),
    Column("address", Text, primary_key=True),
    moment("claimed_at", now=True),
    ForeignKeyConstraint(["organisation_id"], ["organisations.organisation_id"]),
)

# The only index that the organisation does not lead: it is what is looked for.
Index("ix_portal_addresses_address", portal_addresses.c.address, portal_addresses.c.claimed_at)
