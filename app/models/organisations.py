"""Organisations and their portal settings."""

from sqlalchemy import Boolean, Column, Integer, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from app.models.metadata import metadata, moment, organisation_id

organisations = Table(
    "organisations",
    metadata,
    organisation_id(),
    Column("tenant_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("portal_enabled", Boolean, nullable=False),
    Column("portal_url", Text),
    Column("default_language", Text, nullable=False),
    Column("feature_documents", Boolean, nullable=False),
    Column("feature_invoices", Boolean, nullable=False),
    Column("feature_advance_payment_adjustable", Boolean, nullable=False),
    Column("feature_edit_contact_details", Boolean, nullable=False),
    Column("invitation_seconds", Integer, nullable=False),
    Column("email_confirmation_seconds", Integer, nullable=False),
    Column("password_reset_seconds", Integer, nullable=False),
    Column("confirm_on_invitation", Boolean, nullable=False),
    Column("impersonation_enabled", Boolean, nullable=False),
    Column("show_access_log", Boolean, nullable=False),
    Column("notify_after_impersonation", Boolean, nullable=False),
    Column("retention_days", Integer),
    Column("sender_name", Text),
    Column("sender_email", Text),
    Column("primary_color", Text),
    Column("secondary_color", Text),
    Column("logo_url", Text),
    Column("communication_enabled", Boolean, nullable=False),
    Column("sandbox_recipient", Text),
    Column("page_notifications", JSONB, nullable=False, server_default=text("'[]'::jsonb")),
    Column("public_portal", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    moment("created_at", now=True),
    moment("updated_at", now=True),
)
