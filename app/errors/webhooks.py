"""Webhook endpoints."""

from app.errors.base import PortalError
from app.errors.requests import InvalidUrl


class ReceiverUrlRefused(InvalidUrl):
    """An address that activities may not be sent to."""

    title = "Nothing can be sent to the URL"
    solution = "Give an absolute https URL of a public address, without user name and fragment."


class WebhookEndpointDisabled(PortalError):
    key = "WEBHOOK_ENDPOINT_DISABLED"
    title = "The webhook endpoint is switched off"
    solution = "Mend what its disabledReason names, then POST …/enable and try again."


class TooManyWebhookEndpoints(PortalError):
    key = "WEBHOOK_ENDPOINT_LIMIT_REACHED"
    title = "The organisation has as many webhook endpoints as it may have"
    solution = "Delete one that is no longer needed, or let one endpoint hear more types."
