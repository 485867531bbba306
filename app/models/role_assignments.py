"""Who has which role in an organisation. A removed assignment stays, so that removing it twice is no surprise."""

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, Table, Text, Uuid, text

from app.domain.callers import ActorType
from app.models.metadata import metadata, moment, one_of, organisation_id
from app.permissions import Role

role_assignments = Table(
    "role_assignments",
    metadata,
    organisation_id(),
    Column("id", Uuid, primary_key=True),
    Column("subject", Text, nullable=False),
    # A built-in role by its name, or one of the organisation's own.
    Column("role", Text),
    Column("role_id", Uuid),
    Column("created_by_type", Text, nullable=False),
    Column("created_by_id", Text, nullable=False),
    Column("created_by_name", Text),
    moment("created_at", now=True),
    moment("removed_at", nullable=True),
    ForeignKeyConstraint(["organisation_id"], ["organisations.organisation_id"]),
    ForeignKeyConstraint(["organisation_id", "role_id"], ["roles.organisation_id", "roles.id"]),
    one_of("role", Role),
    one_of("created_by_type", ActorType),
    CheckConstraint("(role IS NULL) <> (role_id IS NULL)", name="one_role"),
)

# Also what every back-office call looks its caller's rights up by.
Index(
    "uq_role_assignments_live",
    role_assignments.c.organisation_id,
    role_assignments.c.subject,
    role_assignments.c.role,
    role_assignments.c.role_id,
    unique=True,
    postgresql_nulls_not_distinct=True,
    postgresql_where=text("removed_at IS NULL"),
)
Index(
    "ix_role_assignments_role",
    role_assignments.c.organisation_id,
    role_assignments.c.role_id,
    role_assignments.c.role,
    postgresql_where=text("removed_at IS NULL"),
)
Index(
    "ix_role_assignments_time",
    role_assignments.c.organisation_id,
    role_assignments.c.created_at,
    role_assignments.c.id,
)
