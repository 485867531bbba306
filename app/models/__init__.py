"""The tables, one file per aggregate. The organisation's id leads every key and index."""

from app.models.accounts import accounts
from app.models.activities import activities
from app.models.activity_seals import activity_seals, sealed_entries
from app.models.communications import communications
from app.models.customers import customers
from app.models.document_views import document_views
from app.models.idempotency import idempotency_answers
from app.models.impersonations import impersonations
from app.models.invitation_batches import invitation_batch_items, invitation_batches, invitation_paces
from app.models.metadata import metadata
from app.models.organisations import organisations
from app.models.platform_events import platform_events
from app.models.portal_addresses import portal_addresses
from app.models.portal_url_checks import portal_url_checks
from app.models.role_assignments import role_assignments
from app.models.roles import roles
from app.models.sessions import sessions
from app.models.tokens import tokens
from app.models.webhooks import webhook_deliveries, webhook_endpoints

__all__ = [
    "accounts",
    "activities",
    "activity_seals",
    "communications",
    "customers",
    "document_views",
    "idempotency_answers",
    "impersonations",
    "invitation_batch_items",
    "invitation_batches",
    "invitation_paces",
    "metadata",
    "organisations",
    "platform_events",
    "portal_addresses",
    "portal_url_checks",
    "role_assignments",
    "roles",
    "sealed_entries",
    "sessions",
    "tokens",
    "webhook_deliveries",
    "webhook_endpoints",
]
