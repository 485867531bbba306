"""Portal sessions: be recognised, see one's sessions, end them."""

from uuid import UUID

from app.domain.activities import ActivityType, NewActivity, Subject, SubjectType
from app.domain.callers import Call, Place, Seen
from app.domain.cards import live_account_refusal
from app.domain.impersonations import EndReason, Impersonation
from app.domain.paging import Page, PageRequest
from app.domain.sessions import CUSTOMER_LOGOUT, PortalSession, PortalVisitor, SessionLimits
from app.errors import (
    LoggedOutByUtility,
    PortalClosed,
    ResourceNotFound,
    SessionEnded,
    Unauthenticated,
    UserNotFound,
)
from app.repositories.unit_of_work import Transactions
from app.services.deeds.impersonations import end_impersonation
from app.services.deeds.sessions import end_impersonations, end_sessions
from app.session_tokens import read_session_token


class Sessions:
    """Portal sessions of customers."""

    def __init__(self, transaction: Transactions, limits: SessionLimits) -> None:
        self._transaction = transaction
        self._limits = limits

    async def recognise(self, token: str, place: Place) -> PortalVisitor:
        """Who is behind a session token, at the place that the headers name.

        Raises: Unauthenticated, SessionEnded, PortalClosed.
        """
        visitor, live = await self._find(token, place)
        if not live:
            raise await self._ended(visitor)
        if not visitor.standing.organisation.portal_enabled:
            raise PortalClosed
        return visitor

    async def owner(self, token: str, place: Place) -> PortalVisitor:
        """Whose session this is, or was before it ended; nobody speaks with an impersonation that is over.

        Raises: Unauthenticated, when the token never was a session's; SessionEnded, at another place.
        """
        visitor, live = await self._find(token, place)
        if visitor.impersonation is not None and not live:
            raise SessionEnded
        return visitor

    async def page(self, visitor: PortalVisitor, request: PageRequest) -> Page[PortalSession]:
        """The visitor's live sessions, newest first."""
        async with self._transaction.reading(visitor.standing.organisation.organisation_id) as uow:
            return await uow.sessions.page(visitor.standing.customer.customer_id, request, idle=self._limits.idle)

    async def log_out(self, token: str, place: Place, *, seen: Seen) -> bool:
        """End the session of this token; once more changes nothing.

        Returns whether the browser is to forget what it keeps of the portal: the utility ended the session before.

        Raises: Unauthenticated, when the token never was a session's; SessionEnded, at another place.
        """
        visitor, live = await self._find(token, place)
        if visitor.impersonation is not None:
            await self._end_impersonation(visitor, visitor.impersonation, EndReason.LOGGED_OUT, seen)
        elif live:
            await self.end(visitor, visitor.session_id, seen=seen)
        else:
            return isinstance(await self._ended(visitor), LoggedOutByUtility)
        return False

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
        """Who is behind a session that lets in just now, in this organisation; not counted as a sign of life."""
        try:
            key = read_session_token(token)
        except Unauthenticated:
            return None
        if key.organisation_id != call.organisation_id:
            return None
        async with self._transaction.reading(call.organisation_id) as uow:
            found = await uow.sessions.look(key.session_id, key.secret_digest, idle=self._limits.idle)
        if found is None:
            return None
        visitor, live = found
        return visitor if live and visitor.standing.organisation.portal_enabled else None

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

    async def log_customer_out(self, customer_id: UUID, *, call: Call) -> int:
        """An employee ends all of the customer's sessions, and has the browser forget what it keeps of the portal.

        Returns how many of the customer's own sessions were open. Once more ends nothing and is fine.

        Raises: CustomerDoesNotExist, UserNotFound.
        """
        by, seen = call.actor, call.seen
        async with self._transaction.of(call) as uow:
            standing = await uow.customers.locked_standing(customer_id)
            if refusal := live_account_refusal(standing):
                raise refusal
            if standing.account is None:
                raise UserNotFound
            await uow.accounts.ask_to_clear_site_data(standing.account.account_id)
            live = await uow.sessions.count(customer_id, idle=self._limits.idle)
            await end_sessions(uow, standing, CUSTOMER_LOGOUT, by=by, seen=seen, tell_none=True)
            await end_impersonations(uow, standing, CUSTOMER_LOGOUT, by=by, seen=seen)
            return uow.answer(live)

    async def _ended(self, visitor: PortalVisitor) -> SessionEnded:
        """The refusal of a session that has ended; after an employee's logout it clears the browser too."""
        async with self._transaction.reading(visitor.standing.organisation.organisation_id) as uow:
            reason = await uow.sessions.end_reason(visitor.session_id)
        return LoggedOutByUtility() if reason == CUSTOMER_LOGOUT else SessionEnded()

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
