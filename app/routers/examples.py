"""An example of each answer, for the explorer; a test holds them against their models."""

from types import MappingProxyType
from typing import Any

from app.domain.cards import Action
from app.routers.platform.examples import NOTIFICATION, PLATFORM_EXAMPLES

_CUSTOMER = "0199d8a0-0000-7000-8000-000000000010"
_INVITATION = "01a2049d-ce12-7020-ac1b-8a2b28548b35"
_SESSION = "01a2049d-cf60-7a11-9d2e-3b1f0c5a7e42"
_MAIL = "01a2049d-ce12-7020-ac1b-8a2c3fab6b32"

_EMPLOYEE = {"type": "employee", "id": "employee-1", "name": "Eva Maes"}

_LINK: dict[str, Any] = {
    "id": _INVITATION,
    "customerId": _CUSTOMER,
    "email": "jan.peeters@example.com",
    "language": "nl-BE",
    "status": "pending",
    "createdDateTime": "2026-11-22T18:56:20.495819Z",
    "createdBy": _EMPLOYEE,
    "expiresDateTime": "2026-12-06T18:56:20.495819Z",
    "viewedDateTime": None,
    "endedDateTime": None,
    "communication": {
        "id": _MAIL,
        "status": "successful",
        "attempts": 1,
        "lastError": None,
        "sentDateTime": "2026-11-22T18:56:20.601224Z",
    },
}

_ACTIVITY: dict[str, Any] = {
    "id": "01a2049d-ce15-71f3-b64e-0f1b6278c5b7",
    "type": "PortalInvitationSent",
    "occurredDateTime": "2026-11-22T18:56:20.498731Z",
    "customerId": _CUSTOMER,
    "accountNumber": "20019188",
    "actor": _EMPLOYEE,
    "impersonation": None,
    "subject": {"type": "invitation", "id": _INVITATION},
    "ipAddress": "192.0.2.10",
    "userAgent": "Mozilla/5.0",
    "correlationId": "246abee0fbb083a95a4c1c7131753000",
    "payload": {"email": "j***@example.com", "communicationId": _MAIL},
}

_MAIL_ENTRY: dict[str, Any] = {
    "id": _MAIL,
    "kind": "invitation",
    "email": "jan.peeters@example.com",
    "language": "nl-BE",
    "status": "successful",
    "automatic": False,
    "attempts": 1,
    "lastError": None,
    "createdDateTime": "2026-11-22T18:56:20.495819Z",
    "createdBy": _EMPLOYEE,
    "sentDateTime": "2026-11-22T18:56:20.601224Z",
    "deliveredDateTime": "2026-11-22T18:56:22.017663Z",
    "resentFrom": None,
    "links": [{"purpose": "invitation", "id": _INVITATION, "state": "pending"}],
}

_ENDPOINT: dict[str, Any] = {
    "id": "01a204b3-6f0c-7d18-93a5-2e5f1c7b9a40",
    "url": "https://partner.example.com/portal-events",
    "types": ["PortalAccountRegistered", "PortalEmailConfirmed"],
    "includePersonalData": False,
    "status": "enabled",
    "disabledReason": None,
    "disabledDateTime": None,
    "createdDateTime": "2026-11-22T19:20:11.302456Z",
    "secretCreatedDateTime": "2026-11-22T19:20:11.302456Z",
}
_ENDPOINT_WITH_SECRET = _ENDPOINT | {"secret": "whsec_wF3kq0pXlnMZ1yVYt8h2bC5rJ7uGdSaE4oNvIxQ9TfM="}

_DELIVERY: dict[str, Any] = {
    "id": "01a204b4-1a77-7e02-8c4d-6b0f9d3e5a21",
    "endpointId": _ENDPOINT["id"],
    "activityId": _ACTIVITY["id"],
    "type": "PortalAccountRegistered",
    "status": "pending",
    "attempts": 1,
    "lastStatus": 503,
    "lastError": "It answered 503 Service Unavailable: back in a minute",
    "createdDateTime": "2026-11-22T19:31:40.118204Z",
    "lastAttemptDateTime": "2026-11-22T19:31:40.201377Z",
    "nextAttemptDateTime": "2026-11-22T19:32:40.530117Z",
    "deliveredDateTime": None,
}

