"""The one source of wall-clock time outside SQL.

Expiry of our own rows is judged by the database's `now()`; this clock serves what lives outside it (bearer
tokens, log lines), and is passed in so that nothing has to be patched in a test.
"""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The current time, aware, in UTC."""
    return datetime.now(UTC)
