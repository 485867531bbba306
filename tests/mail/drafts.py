"""Drafts for tests: a whole one, of which each test changes what it is about."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.domain.communications import MailKind
from app.domain.organisations import Branding, Organisation, Sender
from app.mail.drafts import MailDraft, MailLink

LINK = "https://mijn.zonneveld.example.com/register#token=" + "aB3_-" * 19 + ".x=&y=<z>"
SENDER = "portal@service.example"
WITHOUT_LINK = frozenset(
    (
        MailKind.ACCOUNT_MADE,
        MailKind.PASSWORD_CHANGED,
        MailKind.EMAIL_CHANGE_REQUESTED,
        MailKind.EMAIL_CHANGED,
        MailKind.ACCESS_NOTICE,
    )
)


def organisation(**given: Any) -> Organisation:
    """Zonneveld Warmte, or whatever of it is given."""
    known: dict[str, Any] = {
        "tenant_id": UUID(int=1),
        "organisation_id": UUID(int=2),
        "name": "Zonneveld Warmte",
        "default_language": "nl-BE",
        "sender": Sender(),
        "branding": Branding(),
    }
    return Organisation(**(known | given))


def draft(kind: MailKind = MailKind.INVITATION, **given: Any) -> MailDraft:
    """A mail to Sanne Peeters, or whatever of it is given."""
    known: dict[str, Any] = {
        "organisation": organisation(),
        "language": "en-GB",
        "recipient": "sanne@example.com",
        "customer_name": "Sanne Peeters",
        "message_id": "0198.0002@zonneveld.example",
        "communication_id": UUID(int=3),
        "links": () if kind in WITHOUT_LINK else (MailLink(LINK, "20019188"),),
        "expires_at": datetime(2026, 3, 14, 15, 30, tzinfo=UTC),
        "account_email": "sanne@example.com",
        "account_number": "20019188",
    }
    return MailDraft(kind=kind, **(known | given))
