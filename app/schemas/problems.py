"""RFC 9457 problem details: how every refusal looks."""

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from app.schemas.base import Answered


class FieldProblem(Answered):
    """One wrong field."""

    field: str = Field(description="Where, as a path in the body, or a header's or parameter's name.")
    key: str
    message: str


class Problem(Answered):
    """A refusal. `key` is stable and meant for programs, `solution` for people."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str
    key: str
    correlation_id: str
    solution: str
    errors: list[FieldProblem] | SkipJsonSchema[None] = Field(None, description="Present on 422 only.")
