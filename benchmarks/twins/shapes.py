"""From rows to answers, without a step between."""

from typing import Any
from uuid import UUID

import asyncpg

from app.domain.paging import Cursor

Row = asyncpg.Record
Answer = dict[str, Any]


def card(row: Row, actions: list[Answer]) -> Answer:
    return {
        "customerId": row["c_id"],
        "accountNumber": row["c_account_number"],
        "displayName": row["c_display_name"],
        "contactEmail": row["c_email"],
        "portalEnabled": row["o_portal_enabled"],
        "portalUrl": row["o_portal_url"],
        "portalStatus": "active" if row["a_id"] else "noaccount",
        "hasAccount": row["a_id"] is not None,
        "email": row["a_email"],
        "emailConfirmed": row["a_email_confirmed_at"] is not None,
        "emailConfirmedDateTime": row["a_email_confirmed_at"],
        "registeredDateTime": row["a_registered_at"],
        "lastActiveDateTime": row["a_last_active_at"],
        "accountCount": row["account_count"],
        "pendingInvitation": link(row, "invitation_t_", "invitation_m_"),
        "pendingPasswordReset": link(row, "passwordreset_t_", "passwordreset_m_"),
        "pendingEmailConfirmation": link(row, "emailconfirmation_t_", "emailconfirmation_m_"),
        "activeImpersonation": impersonation(row) if row["i_id"] else None,
        "actions": actions,
    }


def link(row: Row, prefix: str = "t_", mail: str = "m_") -> Answer | None:
    if row[prefix + "id"] is None:
        return None
    return {
        "id": row[prefix + "id"],
        "customerId": row[prefix + "customer_id"],
        "email": row[prefix + "email"],
        "language": row[prefix + "language"],
        "status": row[prefix + "state"],
        "createdDateTime": row[prefix + "created_at"],
        "createdBy": _actor(row, prefix + "created_by"),
        "expiresDateTime": row[prefix + "expires_at"],
        "viewedDateTime": row[prefix + "viewed_at"],
        "endedDateTime": row[prefix + "ended_at"],
        "communication": {
            "id": row[mail + "id"],
            "status": row[mail + "status"],
            "attempts": row[mail + "attempts"],
            "lastError": row[mail + "last_error"],
            "sentDateTime": row[mail + "sent_at"],
        },
    }


def new_link(to: Answer, token: UUID, mail: UUID, by_whom: Answer, moments: Row) -> Answer:
    return {
        "id": token,
        "customerId": to["customer_id"],
        "email": to["email"],
        "language": to["language"],
        "status": "pending",
        "createdDateTime": moments["created_at"],
        "createdBy": {
            "type": by_whom["created_by_type"],
            "id": by_whom["created_by_id"],
            "name": by_whom["created_by_name"],
        },
        "expiresDateTime": moments["expires_at"],
        "viewedDateTime": None,
        "endedDateTime": None,
        "communication": {"id": mail, "status": "queued", "attempts": 0, "lastError": None, "sentDateTime": None},
    }


def impersonation(row: Row) -> Answer:
    return {
        "id": row["i_id"],
        "customerId": row["i_customer_id"],
        "employee": {"id": row["i_employee_id"], "name": row["i_employee_name"]},
        "reason": row["i_reason"],
        "ticketReference": row["i_ticket_reference"],
        "accessMode": row["i_access_mode"],
        "state": row["i_state"],
        "createdDateTime": row["i_created_at"],
        "redeemedDateTime": row["i_redeemed_at"],
        "expiresDateTime": row["i_expires_at"],
        "endedDateTime": row["i_ended_at"],
        "endedBy": _actor(row, "i_ended_by") if row["i_ended_by_type"] else None,
        "endReason": row["i_end_reason"],
    }


def activity(row: Row) -> Answer:
    return {
        "id": row["id"],
        "type": row["type"],
        "occurredDateTime": row["occurred_at"],
        "customerId": row["customer_id"],
        "accountNumber": row["account_number"],
        "actor": _actor(row, "actor"),
        "impersonation": {
            "sessionId": row["impersonation_id"],
            "employeeId": row["employee_id"],
            "employeeName": row["employee_name"],
        }
        if row["impersonation_id"]
        else None,
        "subject": {"type": row["subject_type"], "id": row["subject_id"]},
        "ipAddress": row["ip_address"],
        "userAgent": row["user_agent"],
        "correlationId": row["correlation_id"],
        "payload": row["payload"],
    }


def page(results: list[Answer], more: bool) -> Answer:
    last = results[-1]
    token = Cursor(last["occurredDateTime"], last["id"]).encode() if more else None
    return {"results": results, "hasNextPage": more, "nextPageToken": token}


def me(row: Row) -> Answer:
    return {
        "account": {
            "email": row["a_email"],
            "emailConfirmed": row["a_email_confirmed_at"] is not None,
            "registeredDateTime": row["a_registered_at"],
            "portalStatus": "active",
        },
        "customer": {
            "customerId": row["c_id"],
            "accountNumber": row["c_account_number"],
            "displayName": row["c_display_name"],
            "language": row["a_language"] or row["c_language"] or row["o_default_language"],
        },
        "organisation": {
            "organisationId": row["o_organisation_id"],
            "name": row["o_name"],
            "features": {
                "documents": row["o_feature_documents"],
                "invoices": row["o_feature_invoices"],
                "advancePaymentAdjustable": row["o_feature_advance_payment_adjustable"],
                "editContactDetails": row["o_feature_edit_contact_details"],
            },
            "pageNotifications": row["o_page_notifications"],
        },
        "impersonation": None,
    }


def introspection(row: Row) -> Answer:
    return {
        "active": True,
        "sub": row["c_id"],
        "organisation_id": row["o_organisation_id"],
        "account_number": row["c_account_number"],
        "exp": int(row["closes_at"].timestamp()),
        "iat": int(row["opened_at"].timestamp()),
        "scope": "look change owners",
    }


def _actor(row: Row, prefix: str) -> Answer:
    return {"type": row[prefix + "_type"], "id": row[prefix + "_id"], "name": row[prefix + "_name"]}
