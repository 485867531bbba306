"""What only the customer may do."""

from app.errors.base import PortalError


class ImpersonationReadOnly(PortalError):
    key = "IMPERSONATION_READ_ONLY"
    title = "This impersonation session may only look"
    solution = "Start a session with full access, or ask the customer to do it."


class NotAllowedWhileImpersonating(PortalError):
    key = "NOT_ALLOWED_WHILE_IMPERSONATING"
    title = "Only the customer may do this"
    solution = "Ask the customer to do it; from the customer's card you can send a link for a new password."
