"""Customers' sessions as the back office sees them."""

from pydantic import Field

from app.schemas.base import Answered


class EndedSessionsBody(Answered):
    """What logging a customer out came to."""

    ended_sessions: int = Field(description="How many of the customer's own sessions were open until now.")

    @classmethod
    def of(cls, ended: int) -> "EndedSessionsBody":
        """From the count."""
        return cls(ended_sessions=ended)
