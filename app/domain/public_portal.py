"""What the platform's front end keeps with an organisation's portal beside our settings (contract section 9)."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class PortalPage(StrEnum):
    """A page of the portal that can carry a notification."""

    START = "startpage"
    LOGIN = "login"
    REGISTER = "register"
    MOVE_IN = "movein"
    MOVE_OUT = "moveout"
    CONSUMPTIONS = "consumptions"
    INVOICES = "invoices"
    MY_DETAILS = "mydetails"
    OVERVIEW = "overview"
    FORGOT_PASSWORD = "forgotpassword"


class NotificationType(StrEnum):
    """How loud a notification is."""

    NEUTRAL = "neutral"
    WARNING = "warning"
    IMPORTANT = "important"


class ChangeLimitType(StrEnum):
    """What the range of an advance payment is counted in."""

    FIXED = "fixed"
    PERCENTAGE = "percentage"


@dataclass(frozen=True, slots=True)
class PageNotification:
    """What a page tells its visitors. The content is the platform's own, by language, and is given back as it came."""

    page: PortalPage
    type: NotificationType
    content: Any


@dataclass(frozen=True, slots=True)
class Contact:
    """How customers reach the utility. The terms and conditions are the platform's own, as it gave them."""

    email: str | None = None
    url: str | None = None
    telephone_number: str | None = None
    terms_and_conditions_urls: Any = None


@dataclass(frozen=True, slots=True)
class AdvanceChangeLimit:
    """How far customers may change their advance payment."""

    smallest: float
    largest: float
    type: ChangeLimitType


@dataclass(frozen=True, slots=True)
class PublicPortal:
    """Where the portal is found and whom it names. `urls` None: nobody said so yet, it is the portal's own URL."""

    urls: tuple[str, ...] | None = None
    fav_icon_url: str | None = None
    contact: Contact = field(default_factory=Contact)
    advance_change_limit: AdvanceChangeLimit | None = None


def portal_address(url: str) -> str:
    """A portal's URL as URLs are compared: letter case and a slash at the end do not matter."""
    return url.strip().rstrip("/").lower()
