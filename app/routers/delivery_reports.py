"""The mail provider's delivery events."""

from typing import Any

from fastapi import APIRouter

from app import errors
from app.routers.dependencies import MailEvents, Service
from app.routers.openapi import refusals
from app.routers.reading import StrictRoute
from app.schemas.delivery_reports import ReportsBody


class DeliveryReportsRoute(StrictRoute):
    """SendGrid sends up to 768 KiB of events at once."""

    largest_body = 1024 * 1024


router = APIRouter(
    prefix="/api/portal/v1/communications", tags=["Operations: mail provider"], route_class=DeliveryReportsRoute
)

_EVENT = {
    "event": "bounce",
    "type": "bounce",
    "status": "5.1.1",
    "reason": "550 5.1.1 The account does not exist",
    "smtp-id": "<01a2049d-ce12-7020-ac1b-8a2c3fab6b32.0199d8a0-0000-7000-8000-000000000002@example.com>",
    "timestamp": 1795373780,
}
_BODY: dict[str, Any] = {
    "required": True,
    "description": "SendGrid's events as they come; unknown fields and events are passed over.",
    "content": {
        "application/json": {
            "schema": {"type": "array", "items": {}},
            "example": [_EVENT],
        }
    },
}


@router.post(
    "/events",
    operation_id="receiveMailEvents",
    summary="Take the mail provider's delivery events",
    responses=refusals(errors.ResourceNotFound),
    openapi_extra={"requestBody": _BODY},
)
async def receive_mail_events(events: MailEvents, services: Service) -> ReportsBody:
    """SendGrid's signed Event Webhook. `delivered` is noted; `bounce` and `dropped` make the mail `failed`, with the
    reason in `lastError`; everything else is passed over, temporary refusals (`blocked`) too.

    A batch may be up to 1 MiB large, and the same batch again changes nothing. Without
    `PORTAL_MAIL_EVENTS_PUBLIC_KEY` there is no such operation (404).
    """
    return ReportsBody(accepted=await services.delivery_reports.receive(events))
