"""Many customers' records at once."""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi.responses import StreamingResponse
from pydantic import ValidationError

from app import errors
from app.domain.callers import Call
from app.domain.customers import Customer
from app.errors import FieldError, PayloadTooLarge, PortalError, TemporarilyUnavailable, ValidationFailed
from app.permissions import Permission
from app.routers.dependencies import BackOffice, Service
from app.routers.errors import input_refusal
from app.routers.lines import LONGEST_LINE, NDJSON, GivenLines, Lines
from app.routers.openapi import refusals
from app.routers.reading import StrictRoute, strict_json
from app.schemas.customer_lines import EXAMPLES, MOST_ERRORS, CustomerLine, CustomerLineResult

router = APIRouter(prefix="/api/portal/v1/customers", tags=["Partners: customers"], route_class=StrictRoute)

# Of one transaction: it must not keep others waiting, nor be large in memory.
_MOST_CUSTOMERS = 500
_MOST_BYTES = 1024 * 1024
_KEPT_IN_MEMORY = 1024 * 1024

_EXAMPLE = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in EXAMPLES)
_RESULTS = """\
{"line":1,"customerId":"0199d8a0-0000-7000-8000-000000000010","status":"created","key":null,"errors":[]}
{"line":2,"customerId":"0199d8a0-0000-7000-8000-000000000011","status":"failed","key":"VALIDATION_FAILED","errors":\
[{"field":"accountNumber","key":"VALIDATION_FAILED","message":"Another customer has this account number"}]}
"""


class LinesAnswer(StreamingResponse):
    """Lines of JSON."""

    media_type = NDJSON


@dataclass(frozen=True, slots=True)
class Read:
    """A line as it was read: the customer that it tells of, or why it tells of none."""

    number: int
    customer_id: UUID | None
    customer: Customer | PortalError


async def results() -> AsyncIterator["SpooledTemporaryFile[bytes]"]:
    """Where results wait until the body has been read: a client that writes does not read yet."""
    with SpooledTemporaryFile(_KEPT_IN_MEMORY) as spool:
        yield spool


def _schema() -> dict[str, Any]:
    schema = CustomerLine.model_json_schema(ref_template="#/components/schemas/{model}")
    del schema["$defs"]  # the single record brings them
    return schema


@router.put(
    "",
    operation_id="putCustomers",
    summary="Create or replace many customers' records",
    response_model=CustomerLineResult,
    response_class=LinesAnswer,
    response_description="A result for each line, in their order.",
    responses=refusals(errors.ResourceNotFound) | {200: {"content": {NDJSON: {"example": _RESULTS}}}},
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "A record a line, up to 64 KiB a line and 100,000 lines.",
            "content": {NDJSON: {"schema": _schema(), "example": _EXAMPLE}},
        }
    },
)
async def put_customers(
    call: Annotated[Call, Depends(BackOffice(Permission.CUSTOMER_WRITE))],
    lines: GivenLines,
    services: Service,
    spool: Annotated["SpooledTemporaryFile[bytes]", Depends(results)],
) -> StreamingResponse:
    """NDJSON in, NDJSON out. Each line has the rules of a single record and counts by itself: one that fails is named
    with its fields, the others are done. Where several lines tell of one customer, the last one counts.

    The answer comes when the whole body has been read. Until then lines are written some hundred at a time, and what
    is written stays, should the body break off, have too many lines (413) or the database fail (503): the `detail`
    tells how far it came, and the same body may be sent again.
    """
    done = 0
    try:
        async for chunk in _chunks(lines):
            customers = [one.customer for one in chunk if isinstance(one.customer, Customer)]
            outcomes = iter(await services.customers.put_all(customers, call=call) if customers else ())
            for one in chunk:
                outcome = next(outcomes) if isinstance(one.customer, Customer) else one.customer
                result = CustomerLineResult.of(one.number, one.customer_id, outcome)
                spool.write(result.model_dump_json(by_alias=True).encode() + b"\n")
            done = chunk[-1].number
    except (PayloadTooLarge, TemporarilyUnavailable) as refusal:
        so_far = f"Lines 1 to {done} are done, as far as they are valid." if done else "Nothing was done."
        raise type(refusal)(f"{refusal.detail.removesuffix('.')}. {so_far}") from refusal
    spool.seek(0)
    return LinesAnswer(_parts(spool))


async def _chunks(lines: Lines) -> AsyncIterator[list[Read]]:
    """What is written together: it names no customer twice, so that of several lines the last one counts."""
    chunk: list[Read] = []
    known: set[UUID | None] = set()
    size = 0
    async for number, line in lines.numbered():
        if not line.strip():
            continue
        one = _read(number, line)
        if chunk and (len(chunk) == _MOST_CUSTOMERS or size > _MOST_BYTES or one.customer_id in known):
            yield chunk
            chunk, known, size = [], set(), 0
        chunk.append(one)
        size += len(line)
        if isinstance(one.customer, Customer):
            known.add(one.customer_id)
    if chunk:
        yield chunk


def _read(number: int, line: bytes) -> Read:
    if len(line) > LONGEST_LINE:
        message = f"A line may have {LONGEST_LINE} bytes at most"
        return Read(number, None, PayloadTooLarge(errors=[FieldError("body", PayloadTooLarge.key, message)]))
    try:
        value = strict_json(line)
    except json.JSONDecodeError as fault:
        return Read(number, None, ValidationFailed(errors=[FieldError("body", ValidationFailed.key, fault.msg)]))
    try:
        given = CustomerLine.model_validate(value)
    except ValidationError as fault:
        return Read(number, _customer_id(value), input_refusal(fault.errors(include_url=False)[:MOST_ERRORS]))
    return Read(number, given.customer_id, given.named_customer())


def _customer_id(value: Any) -> UUID | None:
    """The id in a line that is wrong in other ways."""
    given = value.get("customerId") if isinstance(value, dict) else None
    try:
        return UUID(given) if isinstance(given, str) else None
    except ValueError:
        return None


def _parts(spool: "SpooledTemporaryFile[bytes]") -> Iterator[bytes]:
    while part := spool.read(64 * 1024):
        yield part