_IMPERSONATION: dict[str, Any] = {
    "id": "01a2049d-d1a0-7c43-8e11-5b7f3d2a9c66",
    "customerId": _CUSTOMER,
    "employee": {"id": "employee-1", "name": "Eva Maes"},
    "reason": "Customer asks for help with an invoice",
    "ticketReference": "T-4711",
    "accessMode": "readonly",
    "state": "ended",
    "createdDateTime": "2026-11-22T19:10:02.118204Z",
    "redeemedDateTime": "2026-11-22T19:10:09.530117Z",
    "expiresDateTime": "2026-11-22T19:25:02.118204Z",
    "endedDateTime": "2026-11-22T19:14:46.902331Z",
    "endedBy": _EMPLOYEE,
    "endReason": "banner",
}
_OPEN = {"endedDateTime": None, "endedBy": None, "endReason": None}

_DOCUMENT: dict[str, Any] = {
    "documentId": "0199d8a0-0000-7000-8000-0000000000d1",
    "name": "Annual statement 2026",
    "visibility": "portal",
    "createdDateTime": "2026-11-20T09:00:00Z",
    "viewed": True,
}
_VIEWS: dict[str, Any] = {
    **_DOCUMENT,
    "firstViewedDateTime": "2026-11-22T19:03:10.407113Z",
    "lastViewedDateTime": "2026-11-22T19:04:55.281940Z",
    "viewCount": 2,
}

_SESSION_ENTRY: dict[str, Any] = {
    "id": _SESSION,
    "createdDateTime": "2026-11-22T19:02:11.860385Z",
    "lastSeenDateTime": "2026-11-22T19:05:40.113902Z",
    "expiresDateTime": "2026-11-22T19:35:40.113902Z",
    "ipAddress": "192.0.2.77",
    "userAgent": "Mozilla/5.0",
    "current": True,
}

_ROLE: dict[str, Any] = {
    "id": "01a2049d-d011-7c3e-8d52-6a0e4f1b9c27",
    "name": "Service desk",
    "permissions": ["portal.invite", "portal.read"],
    "builtIn": False,
    "createdDateTime": "2026-11-22T18:50:11.270114Z",
}

_ROLE_ASSIGNMENT: dict[str, Any] = {
    "id": "01a2049d-d1f4-72c6-b0f3-2b7a9e5d1c08",
    "subject": "3f8a1c52-employee",
    "role": None,
    "roleId": _ROLE["id"],
    "roleName": _ROLE["name"],
    "createdDateTime": "2026-11-22T18:51:02.418305Z",
    "createdBy": _EMPLOYEE,
}

_ACCOUNT: dict[str, Any] = {
    "accountId": "01a2049d-d1f0-7c44-8f0b-5f2b7a9c1e60",
    "email": "jan.peeters@example.com",
    "state": "retired",
    "portalStatus": "active",
    "registeredDateTime": "2021-03-04T09:12:45Z",
    "emailConfirmedDateTime": "2021-03-04T09:20:02Z",
    "lastActiveDateTime": None,
    "imported": True,
}

_BATCH: dict[str, Any] = {
    "id": "01a2049d-d2a0-7b19-a4c8-1f6e0d3b7a55",
    "status": "running",
    "onlyValidate": False,
    "counts": {"requested": 800, "invited": 412, "skipped": 31, "failed": 7, "pending": 350},
    "createdDateTime": "2026-11-22T19:10:03.204117Z",
    "finishedDateTime": None,
}

_BATCH_RESULT: dict[str, Any] = {
    "customerId": _CUSTOMER,
    "accountNumber": "20019188",
    "outcome": "skipped",
    "key": "USER_ALREADY_EXISTS",
}

_SETTINGS: dict[str, Any] = {
    "name": "Zonneveld Warmte",
    "portalEnabled": True,
    "portalUrl": "https://portal.example.com",
    "defaultLanguage": "nl-BE",
    "features": {
        "documents": True,
        "invoices": True,
        "advancePaymentAdjustable": False,
        "editContactDetails": True,
    },
    "tokenLifetimes": {"invitationHours": 336, "emailConfirmationHours": 24, "passwordResetMinutes": 60},
    "confirmOnInvitation": False,
    "impersonationEnabled": True,
    "showAccessLog": False,
    "notifyAfterImpersonation": False,
    "retentionDays": None,
    "sender": {"name": "Zonneveld Warmte", "email": "portal@example.com"},
    "branding": {"primaryColor": "#0b6e4f", "secondaryColor": None, "logoUrl": None},
    "communicationEnabled": True,
    "sandboxRecipient": None,
}


def _button(action: Action) -> dict[str, Any]:
    if action is Action.SEND_INVITATION:
        return {"action": action.value, "allowed": True, "key": None, "reason": None}
    reason = "The customer has no portal account"
    return {"action": action.value, "allowed": False, "key": "USER_NOT_FOUND", "reason": reason}


