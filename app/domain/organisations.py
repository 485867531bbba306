"""What an organisation decides about its portal (contract section 10)."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

from app.domain.public_portal import PageNotification, PortalPage, PublicPortal, portal_address
from app.tokens import Purpose

FALLBACK_LANGUAGE = "en-GB"


@dataclass(frozen=True, slots=True)
class Features:
    """What the organisation's portal offers its customers."""

    documents: bool = True
    invoices: bool = True
    advance_payment_adjustable: bool = False
    edit_contact_details: bool = True


@dataclass(frozen=True, slots=True)
class TokenLifetimes:
    """How long each kind of link lives."""

    invitation: timedelta = timedelta(days=14)
    email_confirmation: timedelta = timedelta(hours=24)
    password_reset: timedelta = timedelta(minutes=60)

    def of(self, purpose: Purpose) -> timedelta:
        """The lifetime of this purpose's links; the hand-off's is fixed by the contract (section 5)."""
        match purpose:
            case Purpose.INVITATION:
                return self.invitation
            case Purpose.EMAIL_CONFIRMATION:
                return self.email_confirmation
            case Purpose.PASSWORD_RESET:
                return self.password_reset
            case Purpose.IMPERSONATION:
                return timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who the organisation's mails come from; without an address the service's own is used."""

    name: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Branding:
    """Colours (#rrggbb) and logo of mails and portal."""

    primary_color: str | None = None
    secondary_color: str | None = None
    logo_url: str | None = None


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation of a tenant, with its portal settings."""

    tenant_id: UUID
    organisation_id: UUID
    name: str
    portal_enabled: bool = False
    portal_url: str | None = None
    default_language: str = FALLBACK_LANGUAGE
    features: Features = field(default_factory=Features)
    token_lifetimes: TokenLifetimes = field(default_factory=TokenLifetimes)
    confirm_on_invitation: bool = False
    impersonation_enabled: bool = True
    show_access_log: bool = False
    notify_after_impersonation: bool = False
    retention_days: int | None = None
    sender: Sender = field(default_factory=Sender)
    branding: Branding = field(default_factory=Branding)
    communication_enabled: bool = True
    sandbox_recipient: str | None = None
    public_portal: PublicPortal = field(default_factory=PublicPortal)
    page_notifications: tuple[PageNotification, ...] = ()

    @property
    def public_urls(self) -> tuple[str, ...]:
        """Where customers find the portal."""
        if self.public_portal.urls is not None:
            return self.public_portal.urls
        return (self.portal_url,) if self.portal_url else ()

    @property
    def addresses(self) -> frozenset[str]:
        """Every URL by which the portal is found, as they are compared."""
        return frozenset(portal_address(url) for url in (self.portal_url, *self.public_urls) if url)

    def with_notification(self, new: PageNotification) -> "Organisation":
        """With this notification, in place of its page's one before."""
        others = self.without_notification(new.page).page_notifications
        return replace(self, page_notifications=(*others, new))

    def without_notification(self, page: PortalPage) -> "Organisation":
        """Without the page's notification."""
        return replace(self, page_notifications=tuple(one for one in self.page_notifications if one.page is not page))
