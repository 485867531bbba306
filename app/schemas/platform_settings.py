"""Portal settings as the platform's existing calls show and change them."""

import json
from dataclasses import replace
from functools import reduce
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    Field,
    JsonValue,
    StrictBool,
    StrictFloat,
    StrictInt,
    model_validator,
)
from pydantic_core import PydanticCustomError

from app.domain.organisations import Organisation
from app.domain.public_portal import (
    AdvanceChangeLimit,
    ChangeLimitType,
    Contact,
    NotificationType,
    PageNotification,
    PortalPage,
)
from app.schemas.base import Answered, Line
from app.schemas.platform_answers import Envelope
from app.schemas.platform_customers import EmptyIsNothing, MaybeEmail, PlatformGiven
from app.schemas.portal_settings import Colour, WebAddress

_MOST_URLS = 20
_LONGEST_TRANSLATED = 8_000
_BRANDING = {"primary_color": "primary_color", "secondary_color": "secondary_color", "logo": "logo_url"}


def _bounded(value: JsonValue) -> JsonValue:
    if len(json.dumps(value)) > _LONGEST_TRANSLATED:
        raise PydanticCustomError("VALIDATION_FAILED", f"This has more than {_LONGEST_TRANSLATED:,} characters")
    return value


Translated = Annotated[
    JsonValue, AfterValidator(_bounded), Field(description="By language, as the platform has it; given back unchanged.")
]
Amount = (
    Annotated[StrictInt, Field(ge=-1_000_000_000, le=1_000_000_000)]
    | Annotated[StrictFloat, Field(ge=-1_000_000_000, le=1_000_000_000)]
)
MaybeAddress = Annotated[WebAddress | None, EmptyIsNothing()]
MaybeColour = Annotated[Colour | None, EmptyIsNothing()]
MaybeLine = Annotated[Line | None, EmptyIsNothing()]


class PlatformNotification(PlatformGiven):
    """What a page of the portal tells its visitors."""

    model_config = PlatformGiven.model_config | {
        "json_schema_extra": {
            "examples": [
                {
                    "pageIdentifier": "login",
                    "notificationType": "warning",
                    "translatedContent": {"en-GB": "The portal is being repaired tonight."},
                }
            ]
        }
    }

    page_identifier: PortalPage
    notification_type: NotificationType
    translated_content: Translated = None

    def notification(self) -> PageNotification:
        """The domain's notification."""
        return PageNotification(self.page_identifier, self.notification_type, self.translated_content)

    def put_into(self, organisation: Organisation) -> Organisation:
        """The organisation with it, in place of the page's one before."""
        return organisation.with_notification(self.notification())


class PlatformContact(PlatformGiven):
    """How customers reach the utility."""

    email_address: MaybeEmail = None
    contact_url: MaybeAddress = None
    telephone_number: MaybeLine = None
    terms_and_conditions_urls: Translated = None

    def contact(self) -> Contact:
        """The domain's contact."""
        return Contact(self.email_address, self.contact_url, self.telephone_number, self.terms_and_conditions_urls)


class PlatformBilling(PlatformGiven):
    """What the portal shows of the bill, and lets the customer change."""

    allow_customer_to_change_advance_amount: StrictBool = False
    hide_invoice_section: StrictBool = False


class PlatformChangeLimit(PlatformGiven):
    """How far customers may change their advance payment."""

    range_min: Amount
    range_max: Amount
    type: ChangeLimitType

    @model_validator(mode="after")
    def _is_a_range(self) -> "PlatformChangeLimit":
        if self.range_min > self.range_max:
            raise PydanticCustomError("VALIDATION_FAILED", "rangeMin is more than rangeMax")
        return self

    def limit(self) -> AdvanceChangeLimit:
        """The domain's limit."""
        return AdvanceChangeLimit(self.range_min, self.range_max, self.type)


