"""What a process works with, and how its parts come together."""

import hashlib
import hmac
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from app.bearers import BearerVerifier, embedded_keys
from app.claims import ClaimNames, ClaimRules
from app.clock import Clock, utc_now
from app.database import Database
from app.domain.sessions import SessionLimits
from app.event_signatures import EventSignatures
from app.issuer_keys import FixedKeys, IssuerKeys, KeySource
from app.jobs.handlers import handlers
from app.jobs.worker import Regular, Worker, WorkerLimits
from app.mail.capture import MailCapture
from app.mail.rendering import MailRenderer
from app.mail.senders import MailSender
from app.mail.smtp import SmtpSender
from app.outgoing import Outgoing
from app.passwords import Passwords
from app.platform.client import PlatformClient
from app.platform.signatures import PlatformSignatures
from app.platform.tokens import Credentials
from app.probing import PortalProbe
from app.repositories.jobs import Job
from app.repositories.unit_of_work import Transactions
from app.routers.dependencies import EventStreams, Services
from app.seal_keys import SealSigner
from app.services.access import Access
from app.services.account_resets import AccountResets
from app.services.accounts import Accounts
from app.services.activities import Activities
from app.services.adoption import Adoption
from app.services.cards import Cards
from app.services.communications import Communications
from app.services.customers import Customers
from app.services.daily_work import DailyWork
from app.services.deeds.guesses import Guesses
from app.services.deliveries import Deliveries, DeliveryRules
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
from app.services.sealing import Sealing
from app.services.sessions import Sessions
from app.services.webhook_deliveries import PostingRules, WebhookDeliveries
from app.services.webhook_endpoints import WebhookEndpoints
from app.settings import Settings
from app.throttles import Limit, Throttled, Throttles
from app.tokens import TokenSigner
from app.webhook_receivers import Receivers
from app.webhook_secrets import WebhookSecrets


@dataclass(frozen=True, slots=True)
class Parts:
    """What a process works with."""

    database: Database
    services: Services
    worker: Worker


@asynccontextmanager
async def running(settings: Settings, clock: Clock = utc_now) -> AsyncIterator[Parts]:
    """The parts of the service, open until the block ends."""
    if settings.database_url is None:
        raise ValueError("the settings name no database")
    url = str(settings.database_url)
    database = await Database.connect(url, settings)
    passwords = Passwords(
        concurrency=settings.password_hashes,
        queue=settings.password_queue,
        longest_wait=settings.password_wait_seconds,
    )
    throttles = _throttles(settings)
    guesses = Guesses(throttles)
    sender = _sender(settings)
    transaction = Transactions(database)
    signer = TokenSigner(settings.secret_keys)
    seal_signer = SealSigner(settings.seal_key or settings.secret_keys)
    issuer_keys = _issuer_keys(settings)
    verifier = BearerVerifier(
        keys=issuer_keys,
        issuer=settings.oidc_issuer or settings.embedded_issuer,
        audience=settings.oidc_audience,
        clock=clock,
        rules=_claim_rules(settings),
    )
    confirmations = EmailConfirmations(transaction, signer, mails_per_hour=settings.asked_mails_per_hour)
    resets = PasswordResets(transaction, signer, passwords, guesses, mails_per_hour=settings.asked_mails_per_hour)
    deliveries = Deliveries(
        transaction,
        signer,
        MailRenderer(),
        sender,
        DeliveryRules(
            mail_from=settings.mail_from,
            first_wait=timedelta(seconds=settings.mail_retry_seconds),
            attempts=settings.mail_attempts,
        ),
        random.Random(),  # noqa: S311 - spreads retries, guards nothing
    )
    limits = SessionLimits(
        idle=timedelta(minutes=settings.session_idle_minutes), lifetime=timedelta(hours=settings.session_hours)
    )
    visits = ImpersonatedVisits(transaction, signer)
    outgoing = Outgoing(settings.webhook_allowed_networks)
    url_checks = PortalUrlChecks(transaction, PortalProbe(outgoing, seconds=settings.portal_check_seconds))
    webhook_secrets = WebhookSecrets([_derived(key, b"webhook secrets") for key in settings.secret_keys])
    receivers = Receivers(outgoing, clock, seconds=settings.webhook_timeout_seconds)
    platform = _platform(settings)
    platform_events = PlatformEvents(transaction, platform, random.Random())  # noqa: S311 - spreads retries
    batches = InvitationBatches(transaction, per_minute=settings.batch_invitations_per_minute)
    services = Services(
        access=Access(transaction, verifier),
        account_resets=AccountResets(transaction),
        accounts=Accounts(transaction, clock),
        activities=Activities(transaction),
        adoption=Adoption(transaction),
        cards=Cards(transaction),
        communications=Communications(transaction),
        customers=Customers(transaction),
        diagnoses=Diagnoses(transaction),
        delivery_reports=DeliveryReports(transaction),
        documents=Documents(transaction),
        email_confirmations=confirmations,
        error_reports=ErrorReports(transaction),
        impersonated_visits=visits,
        impersonations=Impersonations(transaction, signer),
        inspections=Inspections(transaction, signer),
        invitation_batches=batches,
        invitations=Invitations(transaction),
        password_resets=resets,
        log_verification=LogVerification(transaction, seal_signer.verifier),
        logins=Logins(transaction, passwords, guesses, limits),
        own_accounts=OwnAccounts(transaction, passwords, guesses),
        platform_events=platform_events,
        portal_accounts=PortalAccounts(transaction),
        platform_customers=PlatformCustomers(transaction),
        portal_details=PortalDetails(transaction),
        portal_settings=PortalSettings(
            transaction, production=settings.production, check_portals=settings.check_portals
        ),
        portal_url_checks=url_checks,
        registrations=Registrations(transaction, signer, passwords),
        role_assignments=RoleAssignments(transaction),
        roles=Roles(transaction),
        sessions=Sessions(transaction, limits),
        webhook_endpoints=WebhookEndpoints(
            transaction,
            webhook_secrets,
            receivers,
            overlap=timedelta(hours=settings.webhook_secret_overlap_hours),
        ),
        throttles=throttles,
        event_streams=EventStreams(settings.event_streams),
        clock=clock,
        idempotency_secret=_derived(settings.secret_keys[-1], b"idempotency"),
        event_signatures=EventSignatures(settings.mail_events_public_key, clock)
        if settings.mail_events_public_key
        else None,
        platform_signatures=PlatformSignatures(settings.platform_webhook_secret)
        if settings.platform_webhook_secret
        else None,
    )
    worker = Worker(
        settings.direct_database_url,
        handlers(
            deliveries,
            confirmations,
            resets,
            visits,
            WebhookDeliveries(
                transaction,
                webhook_secrets,
                receivers,
                PostingRules(timedelta(seconds=settings.webhook_timeout_seconds), settings.webhook_endpoints_at_once),
                clock,
                random.Random(),  # noqa: S311 - spreads retries, guards nothing
            ),
            url_checks,
            batches,
            platform_events,
            DailyWork(transaction, seal_signer, check_portals=settings.check_portals),
            Sealing(transaction, seal_signer),
        ),
        WorkerLimits(look=timedelta(seconds=settings.worker_look_seconds)),
        Regular(Job.DAILY_WORK.value, f"0 {settings.daily_work_hour} * * *"),
        Regular(Job.PLAN_SEALS.value, "*/5 * * * *"),
    )
    try:
        yield Parts(database, services, worker)
    finally:
        await issuer_keys.close()
        await throttles.close()
        outgoing.close()
        if platform is not None:
            await platform.close()
        passwords.close()
        await sender.close()
        await database.close()


