"""The organisation's portal settings, as they come in and as they go out."""

from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import AfterValidator, Field, StrictBool, StrictInt, StringConstraints
from pydantic_core import PydanticCustomError

from app.domain.organisations import (
    FALLBACK_LANGUAGE,
    Branding,
    Features,
    Organisation,
    Sender,
    TokenLifetimes,
)
from app.schemas.base import Answered, Culture, Email, Given, Line


def _web_address(value: str) -> str:
    """An absolute http or https address of a site, without anything that a link could be hidden in."""
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        parts = None
    if (
        parts is None
        or parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.username is not None
        or parts.query
        or parts.fragment
        or not value.isascii()
        or any(character in value for character in " \"'<>\\^`{|}?#")
        or not value.isprintable()
    ):
        raise PydanticCustomError("INVALID_URL", "This is not an absolute http or https URL without query and fragment")
    return value.rstrip("/")


WebAddress = Annotated[
    str,
    StringConstraints(min_length=1, max_length=500),
    AfterValidator(_web_address),
    Field(json_schema_extra={"format": "uri"}),
]
Colour = Annotated[str, StringConstraints(pattern="^#[0-9a-fA-F]{6}$")]


class FeaturesGiven(Given):
    """What the portal offers; what is left out goes back to its default."""

    documents: StrictBool = Features().documents
    invoices: StrictBool = Features().invoices
    advance_payment_adjustable: StrictBool = Features().advance_payment_adjustable
    edit_contact_details: StrictBool = Features().edit_contact_details


class TokenLifetimesBody(Given):
    """How long links live."""

    invitation_hours: StrictInt = Field(14 * 24, ge=1, le=90 * 24)
    email_confirmation_hours: StrictInt = Field(24, ge=1, le=30 * 24)
    password_reset_minutes: StrictInt = Field(60, ge=5, le=24 * 60)


class SenderBody(Given):
    """Who mails come from."""

    name: Line | None = None
    email: Email | None = None


class BrandingBody(Given):
    """Colours and logo of mails and portal."""

    primary_color: Colour | None = None
    secondary_color: Colour | None = None
    logo_url: WebAddress | None = None


class PortalSettingsGiven(Given):
    """All settings; all but the name are optional, what is left out goes back to its default."""

    model_config = Given.model_config | {
        "json_schema_extra": {
            "examples": [
                {
                    "name": "Zonneveld Warmte",
                    "portalEnabled": True,
                    "portalUrl": "https://portal.example.com",
                    "defaultLanguage": "nl-BE",
                    "sender": {"name": "Zonneveld Warmte", "email": "portal@example.com"},
                    "branding": {"primaryColor": "#0b6e4f", "secondaryColor": "#f2a541"},
                    "showAccessLog": True,
                }
            ]
        }
    }

    name: Line
    portal_enabled: StrictBool = False
    portal_url: WebAddress | None = Field(None, description="Base of every link in a mail; https in production.")
    default_language: Culture = FALLBACK_LANGUAGE
    features: FeaturesGiven = FeaturesGiven()
    token_lifetimes: TokenLifetimesBody = TokenLifetimesBody()
    confirm_on_invitation: StrictBool = Field(
        False, description="Registering with the invited address counts as confirming it."
    )
    impersonation_enabled: StrictBool = True
    show_access_log: StrictBool = False
    notify_after_impersonation: StrictBool = False
    retention_days: StrictInt | None = Field(None, ge=30, le=36_500, description="Absent: the log is kept for ever.")
    sender: SenderBody = SenderBody()
    branding: BrandingBody = BrandingBody()
    communication_enabled: StrictBool = Field(True, description="Off: mails that nobody asked for by name are skipped.")
    sandbox_recipient: Email | None = Field(None, description="Every mail goes there instead.")

    def organisation(self, tenant_id: UUID, organisation_id: UUID) -> Organisation:
        """The domain's organisation."""
        lifetimes = self.token_lifetimes
        return Organisation(
            tenant_id=tenant_id,
            organisation_id=organisation_id,
            name=self.name,
            portal_enabled=self.portal_enabled,
            portal_url=self.portal_url,
            default_language=self.default_language,
            features=Features(**self.features.model_dump()),
            token_lifetimes=TokenLifetimes(
                invitation=timedelta(hours=lifetimes.invitation_hours),
                email_confirmation=timedelta(hours=lifetimes.email_confirmation_hours),
                password_reset=timedelta(minutes=lifetimes.password_reset_minutes),
            ),
            confirm_on_invitation=self.confirm_on_invitation,
            impersonation_enabled=self.impersonation_enabled,
            show_access_log=self.show_access_log,
            notify_after_impersonation=self.notify_after_impersonation,
            retention_days=self.retention_days,
            sender=Sender(**self.sender.model_dump()),
            branding=Branding(**self.branding.model_dump()),
            communication_enabled=self.communication_enabled,
            sandbox_recipient=self.sandbox_recipient,
        )


class PortalSettingsBody(Answered):
    """The settings in force."""

    name: str
    portal_enabled: bool
    portal_url: str | None
    default_language: str
    features: FeaturesGiven
    token_lifetimes: TokenLifetimesBody
    confirm_on_invitation: bool
    impersonation_enabled: bool
    show_access_log: bool
    notify_after_impersonation: bool
    retention_days: int | None
    sender: SenderBody
    branding: BrandingBody
    communication_enabled: bool
    sandbox_recipient: str | None

    @classmethod
    def of(cls, organisation: Organisation) -> "PortalSettingsBody":
        """From the domain's organisation."""
        features, lifetimes = organisation.features, organisation.token_lifetimes
        return cls(
            name=organisation.name,
            portal_enabled=organisation.portal_enabled,
            portal_url=organisation.portal_url,
            default_language=organisation.default_language,
            features=FeaturesGiven(
                documents=features.documents,
                invoices=features.invoices,
                advancePaymentAdjustable=features.advance_payment_adjustable,
                editContactDetails=features.edit_contact_details,
            ),
            token_lifetimes=TokenLifetimesBody(
                invitationHours=lifetimes.invitation // timedelta(hours=1),
                emailConfirmationHours=lifetimes.email_confirmation // timedelta(hours=1),
                passwordResetMinutes=lifetimes.password_reset // timedelta(minutes=1),
            ),
            confirm_on_invitation=organisation.confirm_on_invitation,
            impersonation_enabled=organisation.impersonation_enabled,
            show_access_log=organisation.show_access_log,
            notify_after_impersonation=organisation.notify_after_impersonation,
            retention_days=organisation.retention_days,
            sender=SenderBody(name=organisation.sender.name, email=organisation.sender.email),
            branding=BrandingBody(
                primaryColor=organisation.branding.primary_color,
                secondaryColor=organisation.branding.secondary_color,
                logoUrl=organisation.branding.logo_url,
            ),
            communication_enabled=organisation.communication_enabled,
            sandbox_recipient=organisation.sandbox_recipient,
        )
