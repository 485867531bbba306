"""How each organisation's portal answered when its address was last checked."""

from sqlalchemy import Column, ForeignKeyConstraint, Table, Text

from app.models.metadata import metadata, moment, organisation_id

portal_url_checks = Table(
    "portal_url_checks",
    metadata,
    organisation_id(),
    Column("url", Text, nullable=False),
    moment("checked_at", now=True),
    Column("problem", Text),  # none: it answered
    ForeignKeyConstraint(["organisation_id"], ["organisations.organisation_id"]),
)
