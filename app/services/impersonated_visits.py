"""The portal's side of an impersonation: the hand-off redeemed, what is refused, and the customer told of it."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from app.domain.activities import ActivityType, NewActivity, Subject, SubjectType
from app.domain.callers import AnonymousCall, Seen
from app.domain.cards import Standing, impersonation_refusal
from app.domain.communications import MailKind, NewMail
from app.domain.impersonations import TIME, Impersonation
from app.domain.paging import Page, PageRequest
from app.domain.sessions import LoggedIn, PortalVisitor
from app.errors import AccessLogNotShown, HandOffDead, PortalError, TokenInvalid, TokenRevoked
from app.ids import new_id
from app.repositories.unit_of_work import Transactions, UnitOfWork
from app.services.deeds.impersonations import record_ends
from app.services.deeds.mails import send_mail
from app.session_tokens import new_session_token
from app.tokens import Purpose, TokenSigner

_LOOK_AGAIN = timedelta(seconds=1)


class ImpersonatedVisits:
    """Employees in the portal."""

    def __init__(self, transaction: Transactions, signer: TokenSigner) -> None:
        self._transaction = transaction
        self._signer = signer

    async def redeem(self, token: str, *, call: AnonymousCall) -> LoggedIn:
        """Spend the hand-off link: a portal session for the employee, which ends with the impersonation.

        Raises: TokenInvalid, TokenDead, PortalNotEnabled, PortalUrlMissing, FeatureNotEnabled, EmailNotConfirmed.
        """
        link = self._signer.read(Purpose.IMPERSONATION, token)
        if link.organisation_id != call.organisation_id:
            raise TokenInvalid
        refusal: PortalError | None
        logged_in: LoggedIn | None = None
        async with self._transaction(link.organisation_id) as uow:
            await uow.customers.lock_of_impersonation(link.token_id)
            known = await uow.links.hand_off(link)
            if known is None:
                raise TokenInvalid
            found, standing = known
            refusal = found.handoff_refusal() or _unfit(standing, found)
            if refusal is None:
                logged_in = await self._log_in(uow, standing, found, call.seen)
                # None: another start of the employee, with another customer, ended it this very moment.
                found = found if logged_in else await uow.impersonations.get(link.token_id) or found
                refusal = found.handoff_refusal()
            if logged_in is None:
                uow.activities.record(
                    NewActivity(
                        ActivityType.IMPERSONATION_REFUSED,
                        found.employee,
                        replace(call.seen, impersonation=found.ref),
                        Subject(SubjectType.IMPERSONATION, found.id),
                        standing.ref,
                        {"key": refusal.key if refusal else TokenInvalid.key},
                    )
                )
        if logged_in is None:
            raise refusal or TokenInvalid()
        return logged_in

    async def refuse_act(self, visitor: PortalVisitor, operation: str, refusal: PortalError, *, seen: Seen) -> None:
        """Put into the log that the impersonator tried what only the customer, or only full access, may do."""
        async with self._transaction(visitor.standing.organisation.organisation_id) as uow:
            about = Subject(SubjectType.SESSION, visitor.session_id)
            payload = {"key": refusal.key, "operation": operation}
            uow.activities.record(
                NewActivity(
                    ActivityType.IMPERSONATION_REFUSED, visitor.actor, seen, about, visitor.standing.ref, payload
                )
            )

    async def access_log(self, visitor: PortalVisitor, request: PageRequest) -> Page[Impersonation]:
        """For the customer: who of the utility was logged in as them, newest first.

        Raises: AccessLogNotShown, unless the organisation shows it.
        """
        organisation = visitor.standing.organisation
        if not organisation.show_access_log:
            raise AccessLogNotShown
        async with self._transaction.reading(organisation.organisation_id) as uow:
            return await uow.impersonation_pages.visits(visitor.standing.customer.customer_id, request)

    async def finish(self, organisation_id: UUID, impersonation_id: UUID, *, seen: Seen) -> timedelta | None:
        """The job behind every impersonation: close it when its time is up, and tell the customer once it is over.

        None when there is nothing left to do, else how long to wait.
        """
        async with self._transaction(organisation_id) as uow:
            customer_id = await uow.customers.lock_of_impersonation(impersonation_id)
            if customer_id is None:
                return None
            record_ends(uow, await uow.impersonations.end_overdue(impersonation_id), by=TIME, seen=seen)
            found = await uow.impersonations.get(impersonation_id)
            if found is None or found.open:
                return _LOOK_AGAIN if found else None
            standing = await uow.customers.standing(customer_id)
            await _tell(uow, standing, found, seen)
            return None

    async def _log_in(
        self, uow: UnitOfWork, standing: Standing, impersonation: Impersonation, seen: Seen
    ) -> LoggedIn | None:
        token, key = new_session_token(uow.organisation_id, new_id())
        expires_at = await uow.impersonations.redeem(
            impersonation.id,
            session_id=key.session_id,
            secret_digest=key.secret_digest,
            ip_address=seen.ip_address,
            user_agent=seen.user_agent,
        )
        if expires_at is None:
            return None
        uow.activities.record(
            NewActivity(
                ActivityType.IMPERSONATION_REDEEMED,
                impersonation.employee,
                replace(seen, impersonation=impersonation.ref),
                Subject(SubjectType.IMPERSONATION, impersonation.id),
                standing.ref,
            )
        )
        return LoggedIn(token, expires_at, impersonation.customer_id)


def _unfit(standing: Standing, impersonation: Impersonation) -> PortalError | None:
    """Why a good link opens nothing just now: what was needed to start it is needed still."""
    if standing.account is None or standing.account.account_id != impersonation.account_id:
        return HandOffDead(TokenRevoked())
    return impersonation_refusal(standing)


async def _tell(uow: UnitOfWork, standing: Standing, impersonation: Impersonation, seen: Seen) -> None:
    """Tell the customer that an employee was logged in. The mail bears the impersonation's id: there is one at most."""
    account = standing.account
    if not standing.organisation.notify_after_impersonation or impersonation.redeemed_at is None:
        return
    if account is None or account.account_id != impersonation.account_id:
        return
    if await uow.communications.exists(impersonation.id):
        return
    notice = NewMail(MailKind.ACCESS_NOTICE, account.email, standing.language, True, account.account_id)
    await send_mail(uow, standing, notice, by=TIME, seen=seen, communication_id=impersonation.id)
