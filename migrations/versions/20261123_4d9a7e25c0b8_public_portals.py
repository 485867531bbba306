"""What the platform's front end keeps with a portal, and where portals are found"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "4d9a7e25c0b8"
down_revision = "4d9e1b7a60c2"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "organisations",
        sa.Column("public_portal", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
    )
    op.create_table(
        "portal_addresses",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("claimed_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.organisation_id"],
            name=op.f("fk_portal_addresses_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", "address", name=op.f("pk_portal_addresses")),
    )
    op.create_index("ix_portal_addresses_address", "portal_addresses", ["address", "claimed_at"])
    op.execute(
        "INSERT INTO portal_addresses (organisation_id, address, claimed_at)"
        " SELECT organisation_id, lower(rtrim(btrim(portal_url), '/')), created_at FROM organisations"
        " WHERE portal_url IS NOT NULL"
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("portal_addresses")
    op.drop_column("organisations", "public_portal")