def _page(entry: dict[str, Any]) -> dict[str, Any]:
    return {"results": [entry], "hasNextPage": False, "nextPageToken": None}


EXAMPLES: MappingProxyType[str, Any] = MappingProxyType(
    {
        "CustomerBody": {
            "customerId": _CUSTOMER,
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
            "documents": [],
        },
        "CustomerLineResult": {
            "line": 2,
            "customerId": "0199d8a0-0000-7000-8000-000000000011",
            "status": "failed",
            "key": "VALIDATION_FAILED",
            "errors": [
                {
                    "field": "accountNumber",
                    "key": "VALIDATION_FAILED",
                    "message": "Another customer of the organisation has this account number.",
                }
            ],
        },
        "PageBody_PortalAccountBody_": {
            "results": [
                {
                    "customerId": _CUSTOMER,
                    "accountNumber": "20019188",
                    "displayName": "Jan Peeters",
                    "accountId": "01a2049d-cf00-7d22-a4c1-90b6e7f3d815",
                    "email": "jan.peeters@example.com",
                    "state": "live",
                    "portalStatus": "active",
                    "registeredDateTime": "2026-11-22T18:58:03.752107Z",
                    "emailConfirmedDateTime": "2026-11-22T18:59:30.118342Z",
                    "lastActiveDateTime": "2026-11-22T19:05:40.113902Z",
                    "imported": False,
                    "invitedDateTime": "2026-11-22T18:56:20.495819Z",
                }
            ],
            "hasNextPage": False,
            "nextPageToken": None,
        },
        "VerificationBody": {
            "verified": False,
            "checkedEntries": 18_204,
            "firstDateTime": "2025-11-23T08:00:11.204117Z",
            "lastDateTime": "2026-11-22T18:56:20.498731Z",
            "sealedUntilDateTime": "2026-11-22T18:54:57.310226Z",
            "problems": [
                {
                    "kind": "changed",
                    "message": "The entry was changed after its sealing.",
                    "activityId": _ACTIVITY["id"],
                    "sealSequence": 412,
                    "occurredDateTime": _ACTIVITY["occurredDateTime"],
                }
            ],
        },
        "Statistics": {
            "totals": {"customers": 1200, "invited": 800, "registered": 420, "active": 390},
            "weeks": [
                {"week": "2026-W46", "invited": 0, "registered": 3, "confirmed": 2},
                {"week": "2026-W47", "invited": 500, "registered": 120, "confirmed": 111},
            ],
        },
        "CardBody": {
            "customerId": _CUSTOMER,
            "accountNumber": "20019188",
            "displayName": "Jan Peeters",
            "contactEmail": "jan.peeters@example.com",
            "portalEnabled": True,
            "portalUrl": "https://portal.example.com",
            "portalStatus": "noaccount",
            "hasAccount": False,
            "email": None,
            "emailConfirmed": False,
            "emailConfirmedDateTime": None,
            "registeredDateTime": None,
            "lastActiveDateTime": None,
            "accountCount": 0,
            "pendingInvitation": _LINK,
            "pendingPasswordReset": None,
            "pendingEmailConfirmation": None,
            "activeImpersonation": None,
            "actions": [_button(action) for action in Action],
        },
        "LinkBody": _LINK,
        "AccountBody": _ACCOUNT,
        "PageBody_AccountBody_": _page(_ACCOUNT),
        "EndedSessionsBody": {"endedSessions": 2},
        "PageBody_LinkBody_": _page(_LINK),
        "MailBody": _MAIL_ENTRY,
        "PageBody_MailBody_": _page(_MAIL_ENTRY),
        "ReportsBody": {"accepted": 2},
        "PageBody_MyDocumentBody_": _page(_DOCUMENT),
        "DocumentViewsBody": _VIEWS,
        "PageBody_DocumentViewsBody_": _page(_VIEWS),
        "PageBody_ActivityBody_": _page(_ACTIVITY),
        "PageBody_SessionBody_": _page(_SESSION_ENTRY),
        "DiagnosisBody": {
            "customerId": _CUSTOMER,
            "checkedDateTime": "2026-11-22T19:10:02.118209Z",
            "findings": [
                {
                    "code": "customerhasnoemail",
                    "severity": "blocking",
                    "problem": "The customer has no e-mail address.",
                    "solution": "Add the e-mail address and send the invitation again.",
                    "action": {
                        "method": "POST",
                        "path": f"/api/portal/v1/customers/{_CUSTOMER}/portal/invitations",
                    },
                    "evidence": {"hasAccount": False},
                }
            ],
            "checks": [
                {"code": "customerhasnoemail", "outcome": "finding"},
                {"code": "registrationlinknotworking", "outcome": "notapplicable"},
            ],
        },
        "RoleBody": _ROLE,
        "InvitationBatchBody": _BATCH,
        "PageBody_BatchResultBody_": _page(_BATCH_RESULT),
        "PageBody_RoleBody_": _page(_ROLE),
        "RoleAssignmentBody": _ROLE_ASSIGNMENT,
        "PageBody_RoleAssignmentBody_": _page(_ROLE_ASSIGNMENT),
        "WebhookEndpointBody": _ENDPOINT,
        "PageBody_WebhookEndpointBody_": _page(_ENDPOINT),
        "EndpointWithSecretBody": _ENDPOINT_WITH_SECRET,
        "WebhookDeliveryBody": _DELIVERY,
        "PageBody_WebhookDeliveryBody_": _page(_DELIVERY),
        "StartedImpersonationBody": _IMPERSONATION
        | _OPEN
        | {
            "state": "pending",
            "redeemedDateTime": None,
            "portalLoginUrl": "https://portal.example.com/impersonate#token=IkFabllvQUFBY0FDQUFBQUFBQUFBQWdHaUJKMyI.…",
            "handoffExpiresDateTime": "2026-11-22T19:11:02.118204Z",
        },
        "ImpersonationBody": _IMPERSONATION,
        "PageBody_ImpersonationBody_": _page(_IMPERSONATION),
        "PageBody_ImpersonationOverviewBody_": _page(
            _IMPERSONATION
            | {"accountNumber": "20019188", "displayName": "Jan Peeters", "durationSeconds": 277, "actionCount": 2}
        ),
        "PageBody_AccessLogEntry_": _page(
            {
                "employeeName": "Eva Maes",
                "reason": _IMPERSONATION["reason"],
                "accessMode": "readonly",
                "createdDateTime": _IMPERSONATION["createdDateTime"],
                "redeemedDateTime": _IMPERSONATION["redeemedDateTime"],
                "endedDateTime": _IMPERSONATION["endedDateTime"],
            }
        ),
        "IntrospectionBody": {
            "active": True,
            "sub": _CUSTOMER,
            "organisation_id": "0199d8a0-0000-7000-8000-000000000002",
            "account_number": "20019188",
            "exp": 1795375502,
            "iat": 1795374609,
            "scope": "look",
            "act": {"sub": "employee-1", "name": "Eva Maes"},
            "access_mode": "readonly",
        },
        "PortalSettingsBody": _SETTINGS,
        **PLATFORM_EXAMPLES,
        "InspectionBody": {
            "purpose": "invitation",
            "state": "pending",
            "email": "j***@example.com",
            "expiresDateTime": "2026-12-06T18:56:20.495819Z",
            "accountNumberRequired": True,
        },
        "RegisteredBody": {"portalStatus": "notconfirmed", "email": "jan.peeters@example.com"},
        "Accepted": {"accepted": True},
        "PlatformEventBody": {"eventId": "01a2049d-ce20-7d33-8a41-5d2f90c7b6e1"},
        "LoggedInBody": {
            "accessToken": "zfp_AZnYoAAAcACAAAAAAAAAAgGiBJ3…",
            "expiresDateTime": "2026-11-23T07:02:11.860385Z",
            "customerId": _CUSTOMER,
        },
        "Me": {
            "account": {
                "email": "jan.peeters@example.com",
                "emailConfirmed": True,
                "registeredDateTime": "2026-11-22T18:58:03.752107Z",
                "portalStatus": "active",
            },
            "customer": {
                "customerId": _CUSTOMER,
                "accountNumber": "20019188",
                "displayName": "Jan Peeters",
                "language": "nl-BE",
            },
            "organisation": {
                "organisationId": "0199d8a0-0000-7000-8000-000000000002",
                "name": _SETTINGS["name"],
                "features": _SETTINGS["features"],
                "pageNotifications": [NOTIFICATION],
            },
            "impersonation": None,
        },
        "Alive": {"status": "ok"},
        "Ready": {"status": "ready", "migration": "8e2f6a41d0b7"},
        "CapturedMailBody": {
            "to": "jan.peeters@example.com",
            "subject": "Uw uitnodiging voor het klantenportaal van Zonneveld Warmte",
            "text": "Maak uw account voor het klantenportaal aan …",
            "html": "<!doctype html>…",
            "headers": {"Message-ID": f"<{_MAIL}.0199d8a0-0000-7000-8000-000000000002@example.com>"},
            "communicationId": _MAIL,
            "receivedDateTime": "2026-11-22T18:56:20.601224Z",
        },
    }
)
