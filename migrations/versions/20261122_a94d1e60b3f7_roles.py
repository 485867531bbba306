"""Roles of an organisation's own, and who has which role"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "a94d1e60b3f7"
down_revision = "3fa7b2c8d915"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "roles",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("permissions", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True)),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.organisation_id"],
            name=op.f("fk_roles_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_roles")),
    )
    op.create_index(
        "uq_roles_name",
        "roles",
        ["organisation_id", sa.text("lower(name)")],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index("ix_roles_time", "roles", ["organisation_id", "created_at", "id"])
    op.create_table(
        "role_assignments",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("role", sa.Text()),
        sa.Column("role_id", sa.Uuid()),
        sa.Column("created_by_type", sa.Text(), nullable=False),
        sa.Column("created_by_id", sa.Text(), nullable=False),
        sa.Column("created_by_name", sa.Text()),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("removed_at", sa.TIMESTAMP(timezone=True)),
        sa.CheckConstraint("role IN ('administrator', 'user', 'readonly')", name=op.f("ck_role_assignments_role")),
        sa.CheckConstraint(
            "created_by_type IN ('employee', 'customer', 'application', 'system')",
            name=op.f("ck_role_assignments_created_by_type"),
        ),
        sa.CheckConstraint("(role IS NULL) <> (role_id IS NULL)", name=op.f("ck_role_assignments_one_role")),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.organisation_id"],
            name=op.f("fk_role_assignments_organisation_id_organisations"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "role_id"],
            ["roles.organisation_id", "roles.id"],
            name=op.f("fk_role_assignments_organisation_id_role_id_roles"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_role_assignments")),
    )
    op.create_index(
        "uq_role_assignments_live",
        "role_assignments",
        ["organisation_id", "subject", "role", "role_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.create_index(
        "ix_role_assignments_role",
        "role_assignments",
        ["organisation_id", "role_id", "role"],
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.create_index("ix_role_assignments_time", "role_assignments", ["organisation_id", "created_at", "id"])


def downgrade() -> None:
    """Take back."""
    op.drop_table("role_assignments")
    op.drop_table("roles")
