"""A page of the portal that failed."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from app.domain.error_reports import message_without_secrets, page_without_secrets
from app.schemas.base import Given, Line, printable


def _cut(value: object) -> object:
    """Before the length is judged: what is cut off may be long."""
    return page_without_secrets(value) if isinstance(value, str) else value


class ErrorReportGiven(Given):
    """Which page failed, and how."""

    model_config = Given.model_config | {
        "json_schema_extra": {"examples": [{"page": "/invoices", "message": "TypeError: total is undefined"}]}
    }

    page: Annotated[Line, BeforeValidator(_cut)] = Field(
        description="The page's address; what follows `?` or `#` is cut off, for it may hold a secret."
    )
    message: (
        Annotated[
            str,
            StringConstraints(max_length=1000, strip_whitespace=True),
            AfterValidator(printable),
            AfterValidator(message_without_secrets),
        ]
        | None
    ) = Field(None, description="What the browser said, on one line; what looks like a token is left out.")
