"""Registration: an invitation becomes an account."""

from dataclasses import dataclass, replace

from app.domain.accounts import Registered, portal_status
from app.domain.activities import ActivityType, NewActivity, Subject, SubjectType
from app.domain.callers import AnonymousCall
from app.domain.cards import Standing
from app.domain.communications import MailKind, NewMail
from app.domain.customers import same_customer_number
from app.domain.one_time_tokens import OneTimeToken
from app.errors import (
    ConfirmPasswordDoesNotMatch,
    CustomerNumberMismatch,
    PortalClosed,
    PortalError,
    TokenInvalid,
    UserAlreadyExists,
)
from app.ids import new_id
from app.passwords import Passwords, check_length
from app.repositories.unit_of_work import Transactions, UnitOfWork
from app.services.deeds.dead_tokens import record_dead_token
from app.services.deeds.links import Recipient, send_link
from app.services.deeds.mails import send_mail
from app.tokens import Link, Purpose, TokenSigner

MOST_WRONG_NUMBERS = 10


@dataclass(frozen=True, slots=True)
class Registration:
    """What the customer types on the registration page; no e-mail means the invited one."""

    token: str
    customer_number: str
    password: str
    password_confirmation: str | None = None
    email: str | None = None
    language: str | None = None


class Registrations:
    """Spends invitations."""

    def __init__(self, transaction: Transactions, signer: TokenSigner, passwords: Passwords) -> None:
        self._transaction = transaction
        self._signer = signer
        self._passwords = passwords

    async def register(self, given: Registration, *, call: AnonymousCall) -> Registered:
        """Make the account; the invitation is spent in the same transaction.

        Raises: TokenInvalid, TokenDead, CustomerNumberMismatch, PasswordRefused, PortalClosed,
        UserAlreadyExists, TemporarilyUnavailable.
        """
        link = self._signer.read(Purpose.INVITATION, given.token)
        if link.organisation_id != call.organisation_id:
            raise TokenInvalid
        if given.password_confirmation is not None and given.password_confirmation != given.password:
            raise ConfirmPasswordDoesNotMatch("passwordConfirmation")
        check_length(given.password)
        standing = await self._admit(link, given.customer_number, call)
        context = (
            standing.customer.display_name,
            standing.customer.account_number,
            standing.organisation.name,
            given.email or standing.customer.email or "",
        )
        digest = await self._passwords.hash(given.password, context)  # before the transaction: it takes 20 ms
        return await self._make_account(link, given, digest, call)

    async def _admit(self, link: Link, customer_number: str, call: AnonymousCall) -> Standing:
        """Look before the expensive hash: a dead link or a wrong number ends here, and is remembered."""
        refusal: PortalError
        async with self._transaction.reading(link.organisation_id) as uow:
            found = await uow.links.find(link)
        if found is None:
            raise TokenInvalid
        invitation, standing = found
        if invitation.refusal() is None and same_customer_number(customer_number, standing.customer.account_number):
            return standing
        async with self._transaction(link.organisation_id) as uow:
            refusal = await self._refuse(uow, link, standing, call)
        raise refusal

    async def _refuse(self, uow: UnitOfWork, link: Link, standing: Standing, call: AnonymousCall) -> PortalError:
        """The refusal of a dead link or a wrong number, recorded; a wrong number counts against the link."""
        await uow.customers.lock_of_token(link.token_id)
        invitation = await uow.tokens.find(link)
        if invitation is None:
            return TokenInvalid()
        if refusal := invitation.refusal():
            record_dead_token(uow, invitation, standing, call.seen)
            return refusal
        wrong = await uow.tokens.wrong_try(link, most=MOST_WRONG_NUMBERS)
        by, about = standing.actor, Subject(SubjectType.INVITATION, link.token_id)
        uow.activities.record(
            NewActivity(
                ActivityType.REGISTRATION_REFUSED,
                by,
                call.seen,
                about,
                standing.ref,
                {"key": CustomerNumberMismatch.key, "tries": wrong.tries if wrong else None},
            )
        )
        if wrong and wrong.revoked:
            uow.activities.record(
                NewActivity(
                    ActivityType.INVITATION_REVOKED,
                    by,
                    call.seen,
                    about,
                    standing.ref,
                    {"reason": "toomanywrongnumbers"},
                )
            )
        return CustomerNumberMismatch()

    async def _make_account(self, link: Link, given: Registration, digest: str, call: AnonymousCall) -> Registered:
        refusal: PortalError | None = None
        registered: Registered | None = None
        async with self._transaction(link.organisation_id) as uow:
            await uow.customers.lock_of_token(link.token_id)
            found = await uow.links.find(link)
            if found is None:
                raise TokenInvalid
            invitation, standing = found
            refusal = _unfit(standing) if invitation.refusal() is None else None
            if refusal is not None:
                payload = {"key": refusal.key}
                by, about = standing.actor, Subject(SubjectType.INVITATION, link.token_id)
                uow.activities.record(
                    NewActivity(ActivityType.REGISTRATION_REFUSED, by, call.seen, about, standing.ref, payload)
                )
            else:
                registered = await self._register(uow, standing, invitation, given, digest, call)
                if registered is None:
                    refusal = invitation.refusal() or TokenInvalid()
                    record_dead_token(uow, invitation, standing, call.seen)
        if registered is None:
            raise refusal or TokenInvalid()
        return registered

    async def _register(
        self,
        uow: UnitOfWork,
        standing: Standing,
        invitation: OneTimeToken,
        given: Registration,
        digest: str,
        call: AnonymousCall,
    ) -> Registered | None:
        """The account and what follows from it; None when the invitation cannot be spent."""
        email = given.email or invitation.email
        invited_address = email.casefold() == invitation.email.casefold()
        confirmed = standing.organisation.confirm_on_invitation and invited_address
        account = await uow.accounts.register(
            invitation.id,
            account_id=new_id(),
            customer_id=standing.customer.customer_id,
            email=email,
            language=given.language,
            password_hash=digest,
            confirmed=confirmed,
        )
        if account is None:
            return None
        standing = replace(
            standing, account=account, customer=replace(standing.customer, account_generation=account.generation)
        )
        by = standing.actor
        about = Subject(SubjectType.ACCOUNT, account.account_id)
        uow.activities.record(
            NewActivity(
                ActivityType.ACCOUNT_REGISTERED,
                by,
                call.seen,
                about,
                standing.ref,
                {"invitationId": str(invitation.id), "portalStatus": portal_status(account).value},
            )
        )
        language = standing.language
        if not confirmed:
            await send_link(
                uow,
                Purpose.EMAIL_CONFIRMATION,
                standing,
                Recipient(email, language),
                by=by,
                seen=call.seen,
                automatic=True,
            )
        else:
            uow.activities.record(
                NewActivity(ActivityType.EMAIL_CONFIRMED, by, call.seen, about, standing.ref, {"by": "invitation"})
            )
        if confirmed or not invited_address:
            # Whoever was invited learns that the invitation was used, and with which address.
            notice = NewMail(MailKind.ACCOUNT_MADE, invitation.email, language, True, account.account_id)
            await send_mail(uow, standing, notice, by=by, seen=call.seen)
        return Registered(portal_status(account), account.email)


def _unfit(standing: Standing) -> PortalError | None:
    """Why a good invitation cannot become an account just now."""
    if not standing.organisation.portal_enabled:
        return PortalClosed()
    return UserAlreadyExists() if standing.account is not None else None
