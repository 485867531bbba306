"""The platform's webhooks"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "b83d5f1e7c40"
down_revision = "c7d20f94e6a1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "platform_events",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid()),
        sa.Column("body", postgresql.JSONB(), nullable=False),
        sa.Column("body_digest", sa.LargeBinary(), nullable=False),
        sa.Column("correlation_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("received_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.TIMESTAMP(timezone=True)),
        sa.CheckConstraint(
            "state IN ('waiting', 'applied', 'ignored', 'customergone')", name=op.f("ck_platform_events_state")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.organisation_id"],
            name=op.f("fk_platform_events_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_platform_events")),
    )
    op.create_index("ix_platform_events_body", "platform_events", ["organisation_id", "body_digest", "received_at"])
    op.create_index(
        "ix_platform_events_waiting",
        "platform_events",
        ["organisation_id", "customer_id", "received_at"],
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index("ix_platform_events_time", "platform_events", ["organisation_id", "received_at"])


def downgrade() -> None:
    """Take back."""
    op.drop_table("platform_events")
