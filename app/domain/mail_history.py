"""The mails a customer was sent, as the card lists them, and the rule that says which can be sent again."""

from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from app.domain.callers import Actor
from app.domain.cards import BUTTONS, Action, Rule, Standing
from app.domain.communications import CommunicationStatus, MailKind
from app.domain.one_time_tokens import OneTimeToken
from app.errors import CommunicationNotResendable, PortalError
from app.permissions import Permission

RESENDABLE_DAYS = 60

# The deed behind a mail that carries a link: who may do it, and when. Any other mail is a notice.
DEEDS: MappingProxyType[MailKind, tuple[Permission, Rule]] = MappingProxyType(
    {
        MailKind.INVITATION: BUTTONS[Action.SEND_INVITATION],
        MailKind.EMAIL_CONFIRMATION: BUTTONS[Action.RESEND_CONFIRMATION],
        MailKind.PASSWORD_RESET: BUTTONS[Action.SEND_PASSWORD_RESET],
    }
)


@dataclass(frozen=True, slots=True)
class PastMail:
    """A mail, as one customer's list shows it: with the links of this customer alone.

    `recent` says whether it is young enough to be sent again, by the database's clock.
    """

    id: UUID
    kind: MailKind
    email: str
    language: str
    automatic: bool
    status: CommunicationStatus
    attempts: int
    last_error: str | None
    created_at: datetime
    created_by: Actor
    sent_at: datetime | None
    delivered_at: datetime | None
    resent_from: UUID | None
    recent: bool
    account_id: UUID | None
    links: tuple[OneTimeToken, ...]

    @property
    def customers_language(self) -> str:
        """The language that this customer was written to in; a mail to several has one of its own."""
        return self.links[0].language if self.links else self.language

    def resending_refusal(self, standing: Standing) -> PortalError | None:
        """Why the mail cannot be sent again to the customer who stands like this, or None when it can."""
        if detail := self._unfit(standing):
            return CommunicationNotResendable(detail)
        deed = DEEDS.get(self.kind)
        return deed[1](standing) if deed else None

    def _unfit(self, standing: Standing) -> str | None:
        match self.status:
            case CommunicationStatus.QUEUED | CommunicationStatus.SENDING:
                return f"The mail is still on its way ({self.status.value})."
            case CommunicationStatus.SKIPPED:
                return f"The mail was not sent (skipped): {self.last_error or 'it was no longer wanted.'}"
        if not self.recent:
            return f"The mail is older than {RESENDABLE_DAYS} days."
        about = self.links[0].account_id if self.links else self.account_id
        account = standing.account
        if about is not None and (account is None or account.account_id != about):
            return "The account that the mail was about is not the customer's any more: it was reset or replaced."
        if (
            self.kind not in DEEDS
            and account
            and account.email_changed_at
            and account.email_changed_at > self.created_at
        ):
            return "The account has got another address since, which the old one must not learn."
        if self.kind is MailKind.EMAIL_CONFIRMATION and account is not None and account.email_confirmed:
            addresses = {link.email.casefold() for link in self.links}
            if addresses and account.email.casefold() not in addresses:
                return "The mail was to confirm another address than the account's, which only the customer can change."
        return None
