"""From rows to domain types: one function per type, used by every repository that joins it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, Label, bindparam, case, func, null
from sqlalchemy.types import Uuid

from app.database import Row
from app.domain.accounts import Account, AccountRecord, AccountState
from app.domain.callers import Actor, ActorType
from app.domain.communications import Communication, CommunicationStatus
from app.domain.customers import Contract, ContractStatus, Customer, Document, DocumentVisibility
from app.domain.impersonations import TIME, AccessMode, EndReason, Impersonation, ImpersonationState
from app.domain.one_time_tokens import OneTimeToken, TokenState
from app.domain.organisations import Branding, Features, Organisation, Sender, TokenLifetimes
from app.models import accounts, communications, customers, impersonations, organisations, tokens
from app.repositories.public_portals import page_notification_from_json, public_portal_from_json
from app.tokens import Purpose

ORGANISATION = bindparam("organisation_id", type_=Uuid())


def prefixed(table: FromClause, prefix: str, names: Iterable[str]) -> list[Label[Any]]:
    """The table's columns under names that do not clash in a join."""
    return [table.c[name].label(prefix + name) for name in names]


ORGANISATION_COLUMNS = [column.label(f"o_{column.name}") for column in organisations.c]
CUSTOMER_NAMES = (
    "id",
    "account_number",
    "display_name",
    "email",
    "language",
    "account_generation",
)
ACCOUNT_NAMES = (
    "id",
    "customer_id",
    "email",
    "language",
    "registered_at",
    "email_confirmed_at",
    "last_active_at",
    "generation",
    "email_changed_at",
)
COMMUNICATION_NAMES = ("id", "status", "attempts", "last_error", "sent_at")
TOKEN_NAMES = (
    "id",
    "purpose",
    "customer_id",
    "account_id",
    "email",
    "language",
    "created_at",
    "created_by_type",
    "created_by_id",
    "created_by_name",
    "expires_at",
    "viewed_at",
)
IMPERSONATION_NAMES = (
    "id",
    "customer_id",
    "account_id",
    "employee_id",
    "employee_name",
    "reason",
    "ticket_reference",
    "access_mode",
    "created_at",
    "handoff_expires_at",
    "expires_at",
    "redeemed_at",
)
CUSTOMER_COLUMNS = prefixed(customers, "c_", CUSTOMER_NAMES)
ACCOUNT_COLUMNS = prefixed(accounts, "a_", ACCOUNT_NAMES)
ACCOUNT_RECORD_COLUMNS = [*ACCOUNT_COLUMNS, *prefixed(accounts, "a_", ("state", "imported"))]


def communication_columns(table: FromClause = communications, prefix: str = "m_") -> list[Label[Any]]:
    """The columns that `communication` reads."""
    return prefixed(table, prefix, COMMUNICATION_NAMES)


def token_columns(table: FromClause = tokens, prefix: str = "t_") -> list[ColumnElement[Any]]:
    """The columns that `one_time_token` reads; the database's clock says whether a pending one has expired."""
    expired = (table.c.state == TokenState.PENDING.value) & (table.c.expires_at <= func.now())
    return [
        *prefixed(table, prefix, TOKEN_NAMES),
        case((expired, TokenState.EXPIRED.value), else_=table.c.state).label(prefix + "state"),
        case((expired, table.c.expires_at), else_=table.c.ended_at).label(prefix + "ended_at"),
    ]


def over_at(table: FromClause = impersonations) -> ColumnElement[Any]:
    """When time ends an impersonation: with its hand-off link, until that is redeemed."""
    return case((table.c.redeemed_at.is_(None), table.c.handoff_expires_at), else_=table.c.expires_at)


def is_overdue(table: FromClause = impersonations) -> ColumnElement[bool]:
    """Whether time has ended an impersonation that nobody has closed."""
    return table.c.ended_at.is_(None) & (over_at(table) <= func.now())


def impersonation_columns(table: FromClause = impersonations, prefix: str = "i_") -> list[ColumnElement[Any]]:
    """The columns that `impersonation` reads; the database's clock says whether an open one has expired."""
    overdue = is_overdue(table)
    closed_by_time = {
        "state": ImpersonationState.EXPIRED.value,
        "ended_at": over_at(table),
        "ended_by_type": TIME.type.value,
        "ended_by_id": TIME.id,
        "ended_by_name": null(),
        "end_reason": EndReason.EXPIRED.value,
    }
    return [
        *prefixed(table, prefix, IMPERSONATION_NAMES),
        *(case((overdue, end), else_=table.c[name]).label(prefix + name) for name, end in closed_by_time.items()),
    ]


def organisation(row: Row) -> Organisation:
    """From ORGANISATION_COLUMNS."""
    return Organisation(
        tenant_id=row["o_tenant_id"],
        organisation_id=row["o_organisation_id"],
        name=row["o_name"],
        portal_enabled=row["o_portal_enabled"],
        portal_url=row["o_portal_url"],
        default_language=row["o_default_language"],
        features=Features(
            documents=row["o_feature_documents"],
            invoices=row["o_feature_invoices"],
            advance_payment_adjustable=row["o_feature_advance_payment_adjustable"],
            edit_contact_details=row["o_feature_edit_contact_details"],
        ),
        token_lifetimes=TokenLifetimes(
            invitation=timedelta(seconds=row["o_invitation_seconds"]),
            email_confirmation=timedelta(seconds=row["o_email_confirmation_seconds"]),
            password_reset=timedelta(seconds=row["o_password_reset_seconds"]),
        ),
        confirm_on_invitation=row["o_confirm_on_invitation"],
        impersonation_enabled=row["o_impersonation_enabled"],
        show_access_log=row["o_show_access_log"],
        notify_after_impersonation=row["o_notify_after_impersonation"],
        retention_days=row["o_retention_days"],
        sender=Sender(row["o_sender_name"], row["o_sender_email"]),
        branding=Branding(row["o_primary_color"], row["o_secondary_color"], row["o_logo_url"]),
        communication_enabled=row["o_communication_enabled"],
        sandbox_recipient=row["o_sandbox_recipient"],
        public_portal=public_portal_from_json(row["o_public_portal"]),
        page_notifications=tuple(page_notification_from_json(one) for one in row["o_page_notifications"]),
    )


