"""Indexes of the whole card, built without a lock that writers would wait for

Nothing else stands here: a run that was interrupted can be repeated.
"""

from alembic import op

revision = "c7d20f94e6a1"
down_revision = "a94d1e60b3f7"
branch_labels = None
depends_on = None

_INDEXES = {
    "ix_customers_email": "customers (organisation_id, lower(email))",
    "ix_activities_customer_type": "activities (organisation_id, customer_id, type, occurred_at)",
    "ix_sessions_expiry": "sessions (organisation_id, expires_at)",
}


def upgrade() -> None:
    """Apply."""
    with op.get_context().autocommit_block():
        # A concurrent build waits for older transactions to end, and nobody waits for it meanwhile.
        op.execute("SET lock_timeout = 0")
        for name, columns in _INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")  # what an interrupted build left cannot be used
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {columns}")
        op.execute("SET lock_timeout = '5s'")


def downgrade() -> None:
    """Take back."""
    with op.get_context().autocommit_block():
        for name in _INDEXES:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
