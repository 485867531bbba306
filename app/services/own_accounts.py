"""What customers change about their own account: password and e-mail address, each with the password they have."""

from dataclasses import dataclass

from app.domain.accounts import Account, Registered, masked, portal_status
from app.domain.activities import ActivityType, NewActivity, Subject, SubjectType
from app.domain.callers import Seen
from app.domain.cards import Standing, email_change_refusal
from app.domain.communications import MailKind, NewMail
from app.domain.one_time_tokens import TokenState
from app.domain.sessions import PortalVisitor
from app.errors import ConfirmPasswordDoesNotMatch, CurrentPasswordWrong, SessionEnded
from app.passwords import Passwords, check_length
from app.repositories.unit_of_work import Transactions, UnitOfWork
from app.services.deeds.guesses import Guesses
from app.services.deeds.links import Recipient, send_link
from app.services.deeds.mails import send_mail
from app.services.deeds.sessions import end_sessions
from app.tokens import Purpose


@dataclass(frozen=True, slots=True)
class PasswordChange:
    """What the customer types to change the password."""

    current_password: str
    password: str
    password_confirmation: str | None = None


@dataclass(frozen=True, slots=True)
class EmailChange:
    """What the customer types to change the address."""

    current_password: str
    email: str


class OwnAccounts:
    """Changes that only the customer makes, never an employee."""

    def __init__(self, transaction: Transactions, passwords: Passwords, guesses: Guesses) -> None:
        self._transaction = transaction
        self._passwords = passwords
        self._guesses = guesses

    async def change_password(self, change: PasswordChange, *, visitor: PortalVisitor, seen: Seen) -> Registered:
        """Set another password; the customer's other sessions and open links to the account end.

        Of two changes at once one wins: the other one's current password is no longer current.

        Raises: CurrentPasswordWrong, PasswordRefused, SessionEnded, TooManyRequests, TemporarilyUnavailable.
        """
        if change.password_confirmation is not None and change.password_confirmation != change.password:
            raise ConfirmPasswordDoesNotMatch("passwordConfirmation")
        check_length(change.password)
        known_hash = await self._prove(visitor, change.current_password, seen)
        digest = await self._passwords.hash(change.password, _context(visitor.standing))
        async with self._transaction(visitor.standing.organisation.organisation_id) as uow:
            standing = await self._still_visiting(uow, visitor)
            account = _account_of(standing, visitor)
            changed = await uow.accounts.replace_hash(account.account_id, known_hash, digest)
            if changed:
                await _finish_password(uow, standing, account, visitor, seen)
            else:
                uow.activities.record(_wrong_password(standing, account, seen))
        if not changed:
            raise CurrentPasswordWrong
        return Registered(portal_status(account), account.email)

    async def change_email(self, change: EmailChange, *, visitor: PortalVisitor, seen: Seen) -> None:
        """Have a link mailed to another address, which becomes the account's once it is confirmed.

        Raises: PortalClosed, NoLinkCanBeSent, EmailChangeNotOffered, ValidationFailed, CurrentPasswordWrong,
        SessionEnded, TooManyRequests, TemporarilyUnavailable.
        """
        if refusal := email_change_refusal(visitor.standing, change.email):
            raise refusal
        known_hash = await self._prove(visitor, change.current_password, seen)
        async with self._transaction(visitor.standing.organisation.organisation_id) as uow:
            standing = await self._still_visiting(uow, visitor)
            if refusal := email_change_refusal(standing, change.email):
                raise refusal
            account = _account_of(standing, visitor)
            proven = await uow.accounts.password_hash(account.account_id) == known_hash
            if proven:
                await _request_email(uow, standing, account, change.email, visitor, seen)
            else:
                uow.activities.record(_wrong_password(standing, account, seen))
        if not proven:
            raise CurrentPasswordWrong

    async def _still_visiting(self, uow: UnitOfWork, visitor: PortalVisitor) -> Standing:
        """Where the customer stands, under their lock; the session may have been ended since the password was checked.

        Raises: SessionEnded.
        """
        standing = await uow.customers.locked_standing(visitor.standing.customer.customer_id)
        if not await uow.sessions.is_open(visitor.session_id):
            raise SessionEnded
        return standing

    async def _prove(self, visitor: PortalVisitor, password: str, seen: Seen) -> str:
        """The hash that the current password fits; a wrong password is remembered, and counts like a failed login.

        Raises: CurrentPasswordWrong, SessionEnded, TooManyRequests, TemporarilyUnavailable.
        """
        standing = visitor.standing
        account, organisation_id = _account_of(standing, visitor), standing.organisation.organisation_id
        await self._guesses.check(organisation_id, account.email, seen)
        async with self._transaction.reading(organisation_id) as uow:
            known_hash = await uow.accounts.password_hash(account.account_id)
        if await self._passwords.verify(password, known_hash) and known_hash is not None:
            await self._guesses.check(organisation_id, account.email, seen)
            return known_hash
        await self._guesses.count(organisation_id, account.email, seen)
        async with self._transaction(organisation_id) as uow:
            uow.activities.record(_wrong_password(standing, account, seen))
        raise CurrentPasswordWrong


