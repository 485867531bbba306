"""Reading the platform's JSON: its customers, and what its events tell by themselves.

Read leniently: what is missing, malformed or unknown was not told, and changes nothing.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from app.domain.addresses import address
from app.domain.customers import ContractStatus, DocumentVisibility
from app.domain.platform_events import (
    ContractChanged,
    CustomerChange,
    DocumentChanged,
    DocumentRemoved,
    InvoiceAdded,
    PlatformEventKind,
    ToldContract,
    ToldCustomer,
    ToldDocument,
)

_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_CULTURE = re.compile(r"([A-Za-z]{2})-([A-Za-z]{2})")
_LONGEST_LINE, _LONGEST_NUMBER, _LONGEST_ADDRESS = 200, 64, 254
_MOST_INVOICES = 1_000_000
_FEATURES = {
    "documents": "documents",
    "invoices": "invoices",
    "advancePaymentAdjustable": "advance_payment_adjustable",
    "editContactDetails": "edit_contact_details",
}
_SIGNED_OR_ENDED = {
    PlatformEventKind.CONTRACT_SIGNED: ContractStatus.SIGNED,
    PlatformEventKind.CONTRACT_TERMINATED: ContractStatus.TERMINATED,
}

Json = Mapping[str, Any]
Word = TypeVar("Word", bound=StrEnum)


def read_id(value: object) -> UUID | None:
    """An id, if it is one."""
    return UUID(value) if isinstance(value, str) and _ID.fullmatch(value) else None


def event_customer(kind: str, body: Json) -> UUID | None:
    """Whom an event is about: `customerId`, or `entityId` where it says that the entity is a customer. Feature flags
    are the organisation's, whoever is named beside them."""
    if kind == PlatformEventKind.FEATURE_FLAGS_UPDATED:
        return None
    if (customer_id := read_id(body.get("customerId"))) is not None:
        return customer_id
    return read_id(body.get("entityId")) if str(body.get("entityType")).lower() == "customer" else None


def read_change(kind: str, body: Json, customer_id: UUID, received_at: datetime) -> CustomerChange | None:
    """What an event tells by itself of its customer, if it tells anything."""
    match kind:
        case PlatformEventKind.CUSTOMER_CREATED | PlatformEventKind.CUSTOMER_DETAILS_CHANGED:
            return read_customer(body, customer_id, received_at)
        case PlatformEventKind.CULTURE_UPDATED:
            return ToldCustomer(customer_id, language=_language(body))
        case (
            PlatformEventKind.CONTRACT_SIGNED
            | PlatformEventKind.CONTRACT_TERMINATED
            | PlatformEventKind.CONTRACT_UPDATED
        ):
            contract = _contract(body, _SIGNED_OR_ENDED.get(PlatformEventKind(kind)))
            return ContractChanged(contract) if contract else None
        case PlatformEventKind.INVOICE_AVAILABLE:
            contract_id = read_id(body.get("contractId"))
            return InvoiceAdded(contract_id) if contract_id else None
        case PlatformEventKind.ATTACHMENT_CREATED | PlatformEventKind.ATTACHMENT_UPDATED:
            document = _document(body, received_at)
            return DocumentChanged(document) if document else None
        case PlatformEventKind.ATTACHMENT_DELETED:
            document_id = _document_id(body)
            return DocumentRemoved(document_id) if document_id else None
    return None


def read_features(body: Json) -> dict[str, bool]:
    """The portal's features that an event switches, by the names of `Features`."""
    told = body.get("features", body.get("featureFlags"))
    if not isinstance(told, dict):
        return {}
    return {ours: told[theirs] for theirs, ours in _FEATURES.items() if isinstance(told.get(theirs), bool)}


def read_customer(told: Json, customer_id: UUID, told_at: datetime) -> ToldCustomer:
    """A customer as the platform describes one (contract section 9), whole or in part."""
    says_email, email = _email(told.get("contactDetails"))
    documents = told.get("attachments", told.get("documents"))
    return ToldCustomer(
        customer_id=customer_id,
        account_number=_account_number(told.get("accountNumber")),
        display_name=_line(told.get("shortDisplayName")) or _line(told.get("displayName")),
        says_email=says_email,
        email=email,
        language=_language(told),
        contracts=None if (listed := _objects(told.get("contracts"))) is None else _contracts(listed),
        documents=None if (listed := _objects(documents)) is None else _documents(listed, told_at),
    )


def _contracts(listed: list[Json]) -> tuple[ToldContract, ...]:
    found = [_contract(one) for one in listed]
    return tuple({one.contract_id: one for one in found if one is not None}.values())


def _contract(told: Json, status: ContractStatus | None = None) -> ToldContract | None:
    contract_id = read_id(told.get("contractId"))
    if contract_id is None:
        return None
    count = told.get("invoiceCount")
    return ToldContract(
        contract_id,
        _line(told.get("contractNumber")),
        status or _word(ContractStatus, told.get("currentContractStatus", told.get("status"))),
        count if type(count) is int and 0 <= count <= _MOST_INVOICES else None,
    )


def _documents(listed: list[Json], told_at: datetime) -> tuple[ToldDocument, ...]:
    found = [_document(one, told_at) for one in listed]
    return tuple({one.document_id: one for one in found if one is not None}.values())


def _document(told: Json, told_at: datetime) -> ToldDocument | None:
    document_id = _document_id(told)
    if document_id is None:
        return None
    return ToldDocument(
        document_id,
        told_at,
        _line(told.get("name")) or _line(told.get("fileName")),
        _word(DocumentVisibility, told.get("visibility")),
        _moment(told.get("createdDateTime")),
    )


def _document_id(told: Json) -> UUID | None:
    return read_id(told.get("attachmentId")) or read_id(told.get("documentId"))


def _email(details: object) -> tuple[bool, str | None]:
    """Whether the address was told, and the address: the one for everything first, else the first one."""
    listed = _objects(details)
    if listed is None:
        return False, None
    mails = [one for one in listed if str(one.get("contactType")).lower() == "email" and one.get("value")]
    mails.sort(key=lambda one: not one.get("primaryForType"))
    for one in mails:
        value = one["value"]
        if isinstance(value, str) and len(value) <= _LONGEST_ADDRESS:
            try:
                return True, address(value.strip())
            except ValueError:
                continue
    return not mails, None  # an address that is none was not told


def _language(told: Json) -> str | None:
    said = told.get("culture", told.get("language"))
    found = _CULTURE.fullmatch(said) if isinstance(said, str) else None
    return f"{found[1].lower()}-{found[2].upper()}" if found else None


def _account_number(value: object) -> str | None:
    """A number as it is: a part of one would be another customer's."""
    number = _line(value)
    return number if number is not None and len(number) <= _LONGEST_NUMBER else None


def _line(value: object) -> str | None:
    """Text in one line, without what steers terminals, mails or files."""
    if not isinstance(value, str):
        return None
    return " ".join("".join(c if c.isprintable() else " " for c in value).split())[:_LONGEST_LINE].strip() or None


def _word(words: type[Word], value: object) -> Word | None:
    """One of the words that there are, whatever the case of its letters."""
    return words(value.lower()) if isinstance(value, str) and value.lower() in set(words) else None


def _moment(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
        return found.astimezone(UTC) if found is not None and found.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _objects(value: object) -> list[Json] | None:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else None
