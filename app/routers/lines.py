"""Bodies of many lines (NDJSON), read line by line in constant memory."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request

from app.errors import LinesExpected, PayloadTooLarge
from app.routers.reading import LARGEST_BODY

NDJSON = "application/x-ndjson"
LONGEST_LINE = LARGEST_BODY
MOST_LINES = 100_000


class Lines:
    """The lines of a body, as they come in."""

    def __init__(self, parts: AsyncIterator[bytes]) -> None:
        self._parts = parts

    async def numbered(self) -> AsyncIterator[tuple[int, bytes]]:
        """Each line with its number, from 1. Of one that is too long there is a byte more than there may be.

        Raises: PayloadTooLarge, at the line after the last one that there may be.
        """
        number = 0
        async for line in self._each():
            number += 1
            if number > MOST_LINES:
                raise PayloadTooLarge(f"A body may have {MOST_LINES} lines at most.")
            yield number, line

    async def _each(self) -> AsyncIterator[bytes]:
        line = b""
        async for part in self._parts:
            first, *others = part.split(b"\n")
            line += first
            for other in others:
                yield line[: LONGEST_LINE + 1]
                line = other
            line = line[: LONGEST_LINE + 1]
        if line:
            yield line


async def lines_of(request: Request) -> Lines:
    """Raises: LinesExpected."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != NDJSON:
        raise LinesExpected
    return Lines(request.stream())


GivenLines = Annotated[Lines, Depends(lines_of)]
