"""Indexes of lists and figures across customers, built without a lock that writers would wait for

Nothing else stands here: a run that was interrupted can be repeated.
"""

from alembic import op

revision = "4d9e1b7a60c2"
down_revision = "b83d5f1e7c40"
branch_labels = None
depends_on = None

_INDEXES = {
    "ix_customers_created": "customers (organisation_id, created_at, id)",
    "ix_customers_searched_number": "customers (organisation_id, lower(account_number) text_pattern_ops)",
    "ix_customers_searched_name": "customers (organisation_id, lower(display_name) text_pattern_ops)",
    "ix_customers_searched_last_name": (
        "customers (organisation_id, lower(regexp_replace(display_name, '^.* ', '')) text_pattern_ops)"
    ),
    "ix_customers_searched_email": "customers (organisation_id, lower(email) text_pattern_ops)",
    "ix_accounts_registered": "accounts (organisation_id, registered_at, id)",
    "ix_accounts_unconfirmed": (
        "accounts (organisation_id, registered_at, id) WHERE state = 'live' AND email_confirmed_at IS NULL"
    ),
    "ix_accounts_confirmed": (
        "accounts (organisation_id, email_confirmed_at) WHERE state = 'live' AND email_confirmed_at IS NOT NULL"
    ),
    "ix_accounts_searched_email": "accounts (organisation_id, lower(email) text_pattern_ops)",
    "ix_tokens_invitations": "tokens (organisation_id, created_at, customer_id) WHERE purpose = 'invitation'",
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