def customer(row: Row) -> Customer:
    """From CUSTOMER_COLUMNS: without contracts and documents, which may be many and few readers want."""
    return Customer(
        customer_id=row["c_id"],
        account_number=row["c_account_number"],
        display_name=row["c_display_name"],
        email=row["c_email"],
        language=row["c_language"],
        account_generation=row["c_account_generation"],
    )


def contract_json(contract: Contract) -> dict[str, Any]:
    """As it is kept in the customer's row."""
    return {
        "contractId": str(contract.contract_id),
        "contractNumber": contract.contract_number,
        "status": contract.status.value,
        "invoiceCount": contract.invoice_count,
    }


def document_json(document: Document) -> dict[str, Any]:
    """As it is kept in the customer's row."""
    return {
        "documentId": str(document.document_id),
        "name": document.name,
        "visibility": document.visibility.value,
        "createdDateTime": document.created_at.isoformat(),
    }


def contract_from_json(kept: dict[str, Any]) -> Contract:
    """From the customer's row."""
    return Contract(
        contract_id=UUID(kept["contractId"]),
        contract_number=kept["contractNumber"],
        status=ContractStatus(kept["status"]),
        invoice_count=kept["invoiceCount"],
    )


def document_from_json(kept: dict[str, Any]) -> Document:
    """From the customer's row."""
    return Document(
        document_id=UUID(kept["documentId"]),
        name=kept["name"],
        visibility=DocumentVisibility(kept["visibility"]),
        created_at=datetime.fromisoformat(kept["createdDateTime"]),
    )


def account(row: Row) -> Account | None:
    """From ACCOUNT_COLUMNS; None when an outer join found none."""
    if row["a_id"] is None:
        return None
    return Account(
        account_id=row["a_id"],
        customer_id=row["a_customer_id"],
        email=row["a_email"],
        language=row["a_language"],
        registered_at=row["a_registered_at"],
        email_confirmed_at=row["a_email_confirmed_at"],
        last_active_at=row["a_last_active_at"],
        generation=row["a_generation"],
        email_changed_at=row["a_email_changed_at"],
    )


def account_record(row: Row) -> AccountRecord:
    """From ACCOUNT_RECORD_COLUMNS, of a row that is there."""
    found = account(row)
    assert found is not None
    return AccountRecord(found, AccountState(row["a_state"]), row["a_imported"])


def communication(row: Row, prefix: str = "m_") -> Communication | None:
    """From communication_columns; None when an outer join found none."""
    if row[prefix + "id"] is None:
        return None
    return Communication(
        id=row[prefix + "id"],
        status=CommunicationStatus(row[prefix + "status"]),
        attempts=row[prefix + "attempts"],
        last_error=row[prefix + "last_error"],
        sent_at=row[prefix + "sent_at"],
    )


def one_time_token(row: Row, prefix: str = "t_", mail_prefix: str = "m_") -> OneTimeToken:
    """From token_columns and communication_columns."""
    return OneTimeToken(
        id=row[prefix + "id"],
        purpose=Purpose(row[prefix + "purpose"]),
        customer_id=row[prefix + "customer_id"],
        account_id=row[prefix + "account_id"],
        email=row[prefix + "email"],
        language=row[prefix + "language"],
        state=TokenState(row[prefix + "state"]),
        created_at=row[prefix + "created_at"],
        created_by=Actor(
            ActorType(row[prefix + "created_by_type"]),
            row[prefix + "created_by_id"],
            row[prefix + "created_by_name"],
        ),
        expires_at=row[prefix + "expires_at"],
        viewed_at=row[prefix + "viewed_at"],
        ended_at=row[prefix + "ended_at"],
        communication=communication(row, mail_prefix),
    )


def impersonation(row: Row, prefix: str = "i_") -> Impersonation | None:
    """From impersonation_columns; None when an outer join found none."""
    if row[prefix + "id"] is None:
        return None
    ended_by = row[prefix + "ended_by_type"]
    return Impersonation(
        id=row[prefix + "id"],
        customer_id=row[prefix + "customer_id"],
        account_id=row[prefix + "account_id"],
        employee=Actor(ActorType.EMPLOYEE, row[prefix + "employee_id"], row[prefix + "employee_name"]),
        reason=row[prefix + "reason"],
        ticket_reference=row[prefix + "ticket_reference"],
        access_mode=AccessMode(row[prefix + "access_mode"]),
        state=ImpersonationState(row[prefix + "state"]),
        created_at=row[prefix + "created_at"],
        handoff_expires_at=row[prefix + "handoff_expires_at"],
        expires_at=row[prefix + "expires_at"],
        redeemed_at=row[prefix + "redeemed_at"],
        ended_at=row[prefix + "ended_at"],
        ended_by=Actor(ActorType(ended_by), row[prefix + "ended_by_id"], row[prefix + "ended_by_name"])
        if ended_by
        else None,
        end_reason=row[prefix + "end_reason"],
    )
