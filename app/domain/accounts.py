"""The customer's account for the portal, and the status that the card shows."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class AccountState(StrEnum):
    """Whether an account can log in; at most one account of a customer is live."""

    LIVE = "live"
    RETIRED = "retired"


class PortalStatus(StrEnum):
    """The status on the card."""

    NO_ACCOUNT = "noaccount"
    NOT_CONFIRMED = "notconfirmed"
    ACTIVE = "active"


@dataclass(frozen=True, slots=True)
class Account:
    """A portal account. Its credentials stay in the repository."""

    account_id: UUID
    customer_id: UUID
    email: str
    language: str | None
    registered_at: datetime
    email_confirmed_at: datetime | None
    last_active_at: datetime | None
    generation: int = 0  # which of the customer's accounts it is, as the log counts them
    email_changed_at: datetime | None = None  # on purpose, by the customer or for them

    @property
    def email_confirmed(self) -> bool:
        """Whether the customer proved that the address is theirs."""
        return self.email_confirmed_at is not None


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """An account as it stands in the list of all that are known for a customer."""

    account: Account
    state: AccountState
    imported: bool


@dataclass(frozen=True, slots=True)
class ImportedAccount:
    """An account as an older system knew it. Without a hash nobody can log in before a password reset."""

    email: str
    registered_at: datetime
    email_confirmed_at: datetime | None = None
    password_hash: str | None = field(default=None, repr=False)
    live: bool = False


def portal_status(account: Account | None) -> PortalStatus:
    """The card's status for the customer's live account, if any."""
    if account is None:
        return PortalStatus.NO_ACCOUNT
    return PortalStatus.ACTIVE if account.email_confirmed else PortalStatus.NOT_CONFIRMED


@dataclass(frozen=True, slots=True)
class Registered:
    """The outcome of a registration or confirmation."""

    portal_status: PortalStatus
    email: str


def masked(email: str) -> str:
    """An address that its owner recognises and nobody else learns: `jan@example.com` becomes `j***@example.com`."""
    local, _, domain = email.rpartition("@")
    return f"{local[:1]}***@{domain}"
