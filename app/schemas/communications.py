"""The customer's mails as the back office sees them."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from app.domain.communications import CommunicationStatus, MailKind
from app.domain.mail_history import PastMail
from app.domain.one_time_tokens import OneTimeToken, TokenState
from app.schemas.base import Answered
from app.schemas.links import ActorBody
from app.tokens import Purpose


class MailedLinkBody(Answered):
    """A link of this customer that the mail carries."""

    purpose: Purpose
    id: UUID
    state: TokenState

    @classmethod
    def of(cls, link: OneTimeToken) -> "MailedLinkBody":
        """From the domain's token."""
        return cls(purpose=link.purpose, id=link.id, state=link.state)


class MailBody(Answered):
    """A mail to the customer."""

    id: UUID
    kind: MailKind
    email: str
    language: str
    status: CommunicationStatus
    automatic: bool = Field(description="Whether nobody asked for it by name; the organisation can switch those off.")
    attempts: int
    last_error: str | None = Field(description="Why it is late, failed or was skipped, in words.")
    created_date_time: datetime
    created_by: ActorBody
    sent_date_time: datetime | None = Field(description="When the mail server took it.")
    delivered_date_time: datetime | None = Field(description="When the recipient's side took it, where that is told.")
    resent_from: UUID | None = Field(description="The mail that this one repeats.")
    links: list[MailedLinkBody]

    @classmethod
    def of(cls, mail: PastMail) -> "MailBody":
        """From the domain's mail."""
        return cls(
            id=mail.id,
            kind=mail.kind,
            email=mail.email,
            language=mail.language,
            status=mail.status,
            automatic=mail.automatic,
            attempts=mail.attempts,
            last_error=mail.last_error,
            created_date_time=mail.created_at,
            created_by=ActorBody.of(mail.created_by),
            sent_date_time=mail.sent_at,
            delivered_date_time=mail.delivered_at,
            resent_from=mail.resent_from,
            links=[MailedLinkBody.of(link) for link in mail.links],
        )
