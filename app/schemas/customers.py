"""The customer's record."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StrictInt

from app.domain.customers import Contract, ContractStatus, Customer, Document, DocumentVisibility
from app.schemas.base import Answered, Culture, Email, Given, Line, Moment

MOST_LINKED = 1000

AccountNumber = Annotated[Line, Field(max_length=64, description="The customer number, such as `20019188`.")]


class ContractBody(Given):
    """A contract linked to the customer."""

    contract_id: UUID
    contract_number: Line
    status: ContractStatus
    invoice_count: StrictInt = Field(0, ge=0, le=1_000_000, description="Invoices linked to the contract.")


class DocumentBody(Given):
    """A document linked to the customer."""

    document_id: UUID
    name: Line
    visibility: DocumentVisibility
    created_date_time: Moment


class CustomerRecord(Given):
    """The whole record; what is left out goes back to its default."""

    model_config = Given.model_config | {
        "json_schema_extra": {
            "examples": [
                {
                    "accountNumber": "20019188",
                    "displayName": "Jan Peeters",
                    "email": "jan.peeters@example.com",
                    "language": "nl-BE",
                    "contracts": [
                        {
                            "contractId": "0199d8a0-0000-7000-8000-000000000100",
                            "contractNumber": "C-1000",
                            "status": "signed",
                            "invoiceCount": 3,
                        }
                    ],
                    "documents": [
                        {
                            "documentId": "0199d8a0-0000-7000-8000-000000000200",
                            "name": "Welcome letter",
                            "visibility": "portal",
                            "createdDateTime": "2026-01-02T00:00:00Z",
                        }
                    ],
                }
            ]
        }
    }

    account_number: AccountNumber
    display_name: Line
    email: Email | None = None
    language: Culture | None = Field(None, description="Absent: the organisation's default language.")
    contracts: list[ContractBody] = Field([], max_length=MOST_LINKED)
    documents: list[DocumentBody] = Field([], max_length=MOST_LINKED)

    def customer(self, customer_id: UUID) -> Customer:
        """The domain's customer."""
        return Customer(
            customer_id=customer_id,
            account_number=self.account_number,
            display_name=self.display_name,
            email=self.email,
            language=self.language,
            contracts=tuple(
                Contract(one.contract_id, one.contract_number, one.status, one.invoice_count) for one in self.contracts
            ),
            documents=tuple(
                Document(one.document_id, one.name, one.visibility, one.created_date_time) for one in self.documents
            ),
        )


class LinkedContract(Answered):
    """A contract linked to the customer."""

    contract_id: UUID
    contract_number: str
    status: ContractStatus
    invoice_count: int


class LinkedDocument(Answered):
    """A document linked to the customer."""

    document_id: UUID
    name: str
    visibility: DocumentVisibility
    created_date_time: datetime


class CustomerBody(Answered):
    """The customer's record as it is kept here."""

    customer_id: UUID
    account_number: str
    display_name: str
    email: str | None
    language: str | None
    contracts: list[LinkedContract]
    documents: list[LinkedDocument]

    @classmethod
    def of(cls, customer: Customer) -> "CustomerBody":
        """From the domain's customer."""
        return cls(
            customer_id=customer.customer_id,
            account_number=customer.account_number,
            display_name=customer.display_name,
            email=customer.email,
            language=customer.language,
            contracts=[
                LinkedContract(
                    contract_id=one.contract_id,
                    contract_number=one.contract_number,
                    status=one.status,
                    invoice_count=one.invoice_count,
                )
                for one in customer.contracts
            ],
            documents=[
                LinkedDocument(
                    document_id=one.document_id,
                    name=one.name,
                    visibility=one.visibility,
                    created_date_time=one.created_at,
                )
                for one in customer.documents
            ],
        )
