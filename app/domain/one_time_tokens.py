"""One-time tokens: invitation, confirmation, password reset, hand-off.

The row is the whole truth about a link; the link itself is only its signed id (`app/tokens.py`).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from app.domain.activities import ActivityType, SubjectType
from app.domain.callers import Actor
from app.domain.communications import Communication
from app.errors import InvitationNotPending, PortalError, TokenExpired, TokenRevoked, TokenSuperseded, TokenUsed
from app.tokens import Purpose


class TokenState(StrEnum):
    """A token's first end, or that it has none yet."""

    PENDING = "pending"
    USED = "used"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class OneTimeToken:
    """A one-time token and the mail that carries it. `state` already knows that time has passed."""

    id: UUID
    purpose: Purpose
    customer_id: UUID
    account_id: UUID | None
    email: str
    language: str
    state: TokenState
    created_at: datetime
    created_by: Actor
    expires_at: datetime
    viewed_at: datetime | None
    ended_at: datetime | None
    communication: Communication | None = None

    def refusal(self) -> PortalError | None:
        """Why this token cannot be spent, or None while it can.

        A superseded one tells when the newer link was sent: that is the moment it ended.
        """
        match self.state:
            case TokenState.PENDING:
                return None
            case TokenState.EXPIRED:
                return TokenExpired(self.expires_at)
            case TokenState.USED:
                return TokenUsed(self.ended_at)
            case TokenState.SUPERSEDED:
                return TokenSuperseded(self.ended_at)
            case TokenState.REVOKED:
                return TokenRevoked(self.ended_at)

    def revocation_refusal(self) -> PortalError | None:
        """Why this token is not revoked although it was asked for; None when it is."""
        refusal = self.refusal()
        if refusal is None or self.state is TokenState.REVOKED:
            return None
        return InvitationNotPending(refusal)


@dataclass(frozen=True, slots=True)
class PurposeWords:
    """How a purpose appears in the log."""

    subject: SubjectType
    sent: ActivityType
    superseded: ActivityType


PURPOSES = MappingProxyType(
    {
        Purpose.INVITATION: PurposeWords(
            SubjectType.INVITATION, ActivityType.INVITATION_SENT, ActivityType.INVITATION_SUPERSEDED
        ),
        Purpose.EMAIL_CONFIRMATION: PurposeWords(
            SubjectType.EMAIL_CONFIRMATION,
            ActivityType.EMAIL_CONFIRMATION_SENT,
            ActivityType.EMAIL_CONFIRMATION_SUPERSEDED,
        ),
        Purpose.PASSWORD_RESET: PurposeWords(
            SubjectType.PASSWORD_RESET, ActivityType.PASSWORD_RESET_SENT, ActivityType.PASSWORD_RESET_SUPERSEDED
        ),
    }
)
