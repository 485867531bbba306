"""Proving the account's address: by the link in the mail, sent again by an employee or on request."""

from dataclasses import replace
from uuid import UUID, uuid5

from app.domain.accounts import Account, Registered, masked, portal_status
from app.domain.activities import ActivityType, NewActivity, Subject, SubjectType
from app.domain.callers import Actor, AnonymousCall, Call, Seen
from app.domain.cards import Standing, confirmation_refusal
from app.domain.one_time_tokens import OneTimeToken, TokenState
from app.domain.platform_customers import PlatformCustomer
from app.errors import PortalError, TokenInvalid, UserNotFound
from app.repositories.unit_of_work import Transactions, UnitOfWork
from app.services.deeds.account_email import correct_email
from app.services.deeds.asking import admitted
from app.services.deeds.dead_tokens import record_dead_token
from app.services.deeds.links import Recipient, send_link
from app.tokens import Purpose, TokenSigner


class EmailConfirmations:
    """Confirmation links for the addresses of accounts."""

    def __init__(self, transaction: Transactions, signer: TokenSigner, *, mails_per_hour: int) -> None:
        self._transaction = transaction
        self._signer = signer
        self._mails_per_hour = mails_per_hour

    async def send(self, customer_id: UUID, email: str | None, *, call: Call) -> OneTimeToken:
        """An employee has a new link mailed; a given address corrects that of the unconfirmed account.

        Raises: CustomerDoesNotExist, PortalNotEnabled, PortalUrlMissing, UserNotFound, EmailAlreadyConfirmed.
        """
        async with self._transaction.of(call) as uow:
            standing = await uow.customers.locked_standing(customer_id)
            if refusal := confirmation_refusal(standing):
                raise refusal
            account = standing.account
            if account is None:
                raise UserNotFound
            if email is not None and email != account.email:
                standing = await correct_email(uow, standing, email, by=call.actor, seen=call.seen)
            recipient = Recipient(email or account.email, standing.language)
            return uow.answer(
                await send_link(uow, Purpose.EMAIL_CONFIRMATION, standing, recipient, by=call.actor, seen=call.seen)
            )

    async def ask_again(self, email: str, *, call: AnonymousCall) -> None:
        """The customer asks for a new link. All work is left to a job: known and unknown addresses look alike."""
        async with self._transaction(call.organisation_id) as uow:
            uow.jobs.resend_confirmation(email, call.seen)

    async def send_again(self, organisation_id: UUID, request_id: UUID, email: str, *, seen: Seen) -> None:
        """The job behind `ask_again`: a new link for each unconfirmed account of the address, within bounds.

        Done twice, it mails once: all mails are written down in one transaction, with ids that follow from the
        request's.
        """
        async with self._transaction(organisation_id) as uow:
            customers = await uow.accounts.customers_with_unconfirmed(email)
            standings = await admitted(
                uow,
                customers,
                email,
                Purpose.EMAIL_CONFIRMATION,
                confirmation_refusal,
                most_mails=self._mails_per_hour,
            )
            for standing in standings:
                mail_id = uuid5(request_id, str(standing.customer.customer_id))
                if standing.account is None or await uow.communications.exists(mail_id):
                    continue
                await send_link(
                    uow,
                    Purpose.EMAIL_CONFIRMATION,
                    standing,
                    Recipient(standing.account.email, standing.language),
                    by=standing.actor,
                    seen=seen,
                    communication_id=mail_id,
                )

    async def confirm(self, token: str, *, call: AnonymousCall) -> Registered:
        """Spend the link and mark the address as proven; the same link a second time answers the same.

        The link of a customer who changes the address makes it the account's.

        Raises: TokenInvalid, TokenDead.
        """
        link = self._signer.read(Purpose.EMAIL_CONFIRMATION, token)
        if link.organisation_id != call.organisation_id:
            raise TokenInvalid
        refusal: PortalError | None = None
        async with self._transaction(link.organisation_id) as uow:
            await uow.customers.lock_of_token(link.token_id)
            found = await uow.links.find(link)
            if found is None:
                raise TokenInvalid
            confirmation, standing = found
            if await uow.tokens.consume(link):
                standing = await _prove(uow, standing, confirmation, by=standing.actor, seen=call.seen)
            elif not _confirmed_by(confirmation, standing):
                refusal = confirmation.refusal() or TokenInvalid()
                record_dead_token(uow, confirmation, standing, call.seen)
        if refusal is not None or standing.account is None:
            raise refusal or TokenInvalid()
        return Registered(portal_status(standing.account), standing.account.email)

    async def confirm_for_platform(self, customer_id: UUID, token: str, *, call: Call) -> PlatformCustomer:
        """The platform brings the customer's link: the same deed, for this customer's links alone.

        Raises: CustomerDoesNotExist, TokenInvalid, TokenDead.
        """
        dead: OneTimeToken | None = None
        try:
            async with self._transaction.of(call) as uow:
                standing = await uow.customers.locked_standing(customer_id)
                link = self._signer.read(Purpose.EMAIL_CONFIRMATION, token)
                confirmation = await uow.tokens.find(link) if link.organisation_id == call.organisation_id else None
                if confirmation is None or confirmation.customer_id != customer_id:
                    raise TokenInvalid
                if await uow.tokens.consume(link):
                    await _prove(uow, standing, confirmation, by=call.actor, seen=call.seen)
                elif not _confirmed_by(confirmation, standing):
                    dead = confirmation
                    raise confirmation.refusal() or TokenInvalid()
                return uow.answer(await uow.platform_customers.get(customer_id))
        except PortalError:
            if dead is not None:
                async with self._transaction(call.organisation_id) as uow:
                    record_dead_token(uow, dead, standing, call.seen)
            raise


