"""What every refusal has."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field of the input: where, which rule, and what to tell a person."""

    field: str
    key: str
    message: str


class PortalError(Exception):
    """A refusal with a stable key. Raise a subclass."""

    key: str
    title: str
    solution: str = "Check the request and try again."

    def __init__(self, detail: str | None = None, *, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(self.key)
        self.detail = detail or self.title
        self.errors = tuple(errors)
