"""Keyset pages: newest first, the cursor names the last row that was seen."""

import base64
import binascii
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar
from uuid import UUID

from app.errors import FieldError, ValidationFailed

T = TypeVar("T")

DEFAULT_PAGE_SIZE = 50
MAXIMUM_PAGE_SIZE = 200


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """The row after which the next page starts."""

    at: datetime
    id: UUID

    def encode(self) -> str:
        """The opaque text that callers send back."""
        return base64.urlsafe_b64encode(f"{self.at.isoformat()}|{self.id}".encode()).decode().rstrip("=")

    @classmethod
    def before(cls, moment: datetime) -> "Cursor":
        """So that the next row is the newest one before the moment."""
        return cls(moment, UUID(int=0))

    @classmethod
    def decode(cls, text: str) -> "Cursor":
        """Raises: ValidationFailed, when the text was not made by `encode`."""
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            at, _, row_id = raw.decode("ascii").partition("|")
            moment = datetime.fromisoformat(at)
            if moment.tzinfo is None:
                raise ValueError("a cursor's time has a zone")
            return cls(moment.astimezone(UTC), UUID(row_id))
        except (ValueError, OverflowError, binascii.Error):
            message = "Send back nextPageToken as it came, or leave it out to start at the newest."
            raise ValidationFailed(errors=[FieldError("continuationToken", "VALIDATION_FAILED", message)]) from None


# Where a list without bounds begins and ends. A statement that always has its bounds can use them in the index; one
# that asks first whether there are any reads, in a plan made for all arguments, every row before the page.
NEWEST = Cursor.before(datetime.max.replace(tzinfo=UTC))
OLDEST = Cursor.before(datetime.min.replace(tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page: at most `size` rows after the cursor."""

    size: int = DEFAULT_PAGE_SIZE
    after: Cursor | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Rows, newest first, and the cursor of the next page if there is one."""

    results: Sequence[T]
    next: Cursor | None

    @classmethod
    def of(cls, rows: Sequence[T], size: int, cursor: Callable[[T], Cursor]) -> "Page[T]":
        """A page from at most `size + 1` rows: the one too many tells that there is more."""
        return cls(rows[:size], cursor(rows[size - 1]) if len(rows) > size else None)


async def chunks(read: Callable[[PageRequest], Awaitable[Page[T]]]) -> AsyncIterator[Sequence[T]]:
    """A whole list, newest first, in chunks as large as the largest page; the next one is read when the one before has
    been used up. There is at least one, which may be empty.

    Rows that are written meanwhile are newer than the cursor and do not disturb.
    """
    request = PageRequest(MAXIMUM_PAGE_SIZE)
    while True:
        page = await read(request)
        yield page.results
        if page.next is None:
            return
        request = PageRequest(MAXIMUM_PAGE_SIZE, page.next)
