"""Invitation batches"""

import sqlalchemy as sa
from alembic import op

revision = "6f1c8a52e9d4"
down_revision = "d4b81f6a2e07"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "invitation_batches",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("only_validate", sa.Boolean(), nullable=False),
        sa.Column("language", sa.Text()),
        *(
            sa.Column(name, sa.Integer(), server_default=sa.text("0"), nullable=False)
            for name in ("requested", "invited", "skipped", "failed")
        ),
        sa.Column("created_by_type", sa.Text(), nullable=False),
        sa.Column("created_by_id", sa.Text(), nullable=False),
        sa.Column("created_by_name", sa.Text()),
        sa.Column("ip_address", sa.Text()),
        sa.Column("user_agent", sa.Text()),
        sa.Column("correlation_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.TIMESTAMP(timezone=True)),
        sa.CheckConstraint("status IN ('running', 'finished', 'cancelled')", name=op.f("ck_invitation_batches_status")),
        sa.CheckConstraint(
            "created_by_type IN ('employee', 'customer', 'application', 'system')",
            name=op.f("ck_invitation_batches_created_by_type"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.organisation_id"],
            name=op.f("fk_invitation_batches_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_invitation_batches")),
    )
    op.create_table(
        "invitation_batch_items",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("customer_id", sa.Uuid()),
        sa.Column("account_number", sa.Text()),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("key", sa.Text()),
        sa.CheckConstraint(
            "outcome IN ('invited', 'skipped', 'failed', 'pending')", name=op.f("ck_invitation_batch_items_outcome")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "batch_id"],
            ["invitation_batches.organisation_id", "invitation_batches.id"],
            name=op.f("fk_invitation_batch_items_batch"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", "batch_id", "place", name=op.f("pk_invitation_batch_items")),
    )
    op.create_index(
        "ix_invitation_batch_items_outcome",
        "invitation_batch_items",
        ["organisation_id", "batch_id", "outcome", "place"],
    )
    op.create_table(
        "invitation_paces",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("free_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.organisation_id"],
            name=op.f("fk_invitation_paces_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", name=op.f("pk_invitation_paces")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("invitation_paces")
    op.drop_table("invitation_batch_items")
    op.drop_table("invitation_batches")
