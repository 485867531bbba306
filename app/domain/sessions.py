"""Portal sessions, and who is behind one."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.domain.callers import Actor
from app.domain.cards import Standing
from app.domain.impersonations import Impersonation

CUSTOMER_LOGOUT = "customerlogout"
"""Why a session ended that an employee ended with all others of the customer."""


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a session lives without a call, and at most."""

    idle: timedelta
    lifetime: timedelta


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A new session; the token is shown this once."""

    access_token: str
    expires_at: datetime
    customer_id: UUID
    clear_site_data: bool = False  # an employee wants the browser to forget what it keeps of the portal


@dataclass(frozen=True, slots=True)
class PortalSession:
    """A live session as its owner sees it in the list."""

    id: UUID
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    ip_address: str | None
    user_agent: str | None


@dataclass(frozen=True, slots=True)
class PortalVisitor:
    """Who is logged in to the portal: session, account, customer and organisation together.

    With an impersonation it is an employee who is logged in as the customer.
    """

    session_id: UUID
    standing: Standing
    created_at: datetime
    expires_at: datetime
    impersonation: Impersonation | None = None

    @property
    def actor(self) -> Actor:
        """Who does what this session does: the customer, or the employee who is logged in as the customer."""
        return self.impersonation.employee if self.impersonation else self.standing.actor
