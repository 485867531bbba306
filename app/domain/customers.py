"""The end customer's record, as the billing system tells it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class ContractStatus(StrEnum):
    """Where a contract stands in the billing system."""

    DRAFT = "draft"
    SENT = "sent"
    SIGNED = "signed"
    CANCELLED = "cancelled"
    TERMINATED = "terminated"


class DocumentVisibility(StrEnum):
    """Who may see a document."""

    INTERNAL = "internal"
    PORTAL = "portal"
    PORTAL_AND_MOVE_IN = "portalandmovein"


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract linked to the customer, and how many invoices are linked to it."""

    contract_id: UUID
    contract_number: str
    status: ContractStatus
    invoice_count: int


@dataclass(frozen=True, slots=True)
class Document:
    """A document linked to the customer."""

    document_id: UUID
    name: str
    visibility: DocumentVisibility
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer of one organisation; `language` None means the organisation's default."""

    customer_id: UUID
    account_number: str
    display_name: str
    email: str | None
    language: str | None
    contracts: tuple[Contract, ...] = ()
    documents: tuple[Document, ...] = ()
    account_generation: int = 0


@dataclass(frozen=True, slots=True)
class KeptCustomer:
    """A customer's whole record, and when it was last changed."""

    customer: Customer
    changed_at: datetime


def same_customer_number(given: str, known: str) -> bool:
    """Whether the customer typed this number; spaces around and inside and letter case do not matter."""
    return plain_number(given) == plain_number(known)


def plain_number(number: str) -> str:
    """A customer number as numbers are compared: without white space of any kind, in lower case."""
    return "".join(number.split()).casefold()
