"""Invitations, password resets and confirmations as the back office sees them."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from app.domain.callers import Actor, ActorType
from app.domain.communications import Communication, CommunicationStatus
from app.domain.one_time_tokens import OneTimeToken, TokenState
from app.schemas.base import Answered, Culture, Email, Given


class SendInvitation(Given):
    """Where to send the invitation; both may be left out."""

    model_config = Given.model_config | {
        "json_schema_extra": {"examples": [{"email": "jan.peeters@example.com", "language": "nl-BE"}, {}]}
    }

    email: Email | None = Field(None, description="Stored as the customer's address. Absent: the address known.")
    language: Culture | None = Field(None, description="Of this mail. Absent: the customer's language.")


class SendConfirmation(Given):
    """Where to send the confirmation; may be left out."""

    model_config = Given.model_config | {"json_schema_extra": {"examples": [{}, {"email": "jan.peeters@example.com"}]}}

    email: Email | None = Field(None, description="Corrects the address of an account that is not confirmed yet.")


class ActorBody(Answered):
    """Who did it."""

    type: ActorType
    id: str
    name: str | None

    @classmethod
    def of(cls, actor: Actor) -> "ActorBody":
        """From the domain's actor."""
        return cls(type=actor.type, id=actor.id, name=actor.name)


class CommunicationBody(Answered):
    """The mail that carries a link."""

    id: UUID
    status: CommunicationStatus
    attempts: int
    last_error: str | None
    sent_date_time: datetime | None

    @classmethod
    def of(cls, mail: Communication) -> "CommunicationBody":
        """From the domain's communication."""
        return cls(
            id=mail.id,
            status=mail.status,
            attempts=mail.attempts,
            last_error=mail.last_error,
            sent_date_time=mail.sent_at,
        )


class LinkBody(Answered):
    """An invitation, password reset or confirmation. The link itself stands in the mail alone."""

    id: UUID
    customer_id: UUID
    email: str
    language: str
    status: TokenState
    created_date_time: datetime
    created_by: ActorBody
    expires_date_time: datetime
    viewed_date_time: datetime | None
    ended_date_time: datetime | None
    communication: CommunicationBody | None

    @classmethod
    def of(cls, token: OneTimeToken) -> "LinkBody":
        """From the domain's token."""
        return cls(
            id=token.id,
            customer_id=token.customer_id,
            email=token.email,
            language=token.language,
            status=token.state,
            created_date_time=token.created_at,
            created_by=ActorBody.of(token.created_by),
            expires_date_time=token.expires_at,
            viewed_date_time=token.viewed_at,
            ended_date_time=token.ended_at,
            communication=CommunicationBody.of(token.communication) if token.communication else None,
        )
