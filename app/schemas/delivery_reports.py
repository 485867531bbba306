"""The answer to the mail provider."""

from pydantic import Field

from app.schemas.base import Answered


class ReportsBody(Answered):
    """What came of a batch of delivery events."""

    accepted: int = Field(description="How many events told of the delivery or failure of one of our mails.")
