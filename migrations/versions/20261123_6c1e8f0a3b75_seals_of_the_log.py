"""Seals of the log"""

import sqlalchemy as sa
from alembic import op

from app.models.metadata import Xid8

revision = "6c1e8f0a3b75"
down_revision = "6f1c8a52e9d4"
branch_labels = None
depends_on = None

_REFUSE = """
CREATE FUNCTION refuse_seal_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the seals of the activity log are append-only' USING ERRCODE = 'restrict_violation';
END
$$
"""
# The lists of what retention has removed go with it.
_GUARDS = {"activity_seals": "refuse_seal_change", "sealed_entries": "refuse_activity_change"}


def upgrade() -> None:
    """Apply."""
    # Two steps, neither of which rewrites the table: a default that is a constant, then the one for new entries.
    op.execute("ALTER TABLE activities ADD COLUMN transaction xid8 NOT NULL DEFAULT '0'::xid8")
    op.execute("ALTER TABLE activities ALTER COLUMN transaction SET DEFAULT pg_current_xact_id()")
    op.create_table(
        "activity_seals",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("form", sa.Integer(), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("begins_transaction", Xid8(), nullable=False),
        sa.Column("begins_id", sa.Uuid(), nullable=False),
        sa.Column("ends_transaction", Xid8(), nullable=False),
        sa.Column("ends_id", sa.Uuid(), nullable=False),
        sa.Column("since", sa.TIMESTAMP(timezone=True)),
        sa.Column("oldest_unborn", Xid8(), nullable=False),
        sa.Column("as_of", sa.TIMESTAMP(timezone=True)),
        sa.Column("sealed_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("last_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("list_digest", sa.LargeBinary(), nullable=False),
        sa.Column("newest_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("removed_before", sa.TIMESTAMP(timezone=True)),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("kind IN ('entries', 'removal', 'restart')", name=op.f("ck_activity_seals_kind")),
        sa.PrimaryKeyConstraint("organisation_id", "sequence", name=op.f("pk_activity_seals")),
    )
    op.create_table(
        "sealed_entries",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("list", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "sequence", name=op.f("pk_sealed_entries")),
    )
    op.execute(_REFUSE)
    for table, function in _GUARDS.items():
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()"
        )
        op.execute(
            f"CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON {table}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
        )


def downgrade() -> None:
    """Take back."""
    op.drop_table("sealed_entries")
    op.drop_table("activity_seals")
    op.execute("DROP FUNCTION refuse_seal_change()")
    op.execute("ALTER TABLE activities DROP COLUMN transaction")
