"""The whole card: impersonations, document views, checks of the portal's address, and what they add to other tables"""

import sqlalchemy as sa
from alembic import op

revision = "3fa7b2c8d915"
down_revision = "8e2f6a41d0b7"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("accounts", sa.Column("retired_at", sa.TIMESTAMP(timezone=True)))
    op.add_column("accounts", sa.Column("email_changed_at", sa.TIMESTAMP(timezone=True)))
    op.add_column(
        "accounts", sa.Column("clear_site_data", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column("communications", sa.Column("delivered_at", sa.TIMESTAMP(timezone=True)))
    op.add_column("communications", sa.Column("resent_from", sa.Uuid()))
    op.add_column("sessions", sa.Column("impersonation_id", sa.Uuid()))
    _impersonations()
    op.create_table(
        "document_views",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("first_viewed_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_viewed_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("view_count", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id", "customer_id"],
            ["customers.organisation_id", "customers.id"],
            name=op.f("fk_document_views_organisation_id_customer_id_customers"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", "customer_id", "document_id", name=op.f("pk_document_views")),
    )
    op.create_table(
        "portal_url_checks",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("checked_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("problem", sa.Text()),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.organisation_id"],
            name=op.f("fk_portal_url_checks_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", name=op.f("pk_portal_url_checks")),
    )


def _impersonations() -> None:
    op.create_table(
        "impersonations",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("employee_id", sa.Text(), nullable=False),
        sa.Column("employee_name", sa.Text()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ticket_reference", sa.Text()),
        sa.Column("access_mode", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("handoff_expires_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("redeemed_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("ended_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("ended_by_type", sa.Text()),
        sa.Column("ended_by_id", sa.Text()),
        sa.Column("ended_by_name", sa.Text()),
        sa.Column("end_reason", sa.Text()),
        sa.CheckConstraint("access_mode IN ('readonly', 'full')", name=op.f("ck_impersonations_access_mode")),
        sa.CheckConstraint("state IN ('pending', 'active', 'ended', 'expired')", name=op.f("ck_impersonations_state")),
        sa.CheckConstraint(
            "ended_by_type IN ('employee', 'customer', 'application', 'system')",
            name=op.f("ck_impersonations_ended_by_type"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "customer_id"],
            ["customers.organisation_id", "customers.id"],
            name=op.f("fk_impersonations_organisation_id_customer_id_customers"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_impersonations")),
    )
    op.create_index(
        "uq_impersonations_open",
        "impersonations",
        ["organisation_id", "employee_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "ix_impersonations_customer", "impersonations", ["organisation_id", "customer_id", "created_at", "id"]
    )
    op.create_index("ix_impersonations_time", "impersonations", ["organisation_id", "created_at", "id"])


def downgrade() -> None:
    """Take back."""
    for table in ("portal_url_checks", "document_views", "impersonations"):
        op.drop_table(table)
    op.drop_column("sessions", "impersonation_id")
    op.drop_column("communications", "resent_from")
    op.drop_column("communications", "delivered_at")
    op.drop_column("accounts", "clear_site_data")
    op.drop_column("accounts", "email_changed_at")
    op.drop_column("accounts", "retired_at")
