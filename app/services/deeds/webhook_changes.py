"""Changes of webhook endpoints, as the log tells of them."""

from typing import Any
from urllib.parse import urlsplit

from app.domain.activities import ActivityType, NewActivity, Subject, SubjectType
from app.domain.callers import Actor, Seen
from app.domain.webhooks import WebhookEndpoint
from app.repositories.unit_of_work import UnitOfWork


def record_webhook_change(
    uow: UnitOfWork, change: str, endpoint: WebhookEndpoint, *, by: Actor, seen: Seen, **more: Any
) -> None:
    """The log's entry. Of the URL it names the host alone: many receivers let in whoever knows the rest."""
    payload = {"change": change, "host": urlsplit(endpoint.url).hostname} | more
    subject = Subject(SubjectType.WEBHOOK_ENDPOINT, endpoint.id)
    uow.activities.record(NewActivity(ActivityType.SETTINGS_CHANGED, by, seen, subject, payload=payload))
