"""How the platform's existing calls answer: everything in one envelope."""

from typing import Generic, TypeVar

from pydantic import Field

from app.schemas.base import Answered

T = TypeVar("T")


class MessageValue(Answered):
    """A word that the message has in it."""

    data_type: str
    value: str
    capitalize: bool


class PlatformMessage(Answered):
    """Why a call was refused."""

    key: str = Field(description="Stable, in the platform's own words.")
    correlation_id: str
    message: str
    message_values: list[MessageValue]


class Envelope(Answered, Generic[T]):
    """What every call answers, done or refused."""

    data: T
    errors: list[PlatformMessage] = Field([])
    success: bool = True
    applicable_entities_count: int = 1
    requested_entities_count: int = 1
    succeeded_entities_count: int = 1
    is_synchronous: bool = True


class Refused(Envelope[None]):
    """A call that was refused."""

    data: None = None
    success: bool = False
    applicable_entities_count: int = 0
    succeeded_entities_count: int = 0


class DoneAnswer(Envelope[None]):
    """It is done, and there is nothing to tell."""

    data: None = None

    @classmethod
    def of(cls, _done: object) -> "DoneAnswer":
        """Whatever was done."""
        return cls()
