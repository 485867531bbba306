"""What the platform's clients expect to read, written down from the contract's section 9 and nothing else.

Strict and closed: another field, a missing one or another type fails whichever test met it.
"""
# ruff: noqa: N815 - the platform's own names

from datetime import datetime
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

import httpx
from pydantic import BaseModel, ConfigDict, Field, JsonValue

T = TypeVar("T")

Page = Literal[
    "startpage",
    "login",
    "register",
    "movein",
    "moveout",
    "consumptions",
    "invoices",
    "mydetails",
    "overview",
    "forgotpassword",
]


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class MessageValue(Shape):
    dataType: str
    value: str
    capitalize: bool


class Message(Shape):
    key: str = Field(pattern=r"^[A-Z][A-Z0-9_]+$")
    correlationId: str = Field(min_length=1)
    message: str = Field(min_length=1)
    messageValues: list[MessageValue]


class Envelope(Shape, Generic[T]):
    data: T
    errors: list[Message]
    success: bool
    applicableEntitiesCount: int
    requestedEntitiesCount: int
    succeededEntitiesCount: int
    isSynchronous: bool


class ContactDetail(Shape):
    contactType: Literal["email"]
    value: str
    description: str | None
    primaryForType: bool


class Contract(Shape):
    contractId: UUID
    contractNumber: str
    currentContractStatus: Literal["draft", "sent", "signed", "cancelled", "terminated"]


class PortalProperties(Shape):
    applicationUserId: UUID | None
    confirmAccountToken: None
    resetPasswordToken: None
    email: str | None
    emailConfirmed: bool


class PlatformCustomer(Shape):
    id: UUID
    entityType: Literal["customer"]
    createdDateTime: datetime
    discriminator: str
    etag: str = Field(alias="_etag", min_length=1)
    hasErrors: bool
    hasWarnings: bool
    requireAttention: bool
    isReadOnly: bool
    organisationId: UUID
    accountNumber: str
    shortDisplayName: str
    contactDetails: list[ContactDetail]
    contracts: list[Contract]
    activationCode: str | None
    portalProperties: PortalProperties


class Contact(Shape):
    emailAddress: str | None
    contactUrl: str | None
    telephoneNumber: str | None
    termsAndConditionsUrls: JsonValue


class BillingSettings(Shape):
    allowCustomerToChangeAdvanceAmount: bool
    hideInvoiceSection: bool


class AdvanceChangeLimit(Shape):
    rangeMin: int | float
    rangeMax: int | float
    type: Literal["fixed", "percentage"]


class PageNotification(Shape):
    pageIdentifier: Page
    notificationType: Literal["neutral", "warning", "important"]
    translatedContent: JsonValue


class PlatformSettings(Shape):
    isEnabled: bool
    portalPublicUrls: list[str]
    primaryColor: str | None
    secondaryColor: str | None
    logo: str | None
    favIcon: str | None
    contact: Contact
    billingSettings: BillingSettings
    advanceChangeLimit: AdvanceChangeLimit | None
    pageNotifications: list[PageNotification]


def _read(answer: httpx.Response, status: int, data: Any) -> Any:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    return Envelope[data].model_validate_json(answer.content)


def _done(answer: httpx.Response, data: Any) -> Any:
    found = _read(answer, 200, data)
    assert (found.success, found.errors) == (True, [])
    assert (found.requestedEntitiesCount, found.succeededEntitiesCount) == (1, 1)
    return found.data


def customer_of(answer: httpx.Response) -> PlatformCustomer:
    """The customer in an answer."""
    found: PlatformCustomer = _done(answer, PlatformCustomer)
    assert answer.json()["data"]["createdDateTime"].endswith("Z")
    return found


def settings_of(answer: httpx.Response) -> PlatformSettings:
    """The portal settings in an answer."""
    found: PlatformSettings = _done(answer, PlatformSettings)
    return found


def text_of(answer: httpx.Response) -> str:
    """The text in an answer."""
    found: str = _done(answer, str)
    return found


def nothing_in(answer: httpx.Response) -> None:
    """An answer that has nothing to tell."""
    _done(answer, None)


def refused_with(answer: httpx.Response) -> list[str]:
    """The keys of a refusal."""
    found = _read(answer, 400, None)
    assert (found.success, found.succeededEntitiesCount) == (False, 0)
    assert {one.correlationId for one in found.errors} == {answer.headers["x-correlation-id"]}
    return [one.key for one in found.errors]
