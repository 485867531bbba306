"""Portal sessions: log in, be recognised, see one's sessions, end them."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from app.domain.activities import ActivityType, CustomerRef, NewActivity, Subject, SubjectType
from app.domain.callers import Actor, ActorType, AnonymousCall, Call, Place, Seen
from app.domain.impersonations import EndReason, Impersonation
from app.domain.paging import Page, PageRequest
from app.domain.sessions import LoggedIn, PortalSession, PortalVisitor
from app.errors import (
    CustomerNumberRequired,
    EmailNotConfirmedAtLogin,
    InvalidCredentials,
    PortalError,
    ResourceNotFound,
    SessionEnded,
    Unauthenticated,
)
from app.ids import new_id
from app.passwords import Passwords
from app.repositories.accounts import LoginCandidate
from app.repositories.unit_of_work import Transactions
from app.services.deeds.impersonations import end_impersonation
from app.session_tokens import new_session_token, read_session_token

MOST_ACCOUNTS_TRIED = 5


@dataclass(frozen=True, slots=True)
class Login:
    """What the customer types on the login page."""

    email: str
    password: str
    customer_number: str | None = None


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a session lives without a call, and at most."""

    idle: timedelta
    lifetime: timedelta


class _AccountChanged(Exception):
    """The account was reset, retired or given another hash since its password was checked."""


