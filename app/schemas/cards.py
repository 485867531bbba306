"""The customer-portal card."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from app.domain.accounts import PortalStatus
from app.domain.cards import Action, ActionOutcome, Card
from app.domain.one_time_tokens import OneTimeToken
from app.schemas.base import Answered
from app.schemas.impersonations import ImpersonationBody
from app.schemas.links import LinkBody


class ActionBody(Answered):
    """A button of the card: whether it works for this caller now, and if not, why."""

    action: Action
    allowed: bool
    key: str | None = Field(description="The refusal's key.")
    reason: str | None = Field(description="The refusal in words.")

    @classmethod
    def of(cls, outcome: ActionOutcome) -> "ActionBody":
        """From the domain's outcome."""
        refusal = outcome.refusal
        return cls(
            action=outcome.action,
            allowed=refusal is None,
            key=refusal.key if refusal else None,
            reason=refusal.detail if refusal else None,
        )


class CardBody(Answered):
    """Everything about a customer's access to the portal."""

    customer_id: UUID
    account_number: str
    display_name: str
    contact_email: str | None
    portal_enabled: bool
    portal_url: str | None
    portal_status: PortalStatus
    has_account: bool
    email: str | None
    email_confirmed: bool
    email_confirmed_date_time: datetime | None
    registered_date_time: datetime | None
    last_active_date_time: datetime | None
    account_count: int
    pending_invitation: LinkBody | None
    pending_password_reset: LinkBody | None
    pending_email_confirmation: LinkBody | None
    active_impersonation: ImpersonationBody | None = Field(
        description="The newest impersonation session that is not over."
    )
    actions: list[ActionBody]

    @classmethod
    def of(cls, card: Card) -> "CardBody":
        """From the domain's card."""
        standing, account = card.standing, card.standing.account
        return cls(
            customer_id=standing.customer.customer_id,
            account_number=standing.customer.account_number,
            display_name=standing.customer.display_name,
            contact_email=standing.customer.email,
            portal_enabled=standing.organisation.portal_enabled,
            portal_url=standing.organisation.portal_url,
            portal_status=card.status,
            has_account=account is not None,
            email=account.email if account else None,
            email_confirmed=account is not None and account.email_confirmed,
            email_confirmed_date_time=account.email_confirmed_at if account else None,
            registered_date_time=account.registered_at if account else None,
            last_active_date_time=account.last_active_at if account else None,
            account_count=standing.account_count,
            pending_invitation=_link(card.pending_invitation),
            pending_password_reset=_link(card.pending_password_reset),
            pending_email_confirmation=_link(card.pending_email_confirmation),
            active_impersonation=ImpersonationBody.of(card.active_impersonation) if card.active_impersonation else None,
            actions=[ActionBody.of(outcome) for outcome in card.actions],
        )


def _link(token: OneTimeToken | None) -> LinkBody | None:
    return LinkBody.of(token) if token else None