async def _finish_password(
    uow: UnitOfWork, standing: Standing, account: Account, visitor: PortalVisitor, seen: Seen
) -> None:
    """What follows from a new password. The account has been changed before: see `end_sessions`."""
    by, customer_id = standing.actor, standing.customer.customer_id
    resets = await uow.tokens.end_pending(customer_id, Purpose.PASSWORD_RESET, TokenState.REVOKED)
    # Whoever knew the old password may have entered an address of their own, which still waits for its confirmation.
    confirmations = await uow.tokens.end_pending(customer_id, Purpose.EMAIL_CONFIRMATION, TokenState.REVOKED)
    uow.activities.record(
        NewActivity(
            ActivityType.PASSWORD_CHANGED,
            by,
            seen,
            Subject(SubjectType.ACCOUNT, account.account_id),
            standing.ref,
            {
                "revokedPasswordResets": [str(one) for one in resets],
                "revokedEmailConfirmations": [str(one) for one in confirmations],
            },
        )
    )
    await end_sessions(uow, standing, "passwordchanged", by=by, seen=seen, keep=visitor.session_id)
    notice = NewMail(MailKind.PASSWORD_CHANGED, account.email, standing.language, True, account.account_id)
    await send_mail(uow, standing, notice, by=by, seen=seen)


async def _request_email(
    uow: UnitOfWork, standing: Standing, account: Account, email: str, visitor: PortalVisitor, seen: Seen
) -> None:
    """The link to the new address, and word of it to the old one."""
    by = standing.actor
    uow.activities.record(
        NewActivity(
            ActivityType.EMAIL_CHANGE_REQUESTED,
            by,
            seen,
            Subject(SubjectType.ACCOUNT, account.account_id),
            standing.ref,
            {"email": masked(email)},
        )
    )
    await end_sessions(uow, standing, "emailchangerequested", by=by, seen=seen, keep=visitor.session_id)
    # Not one of the mails that can be switched off: without it an account could be taken over in silence.
    warning = NewMail(MailKind.EMAIL_CHANGE_REQUESTED, account.email, standing.language, False, account.account_id)
    await send_mail(uow, standing, warning, by=by, seen=seen)
    recipient = Recipient(email, standing.language)
    await send_link(uow, Purpose.EMAIL_CONFIRMATION, standing, recipient, by=by, seen=seen)


def _account_of(standing: Standing, visitor: PortalVisitor) -> Account:
    """The live account, as long as it is the one that the visitor logged in to.

    Raises: SessionEnded.
    """
    account, visited = standing.account, visitor.standing.account
    if account is None or visited is None or account.account_id != visited.account_id:
        raise SessionEnded
    return account


def _context(standing: Standing) -> tuple[str, ...]:
    """What no password of this account may be made of."""
    customer, account = standing.customer, standing.account
    return (
        customer.display_name,
        customer.account_number,
        standing.organisation.name,
        customer.email or "",
        account.email if account else "",
    )


def _wrong_password(standing: Standing, account: Account, seen: Seen) -> NewActivity:
    return NewActivity(
        ActivityType.LOGIN_FAILED,
        standing.actor,
        seen,
        Subject(SubjectType.ACCOUNT, account.account_id),
        standing.ref,
        {"key": CurrentPasswordWrong.key, "reason": "currentpassword"},
    )
