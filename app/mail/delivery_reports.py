"""Reading the mail provider's delivery events: SendGrid's Event Webhook.

Read leniently: what is unknown or malformed is passed over, for the provider repeats a batch that is refused, and one
odd event must not hold up the others.
"""

import json
import re
from typing import Any
from uuid import UUID

from app.domain.communications import DeliveryReport
from app.errors import FieldError, ValidationFailed
from app.mail.senders import presentable

_ID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_UUID = re.compile(_ID)
_MESSAGE_ID = re.compile(rf"\s*<?({_ID})\.({_ID})@[^<>@\s]+>?\s*")
_LONGEST_REASON = 2000  # characters that are looked at; far fewer are kept


def read_reports(body: bytes) -> list[DeliveryReport]:
    """Those events that tell of the delivery or the failure of a mail of ours, in their order.

    Raises: ValidationFailed, when the body is no list at all.
    """
    try:
        events = json.loads(body)
    except (ValueError, RecursionError):
        events = None
    if not isinstance(events, list):
        raise ValidationFailed(errors=[FieldError("body", "VALIDATION_FAILED", "This must be a list of events")])
    return [report for event in events if isinstance(event, dict) and (report := _report(event)) is not None]


def _report(event: dict[str, Any]) -> DeliveryReport | None:
    ids = _ids(event)
    if ids is None:
        return None
    match event.get("event"):
        case "delivered":
            return DeliveryReport(*ids)
        case "bounce":
            return DeliveryReport(*ids, error=_in_words("The mail came back", event))
        case "dropped":
            return DeliveryReport(*ids, error=_in_words("The mail provider did not send the mail", event))
    return None


def _ids(event: dict[str, Any]) -> tuple[UUID, UUID] | None:
    """Organisation and communication: our custom arguments, or our Message-ID."""
    organisation, communication = event.get("organisationId"), event.get("communicationId")
    if _is_id(organisation) and _is_id(communication):
        return UUID(organisation), UUID(communication)
    named = event.get("smtp-id")
    found = _MESSAGE_ID.fullmatch(named) if isinstance(named, str) else None
    return (UUID(found[2]), UUID(found[1])) if found else None


def _is_id(value: object) -> bool:
    return isinstance(value, str) and _UUID.fullmatch(value) is not None


def _in_words(what: str, event: dict[str, Any]) -> str:
    reason = event.get("reason")
    if not isinstance(reason, str) or not reason.strip():
        return f"{what}."
    return presentable(f"{what}: {reason[:_LONGEST_REASON]}")