class PlatformSettingsGiven(PlatformGiven):
    """The settings to change, each of them whole; what is left out stays as it is."""

    model_config = PlatformGiven.model_config | {
        "json_schema_extra": {
            "examples": [
                {
                    "isEnabled": True,
                    "portalPublicUrls": ["https://portal.example.com"],
                    "contact": {"emailAddress": "service@example.com"},
                    "billingSettings": {"allowCustomerToChangeAdvanceAmount": True, "hideInvoiceSection": False},
                }
            ]
        }
    }

    is_enabled: StrictBool | None = None
    portal_public_urls: list[WebAddress] | None = Field(
        None, max_length=_MOST_URLS, description="Where the portal is found. Links in mails keep their own base."
    )
    primary_color: MaybeColour = None
    secondary_color: MaybeColour = None
    logo: MaybeAddress = None
    fav_icon: MaybeAddress = None
    contact: PlatformContact | None = None
    billing_settings: PlatformBilling | None = None
    advance_change_limit: PlatformChangeLimit | None = None
    page_notifications: list[PlatformNotification] | None = Field(None, max_length=len(PortalPage))

    def put_into(self, organisation: Organisation) -> Organisation:
        """The organisation with what was given; null takes away what may be missing."""
        branding = {_BRANDING[name]: getattr(self, name) for name in _BRANDING.keys() & self.model_fields_set}
        changed = replace(
            organisation,
            branding=replace(organisation.branding, **branding),
            public_portal=replace(organisation.public_portal, **self._public_portal()),
        )
        if self.is_enabled is not None:
            changed = replace(changed, portal_enabled=self.is_enabled)
        if (billing := self.billing_settings) is not None:
            features = replace(
                changed.features,
                advance_payment_adjustable=billing.allow_customer_to_change_advance_amount,
                invoices=not billing.hide_invoice_section,
            )
            changed = replace(changed, features=features)
        if self.page_notifications is not None:
            empty = replace(changed, page_notifications=())
            changed = reduce(lambda known, one: one.put_into(known), self.page_notifications, empty)
        return changed

    def _public_portal(self) -> dict[str, Any]:
        limit = self.advance_change_limit
        given = {
            "fav_icon": ("fav_icon_url", self.fav_icon),
            "contact": ("contact", self.contact.contact() if self.contact else Contact()),
            "advance_change_limit": ("advance_change_limit", limit.limit() if limit else None),
        }
        changed: dict[str, Any] = dict(given[name] for name in given.keys() & self.model_fields_set)
        if self.portal_public_urls is not None:
            changed["urls"] = tuple(dict.fromkeys(self.portal_public_urls))
        return changed


class PlatformNotificationBody(Answered):
    """What a page of the portal tells its visitors."""

    page_identifier: PortalPage
    notification_type: NotificationType
    translated_content: JsonValue = Field(description="By language, as the platform gave it.")

    @classmethod
    def of(cls, one: PageNotification) -> "PlatformNotificationBody":
        """From the domain's notification."""
        return cls(page_identifier=one.page, notification_type=one.type, translated_content=one.content)


class PlatformContactBody(Answered):
    """How customers reach the utility."""

    email_address: str | None
    contact_url: str | None
    telephone_number: str | None
    terms_and_conditions_urls: JsonValue = Field(description="By language, as the platform gave them.")

    @classmethod
    def of(cls, contact: Contact) -> "PlatformContactBody":
        """From the domain's contact."""
        return cls(
            email_address=contact.email,
            contact_url=contact.url,
            telephone_number=contact.telephone_number,
            terms_and_conditions_urls=contact.terms_and_conditions_urls,
        )


class PlatformBillingBody(Answered):
    """What the portal shows of the bill, and lets the customer change."""

    allow_customer_to_change_advance_amount: bool
    hide_invoice_section: bool


class PlatformChangeLimitBody(Answered):
    """How far customers may change their advance payment."""

    range_min: int | float
    range_max: int | float
    type: ChangeLimitType

    @classmethod
    def of(cls, limit: AdvanceChangeLimit) -> "PlatformChangeLimitBody":
        """From the domain's limit."""
        return cls(range_min=limit.smallest, range_max=limit.largest, type=limit.type)


class PlatformSettingsBody(Answered):
    """The settings in force."""

    is_enabled: bool
    portal_public_urls: list[str]
    primary_color: str | None
    secondary_color: str | None
    logo: str | None
    fav_icon: str | None
    contact: PlatformContactBody
    billing_settings: PlatformBillingBody
    advance_change_limit: PlatformChangeLimitBody | None
    page_notifications: list[PlatformNotificationBody]

    @classmethod
    def of(cls, organisation: Organisation) -> "PlatformSettingsBody":
        """From the domain's organisation."""
        portal, branding, features = organisation.public_portal, organisation.branding, organisation.features
        limit = portal.advance_change_limit
        return cls(
            is_enabled=organisation.portal_enabled,
            portal_public_urls=list(organisation.public_urls),
            primary_color=branding.primary_color,
            secondary_color=branding.secondary_color,
            logo=branding.logo_url,
            fav_icon=portal.fav_icon_url,
            contact=PlatformContactBody.of(portal.contact),
            billing_settings=PlatformBillingBody(
                allow_customer_to_change_advance_amount=features.advance_payment_adjustable,
                hide_invoice_section=not features.invoices,
            ),
            advance_change_limit=PlatformChangeLimitBody.of(limit) if limit else None,
            page_notifications=[PlatformNotificationBody.of(one) for one in organisation.page_notifications],
        )


class SettingsAnswer(Envelope[PlatformSettingsBody]):
    """The settings in force."""

    @classmethod
    def of(cls, organisation: Organisation) -> "SettingsAnswer":
        """From the domain's organisation."""
        return cls(data=PlatformSettingsBody.of(organisation))
