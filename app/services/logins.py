"""Logging in to the portal, and what a failed login leaves behind."""

from dataclasses import dataclass

from app.domain.activities import ActivityType, NewActivity, Subject, SubjectType
from app.domain.callers import Actor, ActorType, AnonymousCall
from app.domain.customers import plain_number
from app.domain.logins import LoginTarget, meant
from app.domain.sessions import LoggedIn, SessionLimits
from app.errors import (
    CustomerNumberRequired,
    EmailNotConfirmedAtLogin,
    InvalidCredentials,
    PortalClosed,
    PortalError,
)
from app.ids import new_id
from app.passwords import Passwords
from app.repositories.logins import LoginCandidate
from app.repositories.unit_of_work import Transactions
from app.services.deeds.guesses import Guesses
from app.session_tokens import new_session_token

MOST_ACCOUNTS_TRIED = 5
SOMEBODY = Actor(ActorType.SYSTEM, "login", "Somebody who is not known")


@dataclass(frozen=True, slots=True)
class Login:
    """What the customer types on the login page."""

    email: str
    password: str
    customer_number: str | None = None


class Logins:
    """Customers on their way in."""

    def __init__(
        self, transaction: Transactions, passwords: Passwords, guesses: Guesses, limits: SessionLimits
    ) -> None:
        self._transaction = transaction
        self._passwords = passwords
        self._guesses = guesses
        self._limits = limits

    async def log_in(self, login: Login, *, call: AnonymousCall) -> LoggedIn:
        """Open a session.

        Whatever a login fails for, it costs a hash, runs the same statements and leaves an activity. To be asked for
        the customer number is no failure yet.

        Raises: PortalClosed, InvalidCredentials, EmailNotConfirmedAtLogin, CustomerNumberRequired,
        TooManyRequests, TemporarilyUnavailable.
        """
        await self._guesses.check(call.organisation_id, login.email, call.seen)
        with self._passwords.place():  # or else a crowd would take every connection before it is turned away
            candidates = await self._candidates(login, call)
        if len(candidates) > MOST_ACCOUNTS_TRIED:
            raise CustomerNumberRequired
        hashes = [candidate.password_hash for candidate in candidates] or [None]
        fits = await self._passwords.verify_each(login.password, hashes)
        fitting = [candidate for candidate, fit in zip(candidates, fits, strict=False) if fit]
        if not fitting:
            await self._guesses.count(call.organisation_id, login.email, call.seen)
            raise await self._failed(login, candidates, InvalidCredentials(), call)
        await self._guesses.check(call.organisation_id, login.email, call.seen)
        if len(fitting) > 1:
            raise CustomerNumberRequired
        if not fitting[0].account.email_confirmed:
            raise await self._failed(login, fitting, EmailNotConfirmedAtLogin(), call)
        opened = await self._open(fitting[0], login.password, call)
        if opened is None:  # gone, or another login has just replaced its hash: look again at what it is now
            return await self.log_in(login, call=call)
        return opened

    async def _candidates(self, login: Login, call: AnonymousCall) -> list[LoginCandidate]:
        """The accounts that the login may mean.

        Raises: PortalClosed.
        """
        async with self._transaction.reading(call.organisation_id) as uow:
            organisation = await uow.organisations.get()
            if organisation is None or not organisation.portal_enabled:
                raise PortalClosed
            number = plain_number(login.customer_number) if login.customer_number else None
            return await uow.logins.candidates(login.email, number, most=MOST_ACCOUNTS_TRIED + 1)

    async def _open(self, candidate: LoginCandidate, password: str, call: AnonymousCall) -> LoggedIn | None:
        """The new session; None when the account was reset, retired or changed since its password was checked."""
        account, target = candidate.account, candidate.target
        known_hash = candidate.password_hash or ""
        stronger = await self._passwords.rehash(password, known_hash)
        token, key = new_session_token(call.organisation_id, new_id())
        async with self._transaction(call.organisation_id) as uow:
            expires_at = await uow.sessions.open(
                session_id=key.session_id,
                account_id=account.account_id,
                password_hash=known_hash,
                secret_digest=key.secret_digest,
                lifetime=self._limits.lifetime,
                ip_address=call.seen.ip_address,
                user_agent=call.seen.user_agent,
            )
            if expires_at is None:
                return None
            clear_site_data = await uow.accounts.take_clear_site_data(account.account_id)
            if stronger is not None:
                await uow.accounts.replace_hash(account.account_id, known_hash, stronger)
            uow.activities.record(
                NewActivity(
                    ActivityType.LOGIN_SUCCEEDED,
                    target.actor,
                    call.seen,
                    Subject(SubjectType.SESSION, key.session_id),
                    target.ref,
                )
            )
        return LoggedIn(token, expires_at, account.customer_id, clear_site_data)

    async def _failed(
        self, login: Login, tried: list[LoginCandidate], refusal: PortalError, call: AnonymousCall
    ) -> PortalError:
        """The refusal, remembered for each customer whom the login meant, or else for the organisation.

        Both look-ups run in any case, needed or not: a known address must not be told from an unknown one.
        """
        async with self._transaction(call.organisation_id) as uow:
            holders = await uow.logins.holders(login.email, most=MOST_ACCOUNTS_TRIED)
            contacts = await uow.logins.contacts(login.email, most=MOST_ACCOUNTS_TRIED)
            whom = meant([one.target for one in tried], holders, contacts, most=MOST_ACCOUNTS_TRIED)
            payload = {"key": refusal.key} | ({"reason": whom.reason} if whom.reason else {})
            for target in whom.targets:
                uow.activities.record(_failure(target, payload, call))
            if not whom.targets:
                about = Subject(SubjectType.ORGANISATION, call.organisation_id)
                uow.activities.record(
                    NewActivity(ActivityType.LOGIN_FAILED, SOMEBODY, call.seen, about, payload=payload)
                )
        return refusal


def _failure(target: LoginTarget, payload: dict[str, str], call: AnonymousCall) -> NewActivity:
    return NewActivity(ActivityType.LOGIN_FAILED, target.actor, call.seen, target.subject, target.ref, dict(payload))
