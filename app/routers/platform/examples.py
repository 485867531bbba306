"""An example of each answer of the platform's existing calls."""

from types import MappingProxyType
from typing import Any

NOTIFICATION: dict[str, Any] = {
    "pageIdentifier": "login",
    "notificationType": "warning",
    "translatedContent": {"nl-BE": "Onderhoud op zondag", "fr-BE": "Maintenance dimanche"},
}


def _enveloped(data: Any) -> dict[str, Any]:
    return {
        "data": data,
        "errors": [],
        "success": True,
        "applicableEntitiesCount": 1,
        "requestedEntitiesCount": 1,
        "succeededEntitiesCount": 1,
        "isSynchronous": True,
    }


PLATFORM_EXAMPLES: MappingProxyType[str, Any] = MappingProxyType(
    {
        "CustomerAnswer": _enveloped(
            {
                "id": "0199d8a0-0000-7000-8000-000000000010",
                "entityType": "customer",
                "createdDateTime": "2026-11-20T09:00:00Z",
                "discriminator": "Customer",
                "_etag": "4f0c2a7be1d94c6f8a3b5d7e9f102436",
                "hasErrors": False,
                "hasWarnings": False,
                "requireAttention": False,
                "isReadOnly": False,
                "organisationId": "0199d8a0-0000-7000-8000-000000000002",
                "accountNumber": "20019188",
                "shortDisplayName": "Jan Peeters",
                "contactDetails": [
                    {
                        "contactType": "email",
                        "value": "jan.peeters@example.com",
                        "description": None,
                        "primaryForType": True,
                    }
                ],
                "contracts": [
                    {
                        "contractId": "0199d8a0-0000-7000-8000-000000000100",
                        "contractNumber": "C-1000",
                        "currentContractStatus": "signed",
                    }
                ],
                "activationCode": None,
                "portalProperties": {
                    "applicationUserId": "01a2049d-d1f0-7c44-8f0b-5f2b7a9c1e60",
                    "confirmAccountToken": None,
                    "resetPasswordToken": None,
                    "email": "jan.peeters@example.com",
                    "emailConfirmed": True,
                },
            }
        ),
        "HandOffAnswer": _enveloped("IkFabllvQUFBY0FDQUFBQUFBQUFBQWdHaUJKMyI.…"),
        "DoneAnswer": _enveloped(None),
        "SettingsAnswer": _enveloped(
            {
                "isEnabled": True,
                "portalPublicUrls": ["https://portal.example.com"],
                "primaryColor": "#0b6e4f",
                "secondaryColor": None,
                "logo": None,
                "favIcon": None,
                "contact": {
                    "emailAddress": "service@example.com",
                    "contactUrl": None,
                    "telephoneNumber": None,
                    "termsAndConditionsUrls": {"nl-BE": "https://www.example.com/voorwaarden"},
                },
                "billingSettings": {"allowCustomerToChangeAdvanceAmount": False, "hideInvoiceSection": False},
                "advanceChangeLimit": {"rangeMin": -20, "rangeMax": 20, "type": "percentage"},
                "pageNotifications": [NOTIFICATION],
            }
        ),
    }
)
