"""Portal accounts across an organisation's customers."""

from dataclasses import dataclass
from datetime import datetime

from app.domain.accounts import AccountRecord, PortalStatus
from app.domain.customers import Customer


@dataclass(frozen=True, slots=True)
class PortalAccount:
    """A customer's account, or a customer who has no live one."""

    customer: Customer
    record: AccountRecord | None
    invited_at: datetime | None  # the newest invitation


@dataclass(frozen=True, slots=True)
class PortalAccountFilter:
    """Which to list; None means all. Without a status these are all accounts, retired ones too.

    `last_active_before` takes an account that nobody has logged in to by its registration.
    """

    status: PortalStatus | None = None
    invited_before: datetime | None = None
    last_active_before: datetime | None = None
    text: str | None = None
