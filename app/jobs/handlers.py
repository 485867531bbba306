"""From a job's payload to the use case behind it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.domain.callers import Seen
from app.jobs.worker import Handler
from app.repositories.jobs import Job
from app.services.daily_work import DailyWork
from app.services.deliveries import Deliveries
from app.services.email_confirmations import EmailConfirmations
from app.services.impersonated_visits import ImpersonatedVisits
from app.services.invitation_batches import InvitationBatches
from app.services.password_resets import PasswordResets
from app.services.platform_events import PlatformEvents
from app.services.portal_url_checks import PortalUrlChecks
from app.services.sealing import Sealing
from app.services.webhook_deliveries import WebhookDeliveries


def handlers(
    deliveries: Deliveries,
    confirmations: EmailConfirmations,
    resets: PasswordResets,
    visits: ImpersonatedVisits,
    webhooks: WebhookDeliveries,
    url_checks: PortalUrlChecks,
    batches: InvitationBatches,
    platform_events: PlatformEvents,
    daily_work: DailyWork,
    sealing: Sealing,
) -> Mapping[str, Handler]:
    """What to do for each kind of job."""

    async def deliver_mail(payload: dict[str, Any]) -> timedelta | None:
        return await deliveries.deliver(UUID(payload["organisationId"]), UUID(payload["communicationId"]))

    async def resend_confirmation(payload: dict[str, Any]) -> timedelta | None:
        await confirmations.send_again(*_request(payload), seen=Seen(**payload["seen"]))
        return None

    async def mail_password_resets(payload: dict[str, Any]) -> timedelta | None:
        await resets.send_asked(*_request(payload), seen=Seen(**payload["seen"]))
        return None

    async def finish_impersonation(payload: dict[str, Any]) -> timedelta | None:
        organisation_id, impersonation_id = UUID(payload["organisationId"]), UUID(payload["impersonationId"])
        return await visits.finish(organisation_id, impersonation_id, seen=Seen(payload["correlationId"]))

    async def serve_webhook_endpoint(payload: dict[str, Any]) -> timedelta | None:
        endpoint_id, turn_id = UUID(payload["endpointId"]), UUID(payload["turnId"])
        return await webhooks.serve(UUID(payload["organisationId"]), endpoint_id, turn_id)

    async def check_portal_url(payload: dict[str, Any]) -> timedelta | None:
        await url_checks.check(UUID(payload["organisationId"]))
        return None

    async def run_invitation_batch(payload: dict[str, Any]) -> timedelta | None:
        return await batches.work(UUID(payload["organisationId"]), UUID(payload["batchId"]))

    async def follow_platform(payload: dict[str, Any]) -> timedelta | None:
        customer_id = payload["customerId"]
        return await platform_events.follow(UUID(payload["organisationId"]), UUID(customer_id) if customer_id else None)

    async def plan_daily_work(_payload: dict[str, Any]) -> timedelta | None:
        await daily_work.plan()
        return None

    async def tend_organisation(payload: dict[str, Any]) -> timedelta | None:
        return await daily_work.tend(UUID(payload["organisationId"]))

    async def plan_seals(_payload: dict[str, Any]) -> timedelta | None:
        await sealing.plan()
        return None

    async def seal_activities(payload: dict[str, Any]) -> timedelta | None:
        return await sealing.seal(UUID(payload["organisationId"]))

    return {
        Job.DELIVER_MAIL.value: deliver_mail,
        Job.RESEND_CONFIRMATION.value: resend_confirmation,
        Job.MAIL_PASSWORD_RESETS.value: mail_password_resets,
        Job.FINISH_IMPERSONATION.value: finish_impersonation,
        Job.SERVE_WEBHOOK_ENDPOINT.value: serve_webhook_endpoint,
        Job.CHECK_PORTAL_URL.value: check_portal_url,
        Job.RUN_INVITATION_BATCH.value: run_invitation_batch,
        Job.FOLLOW_PLATFORM.value: follow_platform,
        Job.DAILY_WORK.value: plan_daily_work,
        Job.TEND_ORGANISATION.value: tend_organisation,
        Job.PLAN_SEALS.value: plan_seals,
        Job.SEAL_ACTIVITIES.value: seal_activities,
    }


def _request(payload: dict[str, Any]) -> tuple[UUID, UUID, str]:
    """The organisation, the request's id and the address that was given."""
    return UUID(payload["organisationId"]), UUID(payload["requestId"]), payload["email"]
