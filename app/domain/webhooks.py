"""Webhooks: activities told to partners' endpoints, signed by the Standard Webhooks specification, at least once."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.domain.activities import Activity, ActivityType, Subject, SubjectType
from app.domain.callers import Actor, ActorType

MOST_ENDPOINTS = 20  # of one organisation: each is a delivery more for every activity
TEST_TYPE = "PortalWebhookTest"  # in no log and in no list of types: whoever tests an endpoint gets it in any case

# Waits between the attempts: the schedule that the specification gives as an example, a little over three days.
SCHEDULE = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
MOST_ATTEMPTS = len(SCHEDULE) + 1
_LONGEST_RETRY_AFTER = timedelta(hours=24)
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=5)
_GONE = 410


class EndpointStatus(StrEnum):
    """Whether activities go to an endpoint."""

    ENABLED = "enabled"
    DISABLED = "disabled"


class DeliveryStatus(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class EndpointWish:
    """What a partner wants to hear, and where. No types means all."""

    url: str
    types: tuple[ActivityType, ...] = ()
    include_personal_data: bool = False


@dataclass(frozen=True, slots=True)
class WebhookEndpoint:
    """Where an organisation's activities go."""

    id: UUID
    url: str
    types: tuple[str, ...]
    include_personal_data: bool
    created_at: datetime
    secret_created_at: datetime
    disabled_at: datetime | None
    disabled_reason: str | None

    @property
    def status(self) -> EndpointStatus:
        """Whether activities go there."""
        return EndpointStatus.DISABLED if self.disabled_at else EndpointStatus.ENABLED


@dataclass(frozen=True, slots=True)
class Wanted:
    """An activity that was just written, and an endpoint that wants to hear of it."""

    endpoint_id: UUID
    activity_id: UUID
    type: str


@dataclass(frozen=True, slots=True)
class WebhookDelivery:
    """One activity on its way to one endpoint; its id stays the same however often it is sent.

    `attempts` are those since it was last asked for: when it was written, sent again, or its endpoint switched on.
    """

    id: UUID
    endpoint_id: UUID
    activity_id: UUID | None  # none: a test
    type: str
    status: DeliveryStatus
    attempts: int
    last_status: int | None
    last_error: str | None
    created_at: datetime
    requested_at: datetime
    last_attempt_at: datetime | None
    next_attempt_at: datetime | None
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """How a receiver answered: with a status, or with an error in words, or both."""

    status: int | None
    error: str | None = None
    retry_after: timedelta | None = None

    @property
    def accepted(self) -> bool:
        """Whether the receiver has it."""
        return self.error is None

    @property
    def gone(self) -> bool:
        """Whether the receiver wants nothing any more."""
        return self.status == _GONE


def retry_wait(attempts: int, retry_after: timedelta | None, jitter: float) -> timedelta:
    """How long after its n-th attempt a delivery is tried again: never sooner than the receiver asks for."""
    scheduled: timedelta = SCHEDULE[min(attempts, len(SCHEDULE)) - 1] * jitter
    return max(scheduled, min(retry_after or timedelta(0), _LONGEST_RETRY_AFTER))


def pause(failures: int, attempts: Iterable[Attempt]) -> timedelta:
    """How long an endpoint that took nothing, this often in a row, is left alone with whatever else waits for it."""
    asked = max((one.retry_after for one in attempts if one.retry_after), default=timedelta(0))
    doubled: timedelta = min(_FIRST_PAUSE * 2 ** min(failures - 1, 20), _LONGEST_PAUSE)
    return max(doubled, min(asked, _LONGEST_RETRY_AFTER))


def test_event(delivery: WebhookDelivery) -> Activity:
    """What a test tells, in the shape of everything else."""
    return Activity(
        id=delivery.id,
        type=TEST_TYPE,
        occurred_at=delivery.created_at,
        customer_id=None,
        account_number=None,
        actor=Actor(ActorType.SYSTEM, "webhooks", "Portal Access"),
        impersonation=None,
        subject=Subject(SubjectType.WEBHOOK_ENDPOINT, delivery.endpoint_id),
        ip_address=None,
        user_agent=None,
        correlation_id=str(delivery.id),
        payload={},
    )


def message(activity: Activity, *, personal: bool) -> dict[str, Any]:
    """What a receiver gets.

    Without personal data: ids, type, time, and what kind of actor it was. The customer number counts as personal, for
    it is what a customer proves themselves with at registration, beside being printed on invoices; the customer's id
    says who is meant to whoever knows the billing system. A payload can hold names and addresses, so it comes whole
    or not at all.
    """
    data: dict[str, Any] = {
        "id": str(activity.id),
        "type": activity.type,
        "occurredDateTime": _moment(activity.occurred_at),
        "customerId": str(activity.customer_id) if activity.customer_id else None,
        "subject": {"type": activity.subject.type.value, "id": str(activity.subject.id)},
        "actor": {"type": activity.actor.type.value},
    }
    if personal:
        during = activity.impersonation
        data["accountNumber"] = activity.account_number
        data["actor"] |= {"id": activity.actor.id, "name": activity.actor.name}
        data["impersonation"] = during and {
            "sessionId": str(during.session_id),
            "employeeId": during.employee_id,
            "employeeName": during.employee_name,
        }
        data |= {
            "ipAddress": activity.ip_address,
            "userAgent": activity.user_agent,
            "correlationId": activity.correlation_id,
            "payload": activity.payload,
        }
    return {"type": activity.type, "timestamp": _moment(activity.occurred_at), "data": data}


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
