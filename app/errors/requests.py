"""What is asked for: nothing there, or input that breaks a rule."""

from app.errors.base import PortalError


class CustomerDoesNotExist(PortalError):
    key = "CUSTOMER_DOES_NOT_EXIST"
    title = "The customer does not exist"
    solution = "Check the customer's id, and that it belongs to this organisation."


class ResourceNotFound(PortalError):
    key = "RESOURCE_NOT_FOUND"
    title = "There is nothing here"
    solution = "Check the address and the id in it."


class MethodNotAllowed(PortalError):
    key = "METHOD_NOT_ALLOWED"
    title = "This address does not take this method"
    solution = "Use one of the methods in the answer's Allow header."


class PayloadTooLarge(PortalError):
    key = "PAYLOAD_TOO_LARGE"
    title = "The body is too large"
    solution = "Send a smaller body; the limit stands in the detail."


class UnsupportedMediaType(PortalError):
    key = "UNSUPPORTED_MEDIA_TYPE"
    title = "The body is of a type that this call does not read"
    solution = "Send JSON with 'Content-Type: application/json'."


class LinesExpected(UnsupportedMediaType):
    """The same, where many lines are read."""

    title = "This call reads lines of JSON"
    solution = "Send one JSON object a line with 'Content-Type: application/x-ndjson'."


class ValidationFailed(PortalError):
    key = "VALIDATION_FAILED"
    title = "The input is not valid"
    solution = "Correct the fields that 'errors' names and send it again."


class NotAnEmailAddress(PortalError):
    key = "FIELD_NOT_AN_EMAILADRESS"  # with one d, as the platform spells it
    title = "The field is not an e-mail address"
    solution = "Correct the e-mail address and try again."


class InvalidUrl(PortalError):
    key = "INVALID_URL"
    title = "The URL cannot be used"
    solution = "Give an absolute https URL without user name, query and fragment."
