"""Delivering a mail: taken from the queue, written, handed to the SMTP server, and the outcome recorded.

No connection of the database is held while the mail is written and sent. A worker that dies in between leaves the
mail in `sending`; the next one sends it again with the same Message-ID and the same link.
"""

from dataclasses import dataclass
from datetime import timedelta
from random import Random
from uuid import UUID

import structlog

from app.domain.activities import ActivityType, CustomerRef, NewActivity, Subject, SubjectType
from app.domain.callers import Actor, ActorType, Seen
from app.domain.communications import CommunicationStatus
from app.domain.one_time_tokens import TokenState, link_url
from app.mail.drafts import MailDraft, MailLink
from app.mail.rendering import MailRenderer
from app.mail.senders import MailRefused, MailSender
from app.repositories.communications import TakenMail
from app.repositories.tokens import CarriedToken
from app.repositories.unit_of_work import Transactions, UnitOfWork
from app.tokens import TokenSigner

_log = structlog.get_logger(__name__)

MAILER = Actor(ActorType.SYSTEM, "mail", "Portal Access")
_LONGEST_WAIT = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class DeliveryRules:
    """Sender of organisations without one, wait before the first repetition, and tries in all."""

    mail_from: str
    first_wait: timedelta
    attempts: int


class Deliveries:
    """Carries queued mails to an end."""

    def __init__(
        self,
        transaction: Transactions,
        signer: TokenSigner,
        renderer: MailRenderer,
        sender: MailSender,
        rules: DeliveryRules,
        random: Random,
    ) -> None:
        self._transaction = transaction
        self._signer = signer
        self._renderer = renderer
        self._sender = sender
        self._rules = rules
        self._random = random

    async def deliver(self, organisation_id: UUID, communication_id: UUID) -> timedelta | None:
        """Try to send the mail; None when it has come to an end, else how long to wait before the next try."""
        async with self._transaction.reading(organisation_id) as uow:  # to take it is one statement
            mail = await uow.communications.take(communication_id)
            if mail is None:
                return None
            carried = await uow.tokens.of_communication(communication_id)
        living = [one for one in carried if one.token.state is TokenState.PENDING]
        if mail.attempts > self._rules.attempts:
            error = "Every try ended with the worker that made it."
            return await self._failed(organisation_id, mail, living, error, permanent=True)
        if reason := self._skip_reason(mail, carried, living):
            async with self._transaction(organisation_id) as uow:
                await uow.communications.end(communication_id, CommunicationStatus.SKIPPED, reason)
            return None
        try:
            message = self._renderer.render(self._draft(mail, living), sender=self._rules.mail_from)
            await self._sender.send(message)
        except MailRefused as refused:
            return await self._failed(organisation_id, mail, living, str(refused), permanent=refused.permanent)
        except ValueError as unfit:  # an address that is not exactly one, of a record older than its check
            error = f"The mail cannot be written: {unfit}"
            return await self._failed(organisation_id, mail, living, error, permanent=True)
        except Exception as fault:  # whatever it is, the mail's own count of tries decides, and the card shows it
            _log.error("mail not sent", communication_id=str(mail.id), exc_info=fault)
            return await self._failed(organisation_id, mail, living, "The mail could not be made.", permanent=False)
        async with self._transaction(organisation_id) as uow:
            if await uow.communications.end(communication_id, CommunicationStatus.SUCCESSFUL):
                _record(uow, ActivityType.COMMUNICATION_SENT, mail, living, {"kind": mail.kind.value})
        return None

    def _skip_reason(self, mail: TakenMail, carried: list[CarriedToken], living: list[CarriedToken]) -> str | None:
        if mail.automatic and not mail.organisation.communication_enabled:
            return "Automatic communication is switched off."
        if carried and not living:
            return "The link was no longer valid when the mail was due."
        if living and not mail.organisation.portal_url:
            return "The organisation has no portal URL any more."
        return None

    def _draft(self, mail: TakenMail, living: list[CarriedToken]) -> MailDraft:
        organisation = mail.organisation
        domain = (organisation.sender.email or self._rules.mail_from).rpartition("@")[2]
        return MailDraft(
            kind=mail.kind,
            organisation=organisation,
            language=mail.language,
            recipient=organisation.sandbox_recipient or mail.email,
            customer_name=mail.display_name,
            account_number=mail.customer.account_number,
            message_id=f"{mail.id}.{organisation.organisation_id}@{domain}",
            communication_id=mail.id,
            links=tuple(MailLink(self._url(mail, one), one.customer.account_number) for one in living),
            expires_at=living[0].token.expires_at if living else None,
            account_email=mail.account_email,
        )

    def _url(self, mail: TakenMail, one: CarriedToken) -> str:
        signed = self._signer.sign(one.token.purpose, mail.organisation.organisation_id, one.token.id)
        return link_url(mail.organisation.portal_url or "", one.token.purpose, signed)

    async def _failed(
        self, organisation_id: UUID, mail: TakenMail, living: list[CarriedToken], error: str, *, permanent: bool
    ) -> timedelta | None:
        final = permanent or mail.attempts >= self._rules.attempts
        async with self._transaction(organisation_id) as uow:
            if not final:
                await uow.communications.postpone(mail.id, error)
            elif await uow.communications.end(mail.id, CommunicationStatus.FAILED, error):
                payload: dict[str, object] = {"kind": mail.kind.value, "error": error, "attempts": mail.attempts}
                _record(uow, ActivityType.COMMUNICATION_FAILED, mail, living, payload)
        return None if final else self._wait(mail.attempts)

    def _wait(self, attempts: int) -> timedelta:
        """Doubling from the first wait up to an hour, a fifth more or less so that retries spread out."""
        doubled: timedelta = min(self._rules.first_wait * 2 ** min(attempts - 1, 20), _LONGEST_WAIT)
        return doubled * self._random.uniform(0.8, 1.2)


def _record(
    uow: UnitOfWork, kind: ActivityType, mail: TakenMail, living: list[CarriedToken], payload: dict[str, object]
) -> None:
    """An entry for each customer whose link the mail carries; for a mail without links, for whom it was written."""
    customers: list[CustomerRef] = [one.customer for one in living] or [mail.customer]
    for customer in customers:
        uow.activities.record(
            NewActivity(
                kind,
                MAILER,
                Seen(mail.correlation_id),
                Subject(SubjectType.COMMUNICATION, mail.id),
                customer,
                payload,
            )
        )