class Sessions:
    """Portal sessions of customers."""

    def __init__(self, transaction: Transactions, passwords: Passwords, limits: SessionLimits) -> None:
        self._transaction = transaction
        self._passwords = passwords
        self._limits = limits

    async def log_in(self, login: Login, *, call: AnonymousCall) -> LoggedIn:
        """Open a session. An unknown address costs a hash too, though not the entry in the log that a known one leaves.

        Raises: InvalidCredentials, EmailNotConfirmedAtLogin, CustomerNumberRequired, TemporarilyUnavailable.
        """
        async with self._transaction.reading(call.organisation_id) as uow:
            candidates = await uow.accounts.login_candidates(
                login.email, login.customer_number, most=MOST_ACCOUNTS_TRIED + 1
            )
        if len(candidates) > MOST_ACCOUNTS_TRIED:
            raise CustomerNumberRequired
        fitting = [
            candidate
            for candidate in candidates
            if await self._passwords.verify(login.password, candidate.password_hash)
        ]
        if not candidates:
            await self._passwords.verify(login.password, None)
        if len(fitting) > 1:
            raise CustomerNumberRequired
        if not fitting:
            await self._remember_failures(candidates, InvalidCredentials(), call)
            raise InvalidCredentials
        if not fitting[0].account.email_confirmed:
            await self._remember_failures(fitting, EmailNotConfirmedAtLogin(), call)
            raise EmailNotConfirmedAtLogin
        try:
            return await self._open(fitting[0], login.password, call)
        except _AccountChanged:  # gone, or another login has just replaced its hash: look again at what it is now
            return await self.log_in(login, call=call)

    async def recognise(self, token: str, place: Place) -> PortalVisitor:
        """Who is behind a session token, at the place that the headers name.

        Raises: Unauthenticated, SessionEnded.
        """
        visitor, live = await self._find(token, place)
        if not live:
            raise SessionEnded
        return visitor

    async def page(self, visitor: PortalVisitor, request: PageRequest) -> Page[PortalSession]:
        """The visitor's live sessions, newest first."""
        async with self._transaction.reading(visitor.standing.organisation.organisation_id) as uow:
            return await uow.sessions.page(visitor.standing.customer.customer_id, request, idle=self._limits.idle)

    async def log_out(self, token: str, place: Place, *, seen: Seen) -> None:
        """End the session of this token; once more changes nothing.

        Raises: Unauthenticated, when the token never was a session's; SessionEnded, at another place.
        """
        visitor, live = await self._find(token, place)
        if visitor.impersonation is not None:
            await self._end_impersonation(visitor, visitor.impersonation, EndReason.LOGGED_OUT, seen)
        elif live:
            await self.end(visitor, visitor.session_id, seen=seen)

    async def end_impersonation(self, token: str, place: Place, *, seen: Seen) -> Impersonation:
        """The banner's "End this session"; once more changes nothing.

        Raises: Unauthenticated, when the token never was a session's; SessionEnded, at another place;
        ResourceNotFound, for a session of the customer's own.
        """
        visitor, _ = await self._find(token, place)
        if visitor.impersonation is None:
            raise ResourceNotFound("This is the customer's own session: no employee is logged in with it.")
        return await self._end_impersonation(visitor, visitor.impersonation, EndReason.BANNER, seen)

    async def introspect(self, token: str, *, call: Call) -> PortalVisitor | None:
        """Who is behind a live session of this organisation, which does not count as a sign of life of it."""
        try:
            key = read_session_token(token)
        except Unauthenticated:
            return None
        if key.organisation_id != call.organisation_id:
            return None
        async with self._transaction.reading(call.organisation_id) as uow:
            found = await uow.sessions.look(key.session_id, key.secret_digest, idle=self._limits.idle)
        return found[0] if found is not None and found[1] else None

    async def end(self, visitor: PortalVisitor, session_id: UUID, *, seen: Seen) -> None:
        """End one of the visitor's sessions; once more changes nothing.

        Raises: ResourceNotFound.
        """
        customer = visitor.standing.customer
        async with self._transaction(visitor.standing.organisation.organisation_id) as uow:
            if await uow.sessions.end(customer.customer_id, session_id, "loggedout"):
                uow.activities.record(
                    NewActivity(
                        ActivityType.LOGGED_OUT,
                        visitor.actor,
                        seen,
                        Subject(SubjectType.SESSION, session_id),
                        visitor.standing.ref,
                    )
                )
            elif not await uow.sessions.exists(customer.customer_id, session_id):
                raise ResourceNotFound

    async def _end_impersonation(
        self, visitor: PortalVisitor, one: Impersonation, reason: str, seen: Seen
    ) -> Impersonation:
        async with self._transaction(visitor.standing.organisation.organisation_id) as uow:
            await uow.customers.lock(one.customer_id)
            await end_impersonation(uow, one, reason, by=visitor.actor, seen=seen)
            return await uow.impersonations.get(one.id) or one

    async def _find(self, token: str, place: Place) -> tuple[PortalVisitor, bool]:
        key = read_session_token(token)
        async with self._transaction.reading(key.organisation_id) as uow:
            found = await uow.sessions.recognise(key.session_id, key.secret_digest, idle=self._limits.idle)
        if found is None:
            raise Unauthenticated
        organisation = found[0].standing.organisation
        if not place.admits(organisation.tenant_id, organisation.organisation_id):
            raise SessionEnded
        return found

    async def _open(self, candidate: LoginCandidate, password: str, call: AnonymousCall) -> LoggedIn:
        account = candidate.account
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
                raise _AccountChanged
            if stronger is not None:
                await uow.accounts.rehash(account.account_id, known_hash, stronger)
            uow.activities.record(
                NewActivity(
                    ActivityType.LOGIN_SUCCEEDED,
                    _customer(candidate),
                    call.seen,
                    Subject(SubjectType.SESSION, key.session_id),
                    _ref(candidate),
                )
            )
        return LoggedIn(token, expires_at, account.customer_id)

    async def _remember_failures(
        self, candidates: list[LoginCandidate], refusal: PortalError, call: AnonymousCall
    ) -> None:
        """Each account that the login could have meant gets an entry; an unknown address leaves none."""
        if not candidates:
            return
        async with self._transaction(call.organisation_id) as uow:
            for candidate in candidates:
                uow.activities.record(
                    NewActivity(
                        ActivityType.LOGIN_FAILED,
                        _customer(candidate),
                        call.seen,
                        Subject(SubjectType.ACCOUNT, candidate.account.account_id),
                        _ref(candidate),
                        {"key": refusal.key},
                    )
                )


def _customer(candidate: LoginCandidate) -> Actor:
    return Actor(ActorType.CUSTOMER, str(candidate.account.customer_id), candidate.display_name)


def _ref(candidate: LoginCandidate) -> CustomerRef:
    return CustomerRef(candidate.account.customer_id, candidate.account_number, candidate.generation)
