"""The log is append-only"""

from alembic import op

revision = "5b1d0c7f9a32"
down_revision = "c58e4a5502ec"
branch_labels = None
depends_on = None

# Retention alone may delete, and says so for its own transaction: SET LOCAL portal.retention = 'on'.
_REFUSE = """
CREATE FUNCTION refuse_activity_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('portal.retention', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the activity log is append-only' USING ERRCODE = 'restrict_violation';
END
$$
"""
_EACH_ROW = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON activities
FOR EACH ROW EXECUTE FUNCTION refuse_activity_change()
"""
_WHOLE_TABLE = """
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON activities
FOR EACH STATEMENT EXECUTE FUNCTION refuse_activity_change()
"""


def upgrade() -> None:
    """Apply."""
    for statement in (_REFUSE, _EACH_ROW, _WHOLE_TABLE):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    op.execute("DROP TRIGGER append_only_whole ON activities")
    op.execute("DROP TRIGGER append_only ON activities")
    op.execute("DROP FUNCTION refuse_activity_change()")
