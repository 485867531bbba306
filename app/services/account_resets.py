"""The account reset: the account is deleted, the customer registers again, what happened stays in the log."""

from dataclasses import dataclass, replace
from uuid import UUID

from app.domain.activities import ActivityType, NewActivity, Subject, SubjectType
from app.domain.callers import Call
from app.domain.cards import Card, Standing, invitation_refusal, live_account_refusal
from app.domain.platform_customers import PlatformCustomer
from app.errors import UserHasNoEmailAddress, UserNotFound
from app.repositories.unit_of_work import Transactions, UnitOfWork
from app.services.deeds.contact_email import store_contact_email
from app.services.deeds.links import Recipient, send_link
from app.services.deeds.sessions import end_all_of_account
from app.tokens import Purpose

_REASON = "accountreset"
_SKIPPED = "The account was reset before the mail was sent."


@dataclass(frozen=True, slots=True)
class AccountReset:
    """What an employee says about a reset; a given address becomes the customer's contact address."""

    reason: str | None = None
    reinvite: bool = False
    email: str | None = None


class AccountResets:
    """Deletes accounts so that their customers can register again."""

    def __init__(self, transaction: Transactions) -> None:
        self._transaction = transaction

    async def reset(self, customer_id: UUID, given: AccountReset, *, call: Call) -> Card:
        """Delete the live account; the card afterwards. With `reinvite`, all of it or nothing.

        Raises: CustomerDoesNotExist, UserNotFound; with `reinvite` also PortalNotEnabled, PortalUrlMissing,
        UserHasNoEmailAddress.
        """
        async with self._transaction.of(call) as uow:
            await self._reset(uow, customer_id, given, call)
            return uow.answer(await uow.cards.get(customer_id, call.caller))

    async def reset_for_platform(self, customer_id: UUID, given: AccountReset, *, call: Call) -> PlatformCustomer:
        """The same, with the customer afterwards.

        Raises: as `reset`.
        """
        async with self._transaction.of(call) as uow:
            await self._reset(uow, customer_id, given, call)
            return uow.answer(await uow.platform_customers.get(customer_id))

    async def _reset(self, uow: UnitOfWork, customer_id: UUID, given: AccountReset, call: Call) -> None:
        standing = await uow.customers.locked_standing(customer_id)
        if refusal := live_account_refusal(standing):
            raise refusal
        afterwards = replace(standing, account=None, account_count=standing.account_count - 1)
        if given.reinvite and (refusal := invitation_refusal(_with_email(afterwards, given.email))):
            raise refusal
        await self._delete(uow, standing, given, call)
        if given.email:
            afterwards = await store_contact_email(uow, afterwards, given.email, by=call.actor, seen=call.seen)
        if given.reinvite:
            await self._invite(uow, afterwards, call)

    async def _delete(self, uow: UnitOfWork, standing: Standing, given: AccountReset, call: Call) -> None:
        """The account goes first: a login at the same time has opened its session by then, or fails."""
        if standing.account is None:
            raise UserNotFound
        await uow.account_records.delete_live(standing.customer.customer_id)
        reason = {"reason": given.reason} if given.reason else {}
        uow.activities.record(
            NewActivity(
                ActivityType.ACCOUNT_RESET,
                call.actor,
                call.seen,
                Subject(SubjectType.ACCOUNT, standing.account.account_id),
                standing.ref,
                {**reason, "reinvite": given.reinvite},
            )
        )
        await end_all_of_account(uow, standing, _REASON, by=call.actor, seen=call.seen, skip_mails=_SKIPPED)

    async def _invite(self, uow: UnitOfWork, standing: Standing, call: Call) -> None:
        if standing.customer.email is None:
            raise UserHasNoEmailAddress
        recipient = Recipient(standing.customer.email, standing.language)
        await send_link(uow, Purpose.INVITATION, standing, recipient, by=call.actor, seen=call.seen)


def _with_email(standing: Standing, email: str | None) -> Standing:
    return replace(standing, customer=replace(standing.customer, email=email or standing.customer.email))
