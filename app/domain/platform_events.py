"""What the platform tells of its customers, and what that changes in the record kept here.

A change knows only what it was told: the rest of the record stays as it is, so that what comes late, twice or in pieces
loses nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol, TypeVar
from uuid import UUID

from app.domain.customers import Contract, ContractStatus, Customer, Document, DocumentVisibility

T = TypeVar("T")

REPEATED_WITHIN = timedelta(minutes=5)
"""The same body within this time is the same event, sent again."""


class PlatformEventKind(StrEnum):
    """The platform's events that change something here; it sends others too."""

    CUSTOMER_CREATED = "customercreated"
    CUSTOMER_DETAILS_CHANGED = "customerdetailschanged"
    CONTRACT_SIGNED = "contractsigned"
    CONTRACT_TERMINATED = "contractterminated"
    CONTRACT_UPDATED = "contractupdated"
    ATTACHMENT_CREATED = "entityattachmentcreated"
    ATTACHMENT_UPDATED = "entityattachmentupdated"
    ATTACHMENT_DELETED = "entityattachmentdeleted"
    INVOICE_AVAILABLE = "invoiceavailable"
    FEATURE_FLAGS_UPDATED = "featureflagsupdated"
    CULTURE_UPDATED = "cultureupdated"


class PlatformEventState(StrEnum):
    """What became of an event."""

    WAITING = "waiting"
    APPLIED = "applied"
    IGNORED = "ignored"
    CUSTOMER_GONE = "customergone"  # the platform does not know the customer any more


@dataclass(frozen=True, slots=True)
class PlatformEvent:
    """An event as it came in."""

    kind: str
    customer_id: UUID | None
    body: Mapping[str, Any]
    body_digest: bytes

    @property
    def may_change(self) -> bool:
        """Whether it is of a kind that changes something, and says for whom."""
        if self.kind == PlatformEventKind.FEATURE_FLAGS_UPDATED:
            return True
        return self.kind in set(PlatformEventKind) and self.customer_id is not None


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """An event that waits for its effect."""

    id: UUID
    kind: str
    body: Mapping[str, Any]
    received_at: datetime
    correlation_id: str
    told_before: bool  # the very same body had its effect already


class CustomerChange(Protocol):
    """Something that was told of a customer."""

    def on(self, known: Customer | None) -> Customer | None:
        """The record with it; None while there is none and this is not enough to make one."""


@dataclass(frozen=True, slots=True)
class ToldContract:
    """A contract; None stands for what was not told."""

    contract_id: UUID
    contract_number: str | None = None
    status: ContractStatus | None = None
    invoice_count: int | None = None

    def over(self, known: Contract | None) -> Contract | None:
        """The contract as it is now; None when too little is known of it."""
        number = self.contract_number or (known.contract_number if known else None)
        status = self.status or (known.status if known else None)
        if number is None or status is None:
            return None
        kept = known.invoice_count if known else 0
        return Contract(self.contract_id, number, status, kept if self.invoice_count is None else self.invoice_count)


@dataclass(frozen=True, slots=True)
class ToldDocument:
    """A document; None stands for what was not told. `told_at` dates one whose age nobody tells."""

    document_id: UUID
    told_at: datetime
    name: str | None = None
    visibility: DocumentVisibility | None = None
    created_at: datetime | None = None

    def over(self, known: Document | None) -> Document | None:
        """The document as it is now; None when too little is known of it. Nobody sees one that is not said to be
        for the portal."""
        name = self.name or (known.name if known else None)
        if name is None:
            return None
        return Document(
            self.document_id,
            name,
            self.visibility or (known.visibility if known else DocumentVisibility.INTERNAL),
            self.created_at or (known.created_at if known else self.told_at),
        )


@dataclass(frozen=True, slots=True)
class ToldCustomer:
    """The customer, whole or in part: None stands for what was not told, lists are complete.

    `says_email` tells a customer without an address from one whose address was not told.
    """

    customer_id: UUID
    account_number: str | None = None
    display_name: str | None = None
    says_email: bool = False
    email: str | None = None
    language: str | None = None
    contracts: tuple[ToldContract, ...] | None = None
    documents: tuple[ToldDocument, ...] | None = None

    def on(self, known: Customer | None) -> Customer | None:
        """The record with all that was told."""
        if known is None:
            if self.account_number is None or self.display_name is None:
                return None
            known = Customer(self.customer_id, self.account_number, self.display_name, email=None, language=None)
        return replace(
            known,
            account_number=self.account_number or known.account_number,
            display_name=self.display_name or known.display_name,
            email=self.email if self.says_email else known.email,
            language=self.language or known.language,
            contracts=known.contracts if self.contracts is None else self._contracts(known),
            documents=known.documents if self.documents is None else self._documents(known),
        )

    def _contracts(self, known: Customer) -> tuple[Contract, ...]:
        before = {one.contract_id: one for one in known.contracts}
        told = [one.over(before.get(one.contract_id)) for one in self.contracts or ()]
        return tuple(one for one in told if one is not None)

    def _documents(self, known: Customer) -> tuple[Document, ...]:
        before = {one.document_id: one for one in known.documents}
        told = [one.over(before.get(one.document_id)) for one in self.documents or ()]
        return tuple(one for one in told if one is not None)


@dataclass(frozen=True, slots=True)
class ContractChanged:
    """One contract, and nothing of the others."""

    contract: ToldContract

    def on(self, known: Customer | None) -> Customer | None:
        """The record with the contract, new ones last."""
        if known is None:
            return None
        before = next((one for one in known.contracts if one.contract_id == self.contract.contract_id), None)
        return replace(known, contracts=_with(known.contracts, before, self.contract.over(before)))


@dataclass(frozen=True, slots=True)
class InvoiceAdded:
    """One more invoice of a contract."""

    contract_id: UUID

    def on(self, known: Customer | None) -> Customer | None:
        """The record with the invoice counted, if it has the contract."""
        if known is None:
            return None
        return replace(
            known,
            contracts=tuple(
                replace(one, invoice_count=one.invoice_count + 1) if one.contract_id == self.contract_id else one
                for one in known.contracts
            ),
        )


@dataclass(frozen=True, slots=True)
class DocumentChanged:
    """One document, and nothing of the others."""

    document: ToldDocument

    def on(self, known: Customer | None) -> Customer | None:
        """The record with the document, new ones last."""
        if known is None:
            return None
        before = next((one for one in known.documents if one.document_id == self.document.document_id), None)
        return replace(known, documents=_with(known.documents, before, self.document.over(before)))


@dataclass(frozen=True, slots=True)
class DocumentRemoved:
    """A document that is gone."""

    document_id: UUID

    def on(self, known: Customer | None) -> Customer | None:
        """The record without it."""
        if known is None:
            return None
        return replace(known, documents=tuple(one for one in known.documents if one.document_id != self.document_id))


def _with(listed: tuple[T, ...], before: T | None, now: T | None) -> tuple[T, ...]:
    """The list with one of its own replaced, or a new one at its end."""
    if now is None:
        return listed
    return (*listed, now) if before is None else tuple(now if one is before else one for one in listed)
