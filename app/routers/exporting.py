"""Whole lists as files: CSV or NDJSON instead of a page, written while the client reads.

One chunk of rows is in memory at a time, and the next one is read when the client has taken the one before.
"""

import csv
import io
import json
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Generic, TypeVar, get_args

from fastapi import Depends, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from app.routers.examples import EXAMPLES

D = TypeVar("D")

# What spreadsheets take for the start of a formula (ASVS 5.0, 1.2.10).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_PAGE = ("application/json", "application/*", "*/*")
_QUALITY = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")


class ExportFormat(StrEnum):
    """The kinds of file, by their media types."""

    CSV = "text/csv"
    NDJSON = "application/x-ndjson"


async def export_format(request: Request) -> ExportFormat | None:
    """The file that the Accept header prefers to a page of JSON; None for the page, which is also for whoever
    accepts neither (RFC 9110, section 12.5.1)."""
    best, best_quality = "", 0.0
    for media_range, quality in _accepted(",".join(request.headers.getlist("accept"))):
        if quality > best_quality or (quality == best_quality and best.endswith("*")):
            best, best_quality = media_range, quality
    return None if best_quality == 0 or best in _PAGE else ExportFormat(best)


Exporting = Annotated[ExportFormat | None, Depends(export_format)]


def _accepted(header: str) -> Iterator[tuple[str, float]]:
    """What of the header concerns us, each with its weight."""
    for one in header.lower().split(","):
        media_range, *parameters = (part.strip() for part in one.split(";"))
        weight = next((part[2:] for part in parameters if part.startswith("q=")), "1")
        if media_range in (*_PAGE, *ExportFormat) and _QUALITY.fullmatch(weight):
            yield media_range, float(weight)


class Export(Generic[D]):
    """How one list becomes a file: `body` says what each row looks like, as in the JSON page."""

    def __init__(self, name: str, body: type[BaseModel], of: Callable[[D], BaseModel]) -> None:
        self._name = name
        self._body = body
        self._of = of
        self._paths = tuple(_paths(body))

    async def answer(
        self, wanted: ExportFormat, chunks: AsyncIterator[Sequence[D]], now: datetime
    ) -> StreamingResponse:
        """The file. Its first chunk is read here, so that a fault until then is told as ever; a later one breaks
        the connection off, and nobody takes half a file for a whole one."""
        first = [self._of(row) for row in await anext(chunks)]
        file = f"{self._name}-{now:%Y-%m-%d}.{wanted.name.lower()}"
        return StreamingResponse(
            self._written(wanted, first, chunks),
            media_type=wanted.value,
            headers={"Content-Disposition": f'attachment; filename="{file}"'},
        )

    def responses(self) -> dict[int | str, dict[str, Any]]:
        """Both files for the OpenAPI document, each with what it makes of the page's example."""
        rows = [self._body.model_validate(row) for row in EXAMPLES[f"PageBody_{self._body.__name__}_"]["results"]]
        content = {
            wanted.value: {"schema": {"type": "string"}, "example": self.head(wanted) + self.lines(wanted, rows)}
            for wanted in ExportFormat
        }
        return {200: {"content": content}}

    def head(self, wanted: ExportFormat) -> str:
        """What stands before the first row."""
        return _csv([[".".join(path) for path in self._paths]]) if wanted is ExportFormat.CSV else ""

    def lines(self, wanted: ExportFormat, rows: Iterable[BaseModel]) -> str:
        """The rows as they stand in the file."""
        if wanted is ExportFormat.NDJSON:
            return "".join(row.model_dump_json(by_alias=True) + "\n" for row in rows)
        dumped = (row.model_dump(mode="json", by_alias=True) for row in rows)
        return _csv([_cell(_value(row, path)) for path in self._paths] for row in dumped)

    async def _written(
        self, wanted: ExportFormat, first: Sequence[BaseModel], more: AsyncIterator[Sequence[D]]
    ) -> AsyncIterator[str]:
        yield self.head(wanted) + self.lines(wanted, first)
        async for chunk in more:
            yield self.lines(wanted, [self._of(row) for row in chunk])


def _paths(body: type[BaseModel]) -> Iterator[tuple[str, ...]]:
    """The way to each field; objects are opened, but for those whose fields nobody knows before."""
    for name, field in body.model_fields.items():
        shown = field.serialization_alias or name
        kinds = (field.annotation, *get_args(field.annotation))
        inner = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
        if inner is None:
            yield (shown,)
        else:
            yield from ((shown, *path) for path in _paths(inner))


def _value(row: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        row = row[name] if row is not None else None
    return row


def _cell(value: Any) -> str:
    """Text that no spreadsheet calculates; what is no text stays JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _csv(rows: Iterable[Sequence[str]]) -> str:
    """RFC 4180: commas, CRLF, quotes where they are needed."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()
