"""What is known about a mail before it is rendered."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.domain.communications import MailKind
from app.domain.organisations import Organisation


@dataclass(frozen=True, slots=True)
class MailLink:
    """A link of a mail; where a mail has several, each says which customer number it is for."""

    url: str
    account_number: str | None = None


@dataclass(frozen=True, slots=True)
class MailDraft:
    """A mail to be rendered, for one recipient.

    `language` is a culture name (`nl-BE`); `message_id` comes without angle brackets; `expires_at` is when the
    links end. `account_email` and `account_number` tell of the account that a notice is about; an invitation shows
    neither, for its reader proves to be the customer by knowing the number.
    """

    kind: MailKind
    organisation: Organisation
    language: str
    recipient: str
    customer_name: str
    message_id: str
    communication_id: UUID
    links: tuple[MailLink, ...] = ()
    expires_at: datetime | None = None
    account_email: str | None = None
    account_number: str | None = None
