"""Mails and their delivery states."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class CommunicationStatus(StrEnum):
    """Where a mail stands."""

    QUEUED = "queued"
    SENDING = "sending"
    SUCCESSFUL = "successful"
    FAILED = "failed"
    SKIPPED = "skipped"


class MailKind(StrEnum):
    """Which mail it is; the name of its texts in `app/mail/templates/<language>/`."""

    INVITATION = "invitation"
    EMAIL_CONFIRMATION = "emailconfirmation"
    ACCOUNT_MADE = "accountmade"
    PASSWORD_RESET = "passwordreset"
    PASSWORD_CHANGED = "passwordchanged"
    EMAIL_CHANGE_REQUESTED = "emailchangerequested"
    EMAIL_CHANGED = "emailchanged"
    ACCESS_NOTICE = "accessnotice"


@dataclass(frozen=True, slots=True)
class Communication:
    """One mail, with its delivery state."""

    id: UUID
    status: CommunicationStatus
    attempts: int
    last_error: str | None
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewMail:
    """A mail to be written down and sent by a worker.

    `automatic` mails are those that no employee and no customer asked for by name; the organisation can switch
    them off. Mails of a `bulk` go after those that somebody waits for.
    """

    kind: MailKind
    email: str
    language: str
    automatic: bool = False
    account_id: UUID | None = None
    resent_from: UUID | None = None
    bulk: bool = False


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What the mail provider tells of a mail that it had taken: delivered, or with an error failed for good."""

    organisation_id: UUID
    communication_id: UUID
    error: str | None = None
