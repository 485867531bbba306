"""The order of the seals, built without a lock that writers would wait for

Nothing else stands here: a run that was interrupted can be repeated.
"""

from alembic import op

revision = "d27b94c5e818"
down_revision = "6c1e8f0a3b75"
branch_labels = None
depends_on = None

_NAME = "ix_activities_transaction"


def upgrade() -> None:
    """Apply."""
    with op.get_context().autocommit_block():
        # A concurrent build waits for older transactions to end, and nobody waits for it meanwhile.
        op.execute("SET lock_timeout = 0")
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {_NAME}")  # what an interrupted build left cannot be used
        op.execute(f"CREATE INDEX CONCURRENTLY {_NAME} ON activities (organisation_id, transaction, id)")
        op.execute("SET lock_timeout = '5s'")


def downgrade() -> None:
    """Take back."""
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {_NAME}")
