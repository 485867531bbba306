"""Every operation, in the order in which the explorer shows them."""

from app.routers import delivery_reports, platform_events
from app.routers.backoffice import (
    account_resets,
    accounts,
    adoption,
    cards,
    communications,
    customer_lines,
    customers,
    diagnosis,
    invitation_batch_events,
    invitation_batches,
    invitations,
    portal_accounts,
    portal_settings,
    portal_url_checks,
    role_assignments,
    roles,
    webhook_endpoints,
)
from app.routers.backoffice import activities as backoffice_activities
from app.routers.backoffice import documents as backoffice_documents
from app.routers.backoffice import email_confirmations as backoffice_email_confirmations
from app.routers.backoffice import impersonations as backoffice_impersonations
from app.routers.backoffice import password_resets as backoffice_password_resets
from app.routers.backoffice import sessions as backoffice_sessions
from app.routers.platform import customers as platform_customers
from app.routers.platform import portal_settings as platform_portal_settings
from app.routers.portal import (
    documents,
    email_confirmations,
    error_reports,
    impersonations,
    introspection,
    me,
    password_resets,
    registrations,
    sessions,
    tokens,
)

# In the order in which the explorer shows them: the card first, then the customer's side.
ROUTERS = (
    customers.router,
    customer_lines.router,
    cards.router,
    invitations.router,
    backoffice_password_resets.router,
    backoffice_email_confirmations.router,
    account_resets.router,
    accounts.router,
    communications.router,
    backoffice_sessions.router,
    backoffice_impersonations.router,
    backoffice_documents.router,
    backoffice_activities.router,
    diagnosis.router,
    invitation_batches.starting,
    invitation_batches.router,
    invitation_batch_events.router,
    portal_settings.router,
    portal_url_checks.router,
    portal_accounts.router,
    adoption.router,
    roles.router,
    role_assignments.router,
    webhook_endpoints.router,
    delivery_reports.router,
    platform_events.router,
    tokens.router,
    registrations.router,
    email_confirmations.router,
    password_resets.router,
    sessions.router,
    introspection.router,
    impersonations.router,
    me.router,
    documents.router,
    error_reports.router,
    platform_customers.router,
    platform_portal_settings.router,
)
