"""Password resets: sent by an employee, asked for by a customer, completed once."""

from dataclasses import dataclass
from uuid import UUID

from app.domain.accounts import Account, Registered, portal_status
from app.domain.activities import ActivityType, NewActivity, Subject, SubjectType
from app.domain.callers import AnonymousCall, Call, Seen
from app.domain.cards import Standing, password_reset_refusal
from app.domain.communications import MailKind, NewMail
from app.domain.one_time_tokens import OneTimeToken, TokenState
from app.errors import (
    ConfirmPasswordDoesNotMatch,
    PortalClosed,
    PortalError,
    TokenDead,
    TokenInvalid,
    TokenRevoked,
    UserNotFound,
)
from app.passwords import Passwords, check_length
from app.repositories.unit_of_work import Transactions, UnitOfWork
from app.services.deeds.asking import admitted
from app.services.deeds.dead_tokens import record_dead_token
from app.services.deeds.guesses import Guesses
from app.services.deeds.links import Recipient, send_link, send_links
from app.services.deeds.mails import send_mail
from app.services.deeds.sessions import end_sessions
from app.tokens import Link, Purpose, TokenSigner


@dataclass(frozen=True, slots=True)
class NewPassword:
    """What the customer types on the page that the link opens."""

    token: str
    password: str
    password_confirmation: str | None = None


class PasswordResets:
    """Links to choose a new password."""

    def __init__(
        self,
        transaction: Transactions,
        signer: TokenSigner,
        passwords: Passwords,
        guesses: Guesses,
        *,
        mails_per_hour: int,
    ) -> None:
        self._transaction = transaction
        self._signer = signer
        self._passwords = passwords
        self._guesses = guesses
        self._mails_per_hour = mails_per_hour

    async def send(self, customer_id: UUID, *, call: Call) -> OneTimeToken:
        """An employee has a link mailed to the account's address; earlier ones end.

        Raises: CustomerDoesNotExist, PortalNotEnabled, PortalUrlMissing, UserNotFound, EmailNotConfirmed.
        """
        async with self._transaction.of(call) as uow:
            standing = await uow.customers.locked_standing(customer_id)
            if refusal := password_reset_refusal(standing):
                raise refusal
            if standing.account is None:
                raise UserNotFound
            recipient = Recipient(standing.account.email, standing.language)
            return uow.answer(
                await send_link(uow, Purpose.PASSWORD_RESET, standing, recipient, by=call.actor, seen=call.seen)
            )

    async def ask(self, email: str, *, call: AnonymousCall) -> None:
        """Someone forgot a password. All work is left to a job: known and unknown addresses look alike."""
        async with self._transaction(call.organisation_id) as uow:
            uow.jobs.mail_password_resets(email, call.seen)

    async def send_asked(self, organisation_id: UUID, request_id: UUID, email: str, *, seen: Seen) -> None:
        """The job behind `ask`: one mail with a link for each confirmed account of the address, within bounds.

        Done twice, it mails once: everything is written in one transaction, and the mail's id is the request's.
        """
        async with self._transaction(organisation_id) as uow:
            customers = await uow.accounts.customers_with_confirmed(email)
            standings = await admitted(
                uow,
                customers,
                email,
                Purpose.PASSWORD_RESET,
                password_reset_refusal,
                most_mails=self._mails_per_hour,
            )
            account = standings[0].account if standings else None
            if account is None or await uow.communications.exists(request_id):
                return
            for standing in standings:
                uow.activities.record(_requested(standing, request_id, seen))
            await send_links(
                uow,
                Purpose.PASSWORD_RESET,
                standings,
                Recipient(account.email, standings[0].language),
                seen=seen,
                communication_id=request_id,
            )

    async def complete(self, given: NewPassword, *, call: AnonymousCall) -> Registered:
        """Spend the link and set the password; sessions and other links of the account end. Nobody is logged in, but
        wrong passwords that others tried before keep the customer out no longer.

        Raises: TokenInvalid, TokenDead, PasswordRefused, PortalClosed, TemporarilyUnavailable.
        """
        link = self._signer.read(Purpose.PASSWORD_RESET, given.token)
        if link.organisation_id != call.organisation_id:
            raise TokenInvalid
        if given.password_confirmation is not None and given.password_confirmation != given.password:
            raise ConfirmPasswordDoesNotMatch("passwordConfirmation")
        check_length(given.password)
        context = await self._admit(link, call)
        digest = await self._passwords.hash(given.password, context)  # before the transaction: it takes 20 ms
        registered = await self._set_password(link, digest, call)
        await self._guesses.forgive(call.organisation_id, registered.email)
        return registered

    async def _admit(self, link: Link, call: AnonymousCall) -> tuple[str, ...]:
        """Look before the expensive hash: a link that opens nothing ends here, and is remembered.

        Returns what no password of this account may be made of.
        """
        async with self._transaction.reading(link.organisation_id) as uow:
            reset, standing = await _read(uow, link)
        if _refusal(reset, standing):
            async with self._transaction(link.organisation_id) as uow:
                await uow.customers.lock_of_token(link.token_id)
                reset, standing = await _read(uow, link)
                refusal = await _refuse(uow, reset, standing, call.seen)
            if refusal:
                raise refusal
        customer = standing.customer
        return customer.display_name, customer.account_number, standing.organisation.name, reset.email

    async def _set_password(self, link: Link, digest: str, call: AnonymousCall) -> Registered:
        async with self._transaction(link.organisation_id) as uow:
            await uow.customers.lock_of_token(link.token_id)
            reset, standing = await _read(uow, link)
            refusal = await _refuse(uow, reset, standing, call.seen)
            account = _account_of(reset, standing)
            if refusal is None:
                if account is None or not await uow.tokens.consume(link):
                    raise TokenInvalid
                if not await uow.accounts.set_password(account.account_id, digest):
                    raise TokenInvalid  # and the link is not spent after all
                await _finish(uow, reset, standing, account, call.seen)
        if refusal is not None or account is None:
            raise refusal or TokenInvalid()
        return Registered(portal_status(account), account.email)


