"""Reading the platform's answers: bounded, and with what it asks for when it is busy."""

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

_LARGEST = 1024 * 1024
_UNSAID_SECONDS, _LONGEST_SECONDS = 30.0, 3600.0  # of a Retry-After


class PlatformFailed(Exception):
    """The platform did not tell what it was asked for; the text says why, in our words."""


class PlatformBusy(Exception):
    """The platform is not to be asked now; `seconds` is how long."""

    def __init__(self, seconds: float) -> None:
        super().__init__("busy")
        self.seconds = seconds


def check_rate(answer: httpx.Response) -> None:
    """Raises: PlatformBusy, for an answer that asks to come again later."""
    later = answer.headers.get("retry-after")
    if answer.status_code == 429 or (answer.status_code == 503 and later is not None):
        raise PlatformBusy(_seconds(later))


async def json_object(answer: httpx.Response) -> dict[str, Any]:
    """The object in an answer's body.

    Raises: PlatformFailed.
    """
    content = bytearray()
    async for part in answer.aiter_bytes():
        content += part
        if len(content) > _LARGEST:
            raise PlatformFailed("its answer is too large")
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise PlatformFailed("its answer is no JSON object")
    return found


def _seconds(retry_after: str | None) -> float:
    """How long a Retry-After (RFC 9110 section 10.2.3) asks for, within reason."""
    try:
        if retry_after is None:
            seconds = _UNSAID_SECONDS
        elif retry_after.strip().isdecimal():
            seconds = float(retry_after)
        else:
            seconds = (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):
        seconds = _UNSAID_SECONDS
    return min(max(seconds, 1.0), _LONGEST_SECONDS)
