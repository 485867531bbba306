"""The job queue's tables, as its library makes them"""

from alembic import op
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment

revision = "8e2f6a41d0b7"
down_revision = "5b1d0c7f9a32"
branch_labels = None
depends_on = None


def _run(script: str) -> None:
    """Run a script of several statements, which only the driver itself takes."""
    driver = op.get_bind().connection.dbapi_connection
    driver.run_async(lambda connection: connection.execute(script))  # type: ignore[union-attr]


def upgrade() -> None:
    """Apply. The library is pinned; a release that changes its tables comes with a migration of its own."""
    _run(QueryBuilderEnvironment().build_install_query())


def downgrade() -> None:
    """Take back."""
    _run(QueryBuilderEnvironment().build_uninstall_query())
