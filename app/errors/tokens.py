"""One-time tokens."""

from datetime import datetime
from typing import ClassVar

from app.errors.base import PortalError


class TokenInvalid(PortalError):
    key = "TOKEN_INVALID"
    title = "The link is not valid"
    solution = "Open the link from the mail again, whole; if that fails, have a new one sent."


class TokenDead(PortalError):
    """A genuine token that no longer works; `ended` is when that came about, where known."""

    ended_word: ClassVar[str]

    def __init__(self, ended: datetime | None = None) -> None:
        when = f" on {ended:%Y-%m-%d} at {ended:%H:%M} UTC" if ended else ""
        super().__init__(f"{self.ended_word}{when}.")


class TokenExpired(TokenDead):
    key = "TOKEN_EXPIRED"
    title = "The link has expired"
    ended_word = "The link expired"
    solution = "Have a new link sent; the old one stays expired."


class TokenUsed(TokenDead):
    key = "TOKEN_USED"
    title = "The link has been used already"
    ended_word = "The link was used"
    solution = "A link works once. Log in, or have a new link sent."


class TokenSuperseded(TokenDead):
    key = "TOKEN_SUPERSEDED"
    title = "A newer link was sent"
    ended_word = "A newer link was sent"
    solution = "Open the link of the newest mail; each new link ends the one before."


class TokenRevoked(TokenDead):
    key = "TOKEN_REVOKED"
    title = "The link was withdrawn"
    ended_word = "The link was withdrawn"
    solution = "Ask the utility for a new link."


class HandOffDead(TokenDead):
    """The link that logs an employee in as a customer no longer works; the key is that of its end."""

    solution = "Start a new impersonation session from the customer's card."

    def __init__(self, end: TokenDead) -> None:
        self.key, self.title = end.key, end.title
        PortalError.__init__(self, end.detail)


class InvitationNotPending(PortalError):
    """An invitation that has come to its end cannot be withdrawn; the key is that of its end."""

    solution = "Nothing to withdraw: the link no longer works."

    def __init__(self, end: PortalError) -> None:
        self.key, self.title = end.key, end.title
        super().__init__(end.detail)
