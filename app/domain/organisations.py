"""What an organisation decides about its portal (contract section 10)."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

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
    page_notifications: list[dict[str, Any]] = field(default_factory=list)
