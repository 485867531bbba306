"""Impersonation sessions: an employee logged in to the portal as the customer (contract section 6)."""

from enum import StrEnum


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
