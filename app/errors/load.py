"""Repetition, load, faults."""

from app.errors.base import PortalError


class IdempotencyKeyReused(PortalError):
    key = "IDEMPOTENCY_KEY_REUSED"
    title = "The idempotency key was used for another request"
    solution = "Send a new Idempotency-Key with a new request."


class IdempotencyInProgress(PortalError):
    key = "IDEMPOTENCY_IN_PROGRESS"
    title = "The first request with this idempotency key is still running"
    solution = "Wait a moment and send the same request again."


class TooManyRequests(PortalError):
    """`limit` names what was counted: at most `most` in `seconds`; there is room again after `wait` seconds."""

    key = "TOO_MANY_REQUESTS"
    title = "Too many requests"
    solution = "Wait as long as Retry-After says and try again."

    def __init__(self, limit: str, most: int, seconds: int, *, wait: int) -> None:
        self.limit, self.most, self.seconds, self.wait = limit, most, seconds, wait
        super().__init__(f"At most {most} in {seconds} seconds; try again in {wait} seconds.")


class TemporarilyUnavailable(PortalError):
    key = "TEMPORARILY_UNAVAILABLE"
    title = "The service is busy or its database does not answer"
    solution = "Try again in a few seconds."


class Contended(TemporarilyUnavailable):
    """Two changes waited for each other, and this one made way. At once again it may succeed."""

    title = "Somebody else is changing the same at this moment"


class InternalError(PortalError):
    key = "INTERNAL_ERROR"
    title = "Something went wrong on our side"
    solution = "Try again; if it stays, report the correlation id."


class DatabaseUnreachable(Exception):
    """The database cannot be migrated or asked; the text is the driver's name for it. For the command line alone."""
