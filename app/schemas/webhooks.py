"""Webhook endpoints and their deliveries, as they come in and as they go out."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StrictBool, StringConstraints

from app.domain.activities import ActivityType
from app.domain.webhooks import DeliveryStatus, EndpointStatus, EndpointWish, WebhookDelivery, WebhookEndpoint
from app.schemas.base import Answered, Given


class WebhookEndpointGiven(Given):
    """Where activities go, and which."""

    model_config = Given.model_config | {
        "json_schema_extra": {
            "examples": [
                {
                    "url": "https://partner.example.com/portal-events",
                    "types": ["PortalAccountRegistered", "PortalEmailConfirmed"],
                }
            ]
        }
    }

    url: Annotated[str, StringConstraints(min_length=1, max_length=2000)] = Field(
        json_schema_extra={"format": "uri"},
        description="An https URL of a public address, without user name and fragment.",
    )
    types: list[ActivityType] = Field([], max_length=100, description="Types of activities. None: all of them.")
    include_personal_data: StrictBool = Field(
        False,
        description="Also tell customer number, names, addresses, `correlationId` and `payload`. "
        "Without it: ids, type, time, and what kind of actor it was.",
    )

    def wish(self) -> EndpointWish:
        """For the service."""
        return EndpointWish(self.url, tuple(self.types), self.include_personal_data)


class WebhookEndpointBody(Answered):
    """Where activities go."""

    id: UUID
    url: str
    types: list[ActivityType] = Field(description="Empty: all of them.")
    include_personal_data: bool
    status: EndpointStatus
    disabled_reason: str | None = Field(description="Why nothing is sent there, in words.")
    disabled_date_time: datetime | None
    created_date_time: datetime
    secret_created_date_time: datetime

    @classmethod
    def of(cls, endpoint: WebhookEndpoint) -> "WebhookEndpointBody":
        """From the domain's endpoint."""
        return cls(
            id=endpoint.id,
            url=endpoint.url,
            types=[ActivityType(kind) for kind in endpoint.types],
            include_personal_data=endpoint.include_personal_data,
            status=endpoint.status,
            disabled_reason=endpoint.disabled_reason,
            disabled_date_time=endpoint.disabled_at,
            created_date_time=endpoint.created_at,
            secret_created_date_time=endpoint.secret_created_at,
        )


class EndpointWithSecretBody(WebhookEndpointBody):
    """An endpoint with its secret, which this answer alone has."""

    secret: str | None = Field(
        description="What signatures are verified with, as `whsec_…`. Null when an answer is repeated after the "
        "secret was replaced."
    )

    @classmethod
    def of(cls, endpoint: WebhookEndpoint, secret: str | None = None) -> "EndpointWithSecretBody":
        """From the domain's endpoint; what is kept for a repetition comes without the secret."""
        return cls(**dict(WebhookEndpointBody.of(endpoint)), secret=secret)


class WebhookDeliveryBody(Answered):
    """One activity on its way to an endpoint."""

    id: UUID = Field(description="The header `webhook-id`, however often it is sent.")
    endpoint_id: UUID
    activity_id: UUID | None = Field(description="Null for a test.")
    type: str = Field(description="The activity's type; `PortalWebhookTest` for a test.")
    status: DeliveryStatus
    attempts: int = Field(description="Since it was last asked for.")
    last_status: int | None = Field(description="What the receiver answered last.")
    last_error: str | None = Field(description="Why the last attempt failed, in words.")
    created_date_time: datetime
    last_attempt_date_time: datetime | None
    next_attempt_date_time: datetime | None = Field(description="Null when none is planned, or the endpoint is off.")
    delivered_date_time: datetime | None

    @classmethod
    def of(cls, delivery: WebhookDelivery) -> "WebhookDeliveryBody":
        """From the domain's delivery."""
        return cls(
            id=delivery.id,
            endpoint_id=delivery.endpoint_id,
            activity_id=delivery.activity_id,
            type=delivery.type,
            status=delivery.status,
            attempts=delivery.attempts,
            last_status=delivery.last_status,
            last_error=delivery.last_error,
            created_date_time=delivery.created_at,
            last_attempt_date_time=delivery.last_attempt_at,
            next_attempt_date_time=delivery.next_attempt_at,
            delivered_date_time=delivery.delivered_at,
        )
