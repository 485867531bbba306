"""Impersonation sessions: an employee logged in to the portal as the customer (contract section 6)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from app.domain.callers import Actor, ActorType, ImpersonationRef
from app.domain.one_time_tokens import TokenState
from app.errors import (
    HandOffDead,
    ImpersonationReadOnly,
    NotAllowedWhileImpersonating,
    PermissionInvalid,
    PortalError,
    TokenExpired,
    TokenRevoked,
    TokenSuperseded,
    TokenUsed,
)

LIFETIME = timedelta(minutes=15)  # fixed by the contract, from the start; nothing prolongs it
TIME = Actor(ActorType.SYSTEM, "time")
"""Who ended what nobody ended."""


class AccessMode(StrEnum):
    """What the employee may do: look, or also act, with exclusions."""

    READONLY = "readonly"
    FULL = "full"


class PortalAct(StrEnum):
    """What a portal operation does, as far as an impersonator's rights go."""

    LOOK = "look"  # in both modes
    CHANGE = "change"  # with full access only
    OWNERS = "owners"  # the customer alone: password, e-mail address, sessions


class ImpersonationState(StrEnum):
    """Where an impersonation stands; time makes an open one `expired`."""

    PENDING = "pending"
    ACTIVE = "active"
    ENDED = "ended"
    EXPIRED = "expired"


class EndReason(StrEnum):
    """Why an impersonation ended. What else ends one (an account reset, …) brings its own word."""

    BANNER = "banner"
    LOGGED_OUT = "loggedout"
    EMPLOYEE = "employee"
    SUPERSEDED = "superseded"
    PERMISSION_LOST = "permissionlost"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class NewImpersonation:
    """What the employee says when starting."""

    reason: str
    ticket_reference: str | None = None
    access_mode: AccessMode = AccessMode.READONLY


@dataclass(frozen=True, slots=True)
class Impersonation:
    """An impersonation session. `state` and its end already know that time has passed.

    The row is also the hand-off link's truth: the link is its signed id.
    """

    id: UUID
    customer_id: UUID
    account_id: UUID
    employee: Actor
    reason: str
    ticket_reference: str | None
    access_mode: AccessMode
    state: ImpersonationState
    created_at: datetime
    handoff_expires_at: datetime
    expires_at: datetime
    redeemed_at: datetime | None
    ended_at: datetime | None
    ended_by: Actor | None
    end_reason: str | None

    @property
    def ref(self) -> ImpersonationRef:
        """The impersonation as every activity during it names it."""
        return ImpersonationRef(self.id, self.employee.id, self.employee.name)

    @property
    def open(self) -> bool:
        """Whether it has not come to an end."""
        return self.state in (ImpersonationState.PENDING, ImpersonationState.ACTIVE)

    @property
    def handoff_state(self) -> TokenState:
        """The state of the link that hands the session over to the portal: its first end."""
        if self.redeemed_at is not None:
            return TokenState.USED
        match self.state:
            case ImpersonationState.EXPIRED:
                return TokenState.EXPIRED
            case ImpersonationState.ENDED:
                superseded = self.end_reason == EndReason.SUPERSEDED
                return TokenState.SUPERSEDED if superseded else TokenState.REVOKED
            case _:
                return TokenState.PENDING

    def handoff_refusal(self) -> PortalError | None:
        """Why the link cannot be redeemed, or None while it can."""
        match self.handoff_state:
            case TokenState.PENDING:
                return None
            case TokenState.USED:
                return HandOffDead(TokenUsed(self.redeemed_at))
            case TokenState.EXPIRED:
                return HandOffDead(TokenExpired(self.handoff_expires_at))
            case TokenState.SUPERSEDED:
                return HandOffDead(TokenSuperseded(self.ended_at))
            case TokenState.REVOKED:
                return HandOffDead(TokenRevoked(self.ended_at))

    def belongs_to(self, actor: Actor) -> bool:
        """Whether this is the employee who is logged in as the customer."""
        return (actor.type, actor.id) == (self.employee.type, self.employee.id)


@dataclass(frozen=True, slots=True)
class ImpersonationOverview:
    """An impersonation as the organisation looks back on it: whom it met, how long, and how much was done."""

    impersonation: Impersonation
    account_number: str
    display_name: str
    duration: timedelta | None
    action_count: int


def impersonator_refusal(actor: Actor) -> PortalError | None:
    """Why this caller can never log in as a customer: it is no person whom the log could name."""
    if actor.type is ActorType.EMPLOYEE:
        return None
    return PermissionInvalid("Only an employee can log in as a customer; an application cannot.")


def act_refusal(act: PortalAct | None, mode: AccessMode) -> PortalError | None:
    """Why an impersonator may not do this; what declares nothing is the customer's alone."""
    match act:
        case PortalAct.LOOK:
            return None
        case PortalAct.CHANGE:
            return None if mode is AccessMode.FULL else ImpersonationReadOnly()
        case _:
            return NotAllowedWhileImpersonating()
