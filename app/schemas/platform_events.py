"""The platform's webhooks: what they may tell, and the answer to them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from pydantic import Field

from app.schemas.base import Answered

_ID = {"type": "string", "format": "uuid"}
_TEXT = {"type": "string"}

EVENT_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "required": ["_type"],
    "additionalProperties": True,
    "properties": {
        "_type": {
            "type": "string",
            "minLength": 1,
            "maxLength": 100,
            "description": "What happened. Kinds that are not named here are kept and change nothing.",
        },
        "customerId": _ID
        | {"description": "Whom it is about; also read from `entityId` beside `entityType: customer`."},
        "accountNumber": _TEXT
        | {"description": "With `customercreated` and `customerdetailschanged`, as all of these:"},
        "shortDisplayName": _TEXT | {"description": "The customer's name."},
        "contactDetails": {
            "type": "array",
            "items": {"type": "object"},
            "description": "`[{contactType: email, value, primaryForType}]`; a list without an e-mail takes it away.",
        },
        "contracts": {
            "type": "array",
            "items": {"type": "object"},
            "description": "All of them: `[{contractId, contractNumber, currentContractStatus, invoiceCount?}]`.",
        },
        "attachments": {
            "type": "array",
            "items": {"type": "object"},
            "description": "All of them: `[{attachmentId, name, visibility, createdDateTime}]`.",
        },
        "culture": _TEXT | {"description": "The customer's language, such as `nl-BE`; with `cultureupdated` too."},
        "contractId": _ID
        | {"description": "With `contractsigned`, `contractterminated`, `contractupdated` and `invoiceavailable`."},
        "contractNumber": _TEXT | {"description": "Needed for a contract that is not known yet."},
        "currentContractStatus": _TEXT | {"description": "With `contractupdated`: draft, sent, signed, …"},
        "invoiceId": _ID | {"description": "With `invoiceavailable`: an invoice that is told twice counts once."},
        "attachmentId": _ID
        | {"description": "With `entityattachmentcreated`, `entityattachmentupdated` and `entityattachmentdeleted`."},
        "name": _TEXT | {"description": "The attachment's name."},
        "visibility": _TEXT | {"description": "internal (unless told otherwise), portal or portalandmovein."},
        "createdDateTime": _TEXT | {"format": "date-time", "description": "The attachment's age."},
        "features": {
            "type": "object",
            "additionalProperties": True,
            "description": "With `featureflagsupdated`: `documents`, `invoices`, `advancePaymentAdjustable`, "
            "`editContactDetails`, each true or false.",
        },
    },
}


class PlatformEventBody(Answered):
    """An event that is kept."""

    event_id: UUID = Field(description="Its id here; the same body again within five minutes has the same.")
