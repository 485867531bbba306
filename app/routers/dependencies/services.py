"""Every service that routers call."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from app.clock import Clock
from app.event_signatures import EventSignatures
from app.platform.signatures import PlatformSignatures
from app.routers.dependencies.streams import EventStreams
from app.services.access import Access
from app.services.account_resets import AccountResets
from app.services.accounts import Accounts
from app.services.activities import Activities
from app.services.adoption import Adoption
from app.services.cards import Cards
from app.services.communications import Communications
from app.services.customers import Customers
from app.services.delivery_reports import DeliveryReports
from app.services.diagnosis import Diagnoses
from app.services.documents import Documents
from app.services.email_confirmations import EmailConfirmations
from app.services.error_reports import ErrorReports
from app.services.impersonated_visits import ImpersonatedVisits
from app.services.impersonations import Impersonations
from app.services.inspections import Inspections
from app.services.invitation_batches import InvitationBatches
from app.services.invitations import Invitations
from app.services.log_verification import LogVerification
from app.services.logins import Logins
from app.services.own_accounts import OwnAccounts
from app.services.password_resets import PasswordResets
from app.services.platform_customers import PlatformCustomers
from app.services.platform_events import PlatformEvents
from app.services.portal_accounts import PortalAccounts
from app.services.portal_details import PortalDetails
from app.services.portal_settings import PortalSettings
from app.services.portal_url_checks import PortalUrlChecks
from app.services.registrations import Registrations
from app.services.role_assignments import RoleAssignments
from app.services.roles import Roles
from app.services.sessions import Sessions
from app.services.webhook_endpoints import WebhookEndpoints
from app.throttles import Throttles


@dataclass(frozen=True, slots=True)
class Services:
    """Every service that routers call, wired in `app/main`."""

    access: Access
    account_resets: AccountResets
    accounts: Accounts
    activities: Activities
    adoption: Adoption
    cards: Cards
    communications: Communications
    customers: Customers
    diagnoses: Diagnoses
    delivery_reports: DeliveryReports
    documents: Documents
    email_confirmations: EmailConfirmations
    error_reports: ErrorReports
    impersonated_visits: ImpersonatedVisits
    impersonations: Impersonations
    inspections: Inspections
    invitation_batches: InvitationBatches
    invitations: Invitations
    password_resets: PasswordResets
    log_verification: LogVerification
    logins: Logins
    own_accounts: OwnAccounts
    platform_events: PlatformEvents
    portal_accounts: PortalAccounts
    platform_customers: PlatformCustomers
    portal_details: PortalDetails
    portal_settings: PortalSettings
    portal_url_checks: PortalUrlChecks
    registrations: Registrations
    role_assignments: RoleAssignments
    roles: Roles
    sessions: Sessions
    webhook_endpoints: WebhookEndpoints
    throttles: Throttles
    event_streams: EventStreams
    clock: Clock
    idempotency_secret: bytes
    event_signatures: EventSignatures | None
    platform_signatures: PlatformSignatures | None


async def services(request: Request) -> Services:
    """The application's services."""
    found: Services = request.app.state.services
    return found


Service = Annotated[Services, Depends(services)]
