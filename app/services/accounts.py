"""Accounts of older systems and duplicates: taken over, listed, and the right one made the live one."""

from datetime import datetime
from uuid import UUID

from app.clock import Clock
from app.domain.accounts import Account, AccountRecord, AccountState, ImportedAccount, masked
from app.domain.activities import ActivityType, CustomerRef, NewActivity, Subject, SubjectType
from app.domain.callers import Call
from app.domain.cards import Standing, reactivation_refusal
from app.domain.paging import Page, PageRequest
from app.errors import FieldError, ResourceNotFound, ValidationFailed
from app.ids import new_id
from app.imported_hashes import check_imported_hash
from app.repositories.unit_of_work import Transactions
from app.services.deeds.revocations import revoke_links
from app.services.deeds.sessions import end_all_of_account

_REASON = "accountreactivated"


class Accounts:
    """Every account known for a customer."""

    def __init__(self, transaction: Transactions, clock: Clock) -> None:
        self._transaction = transaction
        self._clock = clock

    async def take_over(self, customer_id: UUID, given: ImportedAccount, *, call: Call) -> AccountRecord:
        """Add an account of an older system; a live one ends the customer's pending invitation.

        Raises: CustomerDoesNotExist, UserAlreadyExists, ValidationFailed.
        """
        _check_times(given, self._clock())
        if given.password_hash is not None:
            check_imported_hash(given.password_hash)
        async with self._transaction.of(call) as uow:
            standing = await uow.customers.locked_standing(customer_id)
            taken = await uow.account_records.take_over(new_id(), customer_id, given)
            uow.activities.record(
                _entry(
                    ActivityType.ACCOUNT_IMPORTED,
                    standing,
                    taken.account,
                    call,
                    email=masked(given.email),
                    state=taken.state.value,
                    withPassword=given.password_hash is not None,
                )
            )
            if given.live:
                await revoke_links(uow, standing, "accountimported", by=call.actor, seen=call.seen)
            return uow.answer(taken)

    async def page(self, customer_id: UUID, request: PageRequest, *, call: Call) -> Page[AccountRecord]:
        """Every account known for the customer, the one registered last first.

        Raises: CustomerDoesNotExist.
        """
        async with self._transaction.reading(call.organisation_id) as uow:
            found = await uow.account_records.page(customer_id, request)
            if not found.results:
                await uow.customers.require(customer_id)
            return found

    async def reactivate(self, customer_id: UUID, account_id: UUID, *, call: Call) -> AccountRecord:
        """Make this account the live one and retire the others; whoever is logged in to it already stays so.

        Raises: CustomerDoesNotExist, ResourceNotFound, UserNotFound.
        """
        async with self._transaction.of(call) as uow:
            standing = await uow.customers.locked_standing(customer_id)
            wanted = await uow.account_records.find(customer_id, account_id)
            if wanted is None:
                raise ResourceNotFound("The customer has no account with this id.")
            if wanted.state is AccountState.RETIRED and (refusal := reactivation_refusal(standing)):
                raise refusal
            for other in await uow.account_records.retire_others(customer_id, account_id):
                uow.activities.record(
                    _entry(ActivityType.ACCOUNT_RETIRED, standing, other.account, call, by=str(account_id))
                )
            if wanted.state is AccountState.LIVE:
                return uow.answer(wanted)
            live = await uow.account_records.make_live(customer_id, account_id)
            uow.activities.record(_entry(ActivityType.ACCOUNT_REACTIVATED, standing, live.account, call))
            # After the account: a login at the same time has opened its session by now, or fails.
            await end_all_of_account(uow, standing, _REASON, by=call.actor, seen=call.seen)
            return uow.answer(live)


def _entry(kind: ActivityType, standing: Standing, account: Account, call: Call, **payload: str | bool) -> NewActivity:
    """An entry of the log on this account's own generation."""
    customer = standing.customer
    return NewActivity(
        kind,
        call.actor,
        call.seen,
        Subject(SubjectType.ACCOUNT, account.account_id),
        CustomerRef(customer.customer_id, customer.account_number, account.generation),
        payload,
    )


def _check_times(given: ImportedAccount, now: datetime) -> None:
    """Raises: ValidationFailed."""
    confirmed_at = given.email_confirmed_at
    faults = []
    if given.registered_at > now:
        faults.append(("registeredDateTime", "This lies in the future"))
    if confirmed_at is not None and confirmed_at > now:
        faults.append(("emailConfirmedDateTime", "This lies in the future"))
    elif confirmed_at is not None and confirmed_at < given.registered_at:
        faults.append(("emailConfirmedDateTime", "This lies before the registration"))
    if faults:
        raise ValidationFailed(errors=[FieldError(field, ValidationFailed.key, words) for field, words in faults])
