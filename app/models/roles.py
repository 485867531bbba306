"""Roles that an organisation made for itself. A deleted one stays, for those who once had it."""

from sqlalchemy import Column, ForeignKeyConstraint, Index, Table, Text, Uuid, func, text
from sqlalchemy.dialects.postgresql import ARRAY

from app.models.metadata import metadata, moment, organisation_id

roles = Table(
    "roles",
    metadata,
    organisation_id(),
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("permissions", ARRAY(Text), nullable=False),
    moment("created_at", now=True),
    moment("updated_at", now=True),
    moment("deleted_at", nullable=True),
    ForeignKeyConstraint(["organisation_id"], ["organisations.organisation_id"]),
)

Index(
    "uq_roles_name",
    roles.c.organisation_id,
    func.lower(roles.c.name),
    unique=True,
    postgresql_where=text("deleted_at IS NULL"),
)
Index("ix_roles_time", roles.c.organisation_id, roles.c.created_at, roles.c.id)
