"""What all bodies share, and the kinds of text that may come in."""

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from app.domain.addresses import address
from app.domain.paging import Page

D = TypeVar("D")
T = TypeVar("T")


class Given(BaseModel):
    """A request's body: unknown fields are refused."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)


class Answered(BaseModel):
    """A response's body."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        json_schema_serialization_defaults_required=True,  # an answer has all its fields
    )


class PageBody(Answered, Generic[T]):
    """One page of a list, newest first."""

    results: list[T]
    has_next_page: bool = Field(description="Whether there are older ones.")
    next_page_token: str | None = Field(description="Send it back as `continuationToken` for the next page.")

    @classmethod
    def of(cls, page: Page[D], body: Callable[[D], T]) -> "PageBody[T]":
        """From the domain's page, each row turned into its body."""
        return cls(
            results=[body(row) for row in page.results],
            has_next_page=page.next is not None,
            next_page_token=page.next.encode() if page.next else None,
        )


def _email(value: str) -> str:
    try:
        return address(value)
    except ValueError:
        raise PydanticCustomError("FIELD_NOT_AN_EMAILADRESS", "This is not an e-mail address") from None


def known_form(value: str) -> str:
    """An address as accounts keep it; what is no address stays as it is and matches none."""
    try:
        return _email(value)
    except PydanticCustomError:
        return value


def printable(value: str) -> str:
    """Text of people and systems, without characters that steer terminals, mails or files."""
    if value.isprintable():  # what Python calls so is less, and told at once
        return value
    if any(unicodedata.category(character) in ("Cc", "Cs", "Co", "Cn", "Zl", "Zp") for character in value):
        raise PydanticCustomError("VALIDATION_FAILED", "Control characters are not allowed here")
    return value


def _culture(value: str) -> str:
    if not re.fullmatch(r"[a-z]{2}-[A-Z]{2}", value):
        raise PydanticCustomError("VALIDATION_FAILED", "This is not a culture name such as nl-BE")
    return value


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("VALIDATION_FAILED", "The time is out of range") from None


def _is_text(value: object) -> object:
    """Pydantic would take a number for seconds since 1970."""
    if not isinstance(value, str) or "-" not in value[1:]:
        raise PydanticCustomError("VALIDATION_FAILED", "A time is written as RFC 3339: 2026-11-22T18:56:20Z")
    if " " in value:
        raise PydanticCustomError("VALIDATION_FAILED", "A time has no spaces; in an address a + is written %2B")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_is_text), AfterValidator(_in_utc)]
Email = Annotated[
    str, StringConstraints(max_length=254), AfterValidator(_email), Field(json_schema_extra={"format": "email"})
]
Line = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True), AfterValidator(printable)]
Reason = Annotated[
    str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True), AfterValidator(printable)
]
Culture = Annotated[
    str,
    AfterValidator(_culture),
    Field(json_schema_extra={"pattern": "^[a-z]{2}-[A-Z]{2}$"}, description="A culture name such as `nl-BE`."),
]
Token = Annotated[
    str,
    Field(description="The token out of the link in the mail: all that follows `#token=`."),
]
Password = Annotated[
    str,
    StringConstraints(min_length=1, max_length=4096),
    Field(description="12 to 256 characters; common ones and words of the context are refused."),
]
