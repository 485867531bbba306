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
from app.domain.communications import Communication, MailKind
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
class MailedPurpose:
    """A purpose whose links go out by mail: which mail, and how it appears in the log."""

    mail: MailKind
    subject: SubjectType
    sent: ActivityType
    superseded: ActivityType


PURPOSES = MappingProxyType(
    {
        Purpose.INVITATION: MailedPurpose(
            MailKind.INVITATION,
            SubjectType.INVITATION,
            ActivityType.INVITATION_SENT,
            ActivityType.INVITATION_SUPERSEDED,
        ),
        Purpose.EMAIL_CONFIRMATION: MailedPurpose(
            MailKind.EMAIL_CONFIRMATION,
            SubjectType.EMAIL_CONFIRMATION,
            ActivityType.EMAIL_CONFIRMATION_SENT,
            ActivityType.EMAIL_CONFIRMATION_SUPERSEDED,
        ),
        Purpose.PASSWORD_RESET: MailedPurpose(
            MailKind.PASSWORD_RESET,
            SubjectType.PASSWORD_RESET,
            ActivityType.PASSWORD_RESET_SENT,
            ActivityType.PASSWORD_RESET_SUPERSEDED,
        ),
    }
)

_PAGES = MappingProxyType(
    {
        Purpose.INVITATION: "register",
        Purpose.EMAIL_CONFIRMATION: "confirm-email",
        Purpose.PASSWORD_RESET: "reset-password",
        Purpose.IMPERSONATION: "impersonate",
    }
)


def link_url(portal_url: str, purpose: Purpose, token: str) -> str:
    """The page of the organisation's portal that spends the token, which stands in the fragment."""
    return f"{portal_url}/{_PAGES[purpose]}#token={token}"
