"""Ids of all that the service makes: UUIDv7 (RFC 9562 section 5.7), so that keys grow at one end of an index."""

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A new id, later than those made before it in this process."""
    return uuid7()