async def _prove(uow: UnitOfWork, standing: Standing, confirmation: OneTimeToken, *, by: Actor, seen: Seen) -> Standing:
    """What follows from a link that was just spent: the address is the account's, and proven. The standing with it.

    Raises: TokenInvalid.
    """
    if confirmation.account_id is None:
        raise TokenInvalid
    account = await uow.accounts.confirm(confirmation.account_id, confirmation.email)
    if account is None:
        account = await _change_address(uow, standing, confirmation, by=by, seen=seen)
    uow.activities.record(
        NewActivity(
            ActivityType.EMAIL_CONFIRMED,
            by,
            seen,
            Subject(SubjectType.ACCOUNT, account.account_id),
            standing.ref,
            {"confirmationId": str(confirmation.id)},
        )
    )
    return replace(standing, account=account)


async def _change_address(
    uow: UnitOfWork, standing: Standing, confirmation: OneTimeToken, *, by: Actor, seen: Seen
) -> Account:
    """The address that the customer of a confirmed account has asked for becomes the account's.

    Raises: TokenInvalid, when the account is not confirmed: its links are for its own address only.
    """
    if confirmation.account_id is None:
        raise TokenInvalid
    account = await uow.accounts.change_email(confirmation.account_id, confirmation.email)
    if account is None:
        raise TokenInvalid
    revoked = await uow.tokens.end_pending(account.customer_id, Purpose.PASSWORD_RESET, TokenState.REVOKED)
    uow.activities.record(
        NewActivity(
            ActivityType.EMAIL_CHANGED,
            by,
            seen,
            Subject(SubjectType.ACCOUNT, account.account_id),
            standing.ref,
            {"email": masked(account.email), "revokedPasswordResets": [str(one) for one in revoked]},
        )
    )
    return account


def _confirmed_by(confirmation: OneTimeToken, standing: Standing) -> bool:
    """Whether this link has already done its work on the account as it is now."""
    account = standing.account
    return (
        confirmation.state is TokenState.USED
        and account is not None
        and account.account_id == confirmation.account_id
        and account.email_confirmed
        and account.email.casefold() == confirmation.email.casefold()
    )
