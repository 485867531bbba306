"""The customer's mails: listed for employees, and sent again by them."""

from uuid import UUID

from app.domain.activities import ActivityType, NewActivity, Subject, SubjectType
from app.domain.callers import Call
from app.domain.cards import Standing
from app.domain.communications import MailKind, NewMail
from app.domain.mail_history import DEEDS, PastMail
from app.domain.one_time_tokens import PURPOSES
from app.domain.paging import Page, PageRequest
from app.errors import ResourceNotFound, UserHasNoEmailAddress
from app.repositories.unit_of_work import Transactions, UnitOfWork
from app.services.deeds.links import Recipient, send_link
from app.services.deeds.mails import send_mail

_PURPOSE_OF = {words.mail: purpose for purpose, words in PURPOSES.items()}


class Communications:
    """Mails of customers, with their delivery states."""

    def __init__(self, transaction: Transactions) -> None:
        self._transaction = transaction

    async def page(self, customer_id: UUID, request: PageRequest, *, call: Call) -> Page[PastMail]:
        """The customer's mails, newest first.

        Raises: CustomerDoesNotExist.
        """
        async with self._transaction.reading(call.organisation_id) as uow:
            found = await uow.mail_history.page(customer_id, request)
            if not found.results:
                await uow.customers.require(customer_id)
            return found

    async def resend(self, customer_id: UUID, communication_id: UUID, *, call: Call) -> PastMail:
        """The deed behind the mail again, for this customer alone: a new mail, and with it a new link.

        Raises: CustomerDoesNotExist, ResourceNotFound, PermissionInvalid, CommunicationNotResendable, and whatever
        the deed itself raises.
        """
        async with self._transaction.of(call) as uow:
            standing = await uow.customers.locked_standing(customer_id)
            mail = await uow.mail_history.of_customer(customer_id, communication_id)
            if mail is None:
                raise ResourceNotFound
            if deed := DEEDS.get(mail.kind):
                call.caller.require(deed[0])
            if refusal := mail.resending_refusal(standing):
                raise refusal
            new_id = await _send_again(uow, standing, mail, call)
            uow.activities.record(
                NewActivity(
                    ActivityType.COMMUNICATION_RESENT,
                    call.actor,
                    call.seen,
                    Subject(SubjectType.COMMUNICATION, mail.id),
                    standing.ref,
                    {"kind": mail.kind.value, "communicationId": str(new_id)},
                )
            )
            made = await uow.mail_history.of_customer(customer_id, new_id)
            if made is None:
                raise LookupError("a mail just written down is not there")
            return uow.answer(made)


async def _send_again(uow: UnitOfWork, standing: Standing, mail: PastMail, call: Call) -> UUID:
    """The new mail's id."""
    purpose = _PURPOSE_OF.get(mail.kind)
    if purpose is None:
        notice = NewMail(
            mail.kind, mail.email, mail.language, account_id=mail.account_id, resent_from=mail.id
        )  # asked for by name this time, so not automatic
        return await send_mail(uow, standing, notice, by=call.actor, seen=call.seen)
    address = _address(mail.kind, standing)
    if address is None:
        raise UserHasNoEmailAddress
    recipient = Recipient(address, mail.customers_language)
    link = await send_link(uow, purpose, standing, recipient, by=call.actor, seen=call.seen, resent_from=mail.id)
    if link.communication is None:
        raise LookupError("a link just sent has no mail")
    return link.communication.id


def _address(kind: MailKind, standing: Standing) -> str | None:
    """Where the deed would send its mail today."""
    if kind is MailKind.INVITATION:
        return standing.customer.email
    return standing.account.email if standing.account else None
