"""Jobs: put into the queue in the same transaction as the fact that asks for them.

The queue's tables are pgqueuer's own; its statement names no organisation.
"""

import json
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from pgqueuer.db import AsyncpgDriver
from pgqueuer.queries import Queries

from app.database import Connection
from app.domain.callers import Seen
from app.ids import new_id


class Job(StrEnum):
    """What workers do."""

    DELIVER_MAIL = "deliver_mail"
    RESEND_CONFIRMATION = "resend_confirmation"
    MAIL_PASSWORD_RESETS = "mail_password_resets"
    FINISH_IMPERSONATION = "finish_impersonation"
    SERVE_WEBHOOK_ENDPOINT = "serve_webhook_endpoint"
    CHECK_PORTAL_URL = "check_portal_url"
    RUN_INVITATION_BATCH = "run_invitation_batch"
    FOLLOW_PLATFORM = "follow_platform"
    DAILY_WORK = "daily_work"
    TEND_ORGANISATION = "tend_organisation"
    PLAN_SEALS = "plan_seals"
    SEAL_ACTIVITIES = "seal_activities"


_AFTER_MAILS = -1


@dataclass(frozen=True, slots=True)
class _Waiting:
    job: Job
    payload: dict[str, Any]
    delay: timedelta = timedelta(0)
    priority: int = 0
    once: str | None = None  # a key: while a job with it is not done, another one is left out


class Jobs:
    """The jobs that a transaction leaves to the workers; those of one organisation but where they name another."""

    def __init__(self, connection: Connection, organisation_id: UUID | None = None) -> None:
        self._connection = connection
        self._organisation_id = organisation_id
        self._waiting: list[_Waiting] = []

    def deliver_mail(self, communication_id: UUID, *, bulk: bool = False) -> None:
        """Send the mail; one of a bulk after those that somebody waits for."""
        payload = {"organisationId": str(self._organisation_id), "communicationId": str(communication_id)}
        self._waiting.append(_Waiting(Job.DELIVER_MAIL, payload, priority=_AFTER_MAILS if bulk else 0))

    def run_invitation_batch(self, batch_id: UUID) -> None:
        """Invite the batch's customers."""
        self._add(Job.RUN_INVITATION_BATCH, batchId=str(batch_id))

    def resend_confirmation(self, email: str, seen: Seen) -> None:
        """Send new confirmation links to whoever has an unconfirmed account with this address."""
        self._add_request(Job.RESEND_CONFIRMATION, email, seen)

    def mail_password_resets(self, email: str, seen: Seen) -> None:
        """Send reset links to whoever has a confirmed account with this address."""
        self._add_request(Job.MAIL_PASSWORD_RESETS, email, seen)

    def finish_impersonation(self, impersonation_id: UUID, correlation_id: str, delay: timedelta) -> None:
        """When the time is up, close the impersonation; and tell the customer when it is over."""
        payload = {"impersonationId": str(impersonation_id), "correlationId": correlation_id}
        self._add(Job.FINISH_IMPERSONATION, delay, **payload)

    def serve_webhook_endpoint(self, endpoint_id: UUID, delay: timedelta = timedelta(0)) -> None:
        """Send the endpoint what is due then. The turn's id is the job's own, by which it knows its turn again."""
        self._add(Job.SERVE_WEBHOOK_ENDPOINT, delay, endpointId=str(endpoint_id), turnId=str(new_id()))

    def check_portal_url(self) -> None:
        """Try whether the organisation's portal answers at its address."""
        payload = {"organisationId": str(self._organisation_id)}
        self._waiting.append(_Waiting(Job.CHECK_PORTAL_URL, payload, priority=_AFTER_MAILS))

    def follow_platform(self, customer_id: UUID | None) -> None:
        """Let what the platform told of the customer take effect; without one, what it told of the organisation."""
        payload = {"customerId": str(customer_id) if customer_id else None}
        self._waiting.append(
            _Waiting(
                Job.FOLLOW_PLATFORM, {"organisationId": str(self._organisation_id)} | payload, priority=_AFTER_MAILS
            )
        )

    def tend_organisation(self, organisation_id: UUID, delay: timedelta) -> None:
        """Do this organisation's daily work after a while, unless it is waiting or being done already."""
        once = f"{Job.TEND_ORGANISATION.value}:{organisation_id}"
        payload = {"organisationId": str(organisation_id)}
        self._waiting.append(_Waiting(Job.TEND_ORGANISATION, payload, delay, priority=_AFTER_MAILS, once=once))

    def seal_activities(self, organisation_id: UUID) -> None:
        """Seal what is new in this organisation's log, unless that is waiting or being done already."""
        once = f"{Job.SEAL_ACTIVITIES.value}:{organisation_id}"
        payload = {"organisationId": str(organisation_id)}
        self._waiting.append(_Waiting(Job.SEAL_ACTIVITIES, payload, priority=_AFTER_MAILS, once=once))

    @property
    def waiting(self) -> bool:
        """Whether jobs were left that are not in the queue yet."""
        return bool(self._waiting)

    async def write(self) -> None:
        """Put all of them into the queue, in one statement."""
        if self._waiting:
            jobs = self._waiting
            await self._connection.queue(
                lambda driver: Queries(AsyncpgDriver(driver)).enqueue(  # type: ignore[arg-type]  # a pool's proxy will do
                    [waiting.job.value for waiting in jobs],
                    [json.dumps(waiting.payload).encode() for waiting in jobs],
                    [waiting.priority for waiting in jobs],
                    [waiting.delay for waiting in jobs],
                    [waiting.once for waiting in jobs],
                    on_conflict="skip",
                )
            )
            self._waiting = []

    def _add_request(self, job: Job, email: str, seen: Seen) -> None:
        """What someone asked for who is known by an address alone.

        The request's id names what the job writes, so that the job, done twice, finds what it wrote before.
        """
        self._add(
            job,
            requestId=str(new_id()),
            email=email,
            seen={
                "correlation_id": seen.correlation_id,
                "ip_address": seen.ip_address,
                "user_agent": seen.user_agent,
            },
        )

    def _add(self, job: Job, delay: timedelta = timedelta(0), /, **payload: Any) -> None:
        self._waiting.append(_Waiting(job, {"organisationId": str(self._organisation_id), **payload}, delay))
