"""The platform's webhooks."""

import hashlib
import json
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from app import errors
from app.domain.platform_events import PlatformEvent
from app.errors import FieldError, ValidationFailed
from app.platform.reading import event_customer
from app.routers.dependencies import PlatformWebhook, Service
from app.routers.dependencies.calls import seen_of_call
from app.routers.openapi import refusals
from app.routers.reading import StrictRoute, strict_json
from app.schemas.platform_events import EVENT_SCHEMA, PlatformEventBody

router = APIRouter(prefix="/api/portal/v1/platform-webhooks", tags=["Platform: events"], route_class=StrictRoute)

_LONGEST_KIND = 100
_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": EVENT_SCHEMA,
            "example": {
                "_type": "contractsigned",
                "customerId": "0199d8a0-0000-7000-8000-000000000010",
                "contractId": "0199d8a0-0000-7000-8000-0000000000c1",
                "contractNumber": "C-1001",
            },
        }
    },
}


@router.post(
    "/{organisationId}",
    operation_id="receivePlatformEvent",
    summary="Take one of the platform's events",
    status_code=202,
    response_description="Kept; its effect follows.",
    responses=refusals(errors.ResourceNotFound)
    | {200: {"model": PlatformEventBody, "description": "The same body came less than five minutes ago."}},
    openapi_extra={"requestBody": _BODY},
)
async def receive_platform_event(
    organisation_id: Annotated[UUID, Path(alias="organisationId", description="Whose customers it is about.")],
    body: PlatformWebhook,
    services: Service,
    request: Request,
    response: Response,
) -> PlatformEventBody:
    """Has its effect within moments. With `PORTAL_PLATFORM_URL` the customer is fetched from the platform; what the
    event tells by itself counts where the platform says nothing of it, and without that setting alone.

    Unknown fields and kinds are kept and change nothing. Without `PORTAL_PLATFORM_WEBHOOK_SECRET` there is no such
    operation (404).
    """
    event_id, is_new = await services.platform_events.receive(organisation_id, _event(body), seen=seen_of_call(request))
    response.status_code = 202 if is_new else 200
    return PlatformEventBody(event_id=event_id)


def _event(body: bytes) -> PlatformEvent:
    """Raises: ValidationFailed."""
    try:
        told = strict_json(body)
    except json.JSONDecodeError as fault:
        raise ValidationFailed(errors=[FieldError("body", ValidationFailed.key, fault.msg)]) from None
    if not isinstance(told, dict):
        raise ValidationFailed(errors=[FieldError("body", ValidationFailed.key, "This must be an object")])
    kind = told.get("_type")
    if not isinstance(kind, str) or not 1 <= len(kind) <= _LONGEST_KIND:
        message = f"This must be a text of 1 to {_LONGEST_KIND} characters"
        raise ValidationFailed(errors=[FieldError("_type", ValidationFailed.key, message)])
    return PlatformEvent(kind, event_customer(kind, told), told, hashlib.sha256(body).digest())