def _throttles(settings: Settings) -> Throttles:
    limits = {
        Throttled.FAILED_LOGINS_OF_ACCOUNT: Limit(settings.failed_logins_per_account, 5 * 60),
        Throttled.FAILED_LOGINS_OF_ADDRESS: Limit(settings.failed_logins_per_address, 5 * 60),
        Throttled.FORGOTTEN_PASSWORDS: Limit(settings.forgotten_passwords_per_minute, 60),
        Throttled.CONFIRMATIONS_AGAIN: Limit(settings.confirmations_again_per_minute, 60),
        Throttled.INSPECTIONS: Limit(settings.inspections_per_minute, 60),
        Throttled.REGISTRATIONS: Limit(settings.registrations_per_minute, 60),
        Throttled.REDEMPTIONS: Limit(settings.redemptions_per_minute, 60),
        Throttled.ERROR_REPORTS: Limit(settings.error_reports_per_minute, 60),
        Throttled.BACK_OFFICE: Limit(settings.back_office_calls_per_minute, 60),
    }
    return Throttles(limits, settings.rate_limit_url, _derived(settings.secret_keys[-1], b"throttles"))


def _sender(settings: Settings) -> MailSender:
    if settings.smtp_url is None:
        return MailCapture(settings.mailbox)
    return SmtpSender(settings.smtp_url, connections=settings.smtp_connections, timeout=settings.smtp_timeout_seconds)


def _platform(settings: Settings) -> PlatformClient | None:
    url, token_url = settings.platform_url, settings.platform_token_url
    client_id, client_secret = settings.platform_client_id, settings.platform_client_secret
    if not (url and token_url and client_id and client_secret):
        return None  # the settings know no half
    credentials = Credentials(token_url, client_id, client_secret, settings.platform_scope)
    return PlatformClient(url, credentials, seconds=settings.platform_timeout_seconds, monotonic=time.monotonic)


def _issuer_keys(settings: Settings) -> KeySource:
    if settings.oidc_issuer is None:
        return FixedKeys(embedded_keys(settings.secret_keys))
    return IssuerKeys(settings.oidc_issuer, settings.oidc_jwks_url, time.monotonic)


def _claim_rules(settings: Settings) -> ClaimRules:
    """How tokens are read: the embedded issuer's by the contract's names, whatever is set for a real one."""
    if settings.oidc_issuer is None:
        return ClaimRules()
    names = ClaimNames(
        subject=settings.oidc_claim_subject,
        tenant=settings.oidc_claim_tenant,
        organisations=settings.oidc_claim_organisations,
        roles=settings.oidc_claim_roles,
        permissions=settings.oidc_claim_permissions,
        name=settings.oidc_claim_name,
        azp=settings.oidc_claim_azp,
        idtyp=settings.oidc_claim_idtyp,
    )
    return ClaimRules(names, dict(settings.oidc_roles))


def _derived(secret: str, purpose: bytes) -> bytes:
    """A key of its own for each purpose."""
    return hmac.digest(secret.encode(), b"portal-access " + purpose, hashlib.sha256)
