"""The organisation's activities of one type, built without a lock that writers would wait for

Nothing else stands here: a run that was interrupted can be repeated.
"""

from alembic import op

revision = "a51c7e30d9f4"
down_revision = "d27b94c5e818"
branch_labels = None
depends_on = None

_NAME = "ix_activities_type"


def upgrade() -> None:
    """Apply."""
    with op.get_context().autocommit_block():
        # A concurrent build waits for older transactions to end, and nobody waits for it meanwhile.
        op.execute("SET lock_timeout = 0")
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {_NAME}")  # what an interrupted build left cannot be used
        op.execute(f"CREATE INDEX CONCURRENTLY {_NAME} ON activities (organisation_id, type, occurred_at, id)")
        op.execute("SET lock_timeout = '5s'")


def downgrade() -> None:
    """Take back."""
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {_NAME}")
