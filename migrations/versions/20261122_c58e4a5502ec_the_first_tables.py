"""The first tables"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "c58e4a5502ec"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "activities",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column(
            "occurred_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("account_number", sa.Text(), nullable=True),
        sa.Column("account_generation", sa.Integer(), nullable=True),
        sa.Column("actor_type", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=True),
        sa.Column("impersonation_id", sa.Uuid(), nullable=True),
        sa.Column("employee_id", sa.Text(), nullable=True),
        sa.Column("employee_name", sa.Text(), nullable=True),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("ip_address", sa.Text(), nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.Column("correlation_id", sa.Text(), nullable=False),
        sa.Column(
            "payload", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.CheckConstraint(
            "actor_type IN ('employee', 'customer', 'application', 'system')", name=op.f("ck_activities_actor_type")
        ),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_activities")),
    )
    op.create_index(
        "ix_activities_customer", "activities", ["organisation_id", "customer_id", "occurred_at", "id"], unique=False
    )
    op.create_index("ix_activities_time", "activities", ["organisation_id", "occurred_at", "id"], unique=False)
    op.create_table(
        "idempotency_answers",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("key_digest", sa.LargeBinary(), nullable=False),
        sa.Column("request_digest", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "key_digest", name=op.f("pk_idempotency_answers")),
    )
    op.create_index(
        "ix_idempotency_answers_time", "idempotency_answers", ["organisation_id", "created_at"], unique=False
    )
    op.create_table(
        "organisations",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("portal_enabled", sa.Boolean(), nullable=False),
        sa.Column("portal_url", sa.Text(), nullable=True),
        sa.Column("default_language", sa.Text(), nullable=False),
        sa.Column("feature_documents", sa.Boolean(), nullable=False),
        sa.Column("feature_invoices", sa.Boolean(), nullable=False),
        sa.Column("feature_advance_payment_adjustable", sa.Boolean(), nullable=False),
        sa.Column("feature_edit_contact_details", sa.Boolean(), nullable=False),
        sa.Column("invitation_seconds", sa.Integer(), nullable=False),
        sa.Column("email_confirmation_seconds", sa.Integer(), nullable=False),
        sa.Column("password_reset_seconds", sa.Integer(), nullable=False),
        sa.Column("confirm_on_invitation", sa.Boolean(), nullable=False),
        sa.Column("impersonation_enabled", sa.Boolean(), nullable=False),
        sa.Column("show_access_log", sa.Boolean(), nullable=False),
        sa.Column("notify_after_impersonation", sa.Boolean(), nullable=False),
        sa.Column("retention_days", sa.Integer(), nullable=True),
        sa.Column("sender_name", sa.Text(), nullable=True),
        sa.Column("sender_email", sa.Text(), nullable=True),
        sa.Column("primary_color", sa.Text(), nullable=True),
        sa.Column("secondary_color", sa.Text(), nullable=True),
        sa.Column("logo_url", sa.Text(), nullable=True),
        sa.Column("communication_enabled", sa.Boolean(), nullable=False),
        sa.Column("sandbox_recipient", sa.Text(), nullable=True),
        sa.Column(
            "page_notifications",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
        ),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", name=op.f("pk_organisations")),
    )
    op.create_table(
        "customers",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_number", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column(
            "contracts",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "documents",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
        ),
        sa.Column("account_generation", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.organisation_id"],
            name=op.f("fk_customers_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_customers")),
        sa.UniqueConstraint(
            "organisation_id", "account_number", name=op.f("uq_customers_organisation_id_account_number")
        ),
    )
    op.create_table(
        "accounts",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("imported", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("registered_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("email_confirmed_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("last_active_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('live', 'retired')", name=op.f("ck_accounts_state")),
        sa.ForeignKeyConstraint(
            ["organisation_id", "customer_id"],
            ["customers.organisation_id", "customers.id"],
            name=op.f("fk_accounts_organisation_id_customer_id_customers"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_accounts")),
    )
    op.create_index(
        "ix_accounts_email", "accounts", ["organisation_id", sa.literal_column("lower(email)")], unique=False
    )
    op.create_index(
        "ix_accounts_organisation_id_customer_id", "accounts", ["organisation_id", "customer_id"], unique=False
    )
    op.create_index(
        "uq_accounts_live",
        "accounts",
        ["organisation_id", "customer_id"],
        unique=True,
        postgresql_where=sa.text("state = 'live'"),
    )
    op.create_table(
        "communications",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("automatic", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_by_type", sa.Text(), nullable=False),
        sa.Column("created_by_id", sa.Text(), nullable=False),
        sa.Column("created_by_name", sa.Text(), nullable=True),
        sa.Column("correlation_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("sent_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("ended_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "created_by_type IN ('employee', 'customer', 'application', 'system')",
            name=op.f("ck_communications_created_by_type"),
        ),
        sa.CheckConstraint(
            "status IN ('queued', 'sending', 'successful', 'failed', 'skipped')",
            name=op.f("ck_communications_status"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "customer_id"],
            ["customers.organisation_id", "customers.id"],
            name=op.f("fk_communications_organisation_id_customer_id_customers"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_communications")),
    )
    op.create_index(
        "ix_communications_customer",
        "communications",
        ["organisation_id", "customer_id", "created_at", "id"],
        unique=False,
    )
    op.create_table(
        "sessions",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("secret_digest", sa.LargeBinary(), nullable=False),
        sa.Column("ip_address", sa.Text(), nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_seen_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ended_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id", "customer_id"],
            ["customers.organisation_id", "customers.id"],
            name=op.f("fk_sessions_organisation_id_customer_id_customers"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_sessions")),
    )
    op.create_index(
        "ix_sessions_customer", "sessions", ["organisation_id", "customer_id", "created_at", "id"], unique=False
    )
    op.create_table(
        "tokens",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("communication_id", sa.Uuid(), nullable=True),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("wrong_tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_by_type", sa.Text(), nullable=False),
        sa.Column("created_by_id", sa.Text(), nullable=False),
        sa.Column("created_by_name", sa.Text(), nullable=True),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("viewed_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("ended_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'pending') = (ended_at IS NULL)", name=op.f("ck_tokens_ended")),
        sa.CheckConstraint(
            "created_by_type IN ('employee', 'customer', 'application', 'system')",
            name=op.f("ck_tokens_created_by_type"),
        ),
        sa.CheckConstraint(
            "purpose IN ('invitation', 'emailconfirmation', 'passwordreset', 'impersonation')",
            name=op.f("ck_tokens_purpose"),
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'used', 'superseded', 'revoked', 'expired')", name=op.f("ck_tokens_state")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "communication_id"],
            ["communications.organisation_id", "communications.id"],
            name=op.f("fk_tokens_organisation_id_communication_id_communications"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "customer_id"],
            ["customers.organisation_id", "customers.id"],
            name=op.f("fk_tokens_organisation_id_customer_id_customers"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_tokens")),
    )
    op.create_index("ix_tokens_communication", "tokens", ["organisation_id", "communication_id"], unique=False)
    op.create_index(
        "ix_tokens_customer",
        "tokens",
        ["organisation_id", "customer_id", "purpose", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "uq_tokens_pending",
        "tokens",
        ["organisation_id", "customer_id", "purpose"],
        unique=True,
        postgresql_where=sa.text(
            "state = 'pending' AND purpose IN ('invitation', 'emailconfirmation', 'passwordreset')"
        ),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_index(
        "uq_tokens_pending",
        table_name="tokens",
        postgresql_where=sa.text(
            "state = 'pending' AND purpose IN ('invitation', 'emailconfirmation', 'passwordreset')"
        ),
    )
    op.drop_index("ix_tokens_customer", table_name="tokens")
    op.drop_index("ix_tokens_communication", table_name="tokens")
    op.drop_table("tokens")
    op.drop_index("ix_sessions_customer", table_name="sessions")
    op.drop_table("sessions")
    op.drop_index("ix_communications_customer", table_name="communications")
    op.drop_table("communications")
    op.drop_index("uq_accounts_live", table_name="accounts", postgresql_where=sa.text("state = 'live'"))
    op.drop_index("ix_accounts_organisation_id_customer_id", table_name="accounts")
    op.drop_index("ix_accounts_email", table_name="accounts")
    op.drop_table("accounts")
    op.drop_table("customers")
    op.drop_table("organisations")
    op.drop_index("ix_idempotency_answers_time", table_name="idempotency_answers")
    op.drop_table("idempotency_answers")
    op.drop_index("ix_activities_time", table_name="activities")
    op.drop_index("ix_activities_customer", table_name="activities")
    op.drop_table("activities")