async def _read(uow: UnitOfWork, link: Link) -> tuple[OneTimeToken, Standing]:
    """The link's row, and where its customer stands."""
    found = await uow.links.find(link)
    if found is None:
        raise TokenInvalid
    return found


def _account_of(reset: OneTimeToken, standing: Standing) -> Account | None:
    """The account that the link was sent for, as long as it is live and has the address that the link went to."""
    account = standing.account
    if account is None or account.account_id != reset.account_id:
        return None
    return account if account.email.casefold() == reset.email.casefold() else None


def _refusal(reset: OneTimeToken, standing: Standing) -> PortalError | None:
    """Why this link sets no password now."""
    if refusal := reset.refusal():
        return refusal
    if _account_of(reset, standing) is None:
        return TokenRevoked()
    return None if standing.organisation.portal_enabled else PortalClosed()


async def _refuse(uow: UnitOfWork, reset: OneTimeToken, standing: Standing, seen: Seen) -> PortalError | None:
    """The refusal, if there is one, recorded; a link that has outlived its account is withdrawn.

    The caller holds the customer's lock.
    """
    refusal = _refusal(reset, standing)
    if isinstance(refusal, TokenRevoked) and await uow.tokens.revoke(reset.customer_id, reset.purpose, reset.id):
        reset = await uow.tokens.of_customer(reset.customer_id, reset.purpose, reset.id) or reset
        refusal = reset.refusal()
    if isinstance(refusal, TokenDead):
        record_dead_token(uow, reset, standing, seen)
    elif refusal is not None:
        about = Subject(SubjectType.PASSWORD_RESET, reset.id)
        payload = {"purpose": reset.purpose.value, "state": reset.state.value, "key": refusal.key}
        uow.activities.record(
            NewActivity(ActivityType.TOKEN_REFUSED, standing.actor, seen, about, standing.ref, payload)
        )
    return refusal


async def _finish(uow: UnitOfWork, reset: OneTimeToken, standing: Standing, account: Account, seen: Seen) -> None:
    """What follows from the new password. The account has been changed before: see `end_sessions`."""
    by, customer_id = standing.actor, standing.customer.customer_id
    # The link had no sibling that lives, but an address that somebody else entered may wait for its confirmation.
    ended = await uow.tokens.end_pending(customer_id, Purpose.EMAIL_CONFIRMATION, TokenState.REVOKED)
    about = Subject(SubjectType.PASSWORD_RESET, reset.id)
    payload = {"accountId": str(account.account_id), "revokedEmailConfirmations": [str(one) for one in ended]}
    uow.activities.record(NewActivity(ActivityType.PASSWORD_RESET_COMPLETED, by, seen, about, standing.ref, payload))
    await end_sessions(uow, standing, "passwordreset", by=by, seen=seen)
    notice = NewMail(MailKind.PASSWORD_CHANGED, account.email, standing.language, True, account.account_id)
    await send_mail(uow, standing, notice, by=by, seen=seen)


def _requested(standing: Standing, request_id: UUID, seen: Seen) -> NewActivity:
    return NewActivity(
        ActivityType.PASSWORD_RESET_REQUESTED,
        standing.actor,
        seen,
        Subject(SubjectType.CUSTOMER, standing.customer.customer_id),
        standing.ref,
        {"communicationId": str(request_id)},
    )
