"""Impersonation: an employee logs in to the portal as the customer, for 15 minutes, and the log names both."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from app.domain.activities import ActivityType, NewActivity, Subject, SubjectType
from app.domain.callers import Call
from app.domain.cards import Standing, impersonation_refusal
from app.domain.impersonations import (
    LIFETIME,
    EndReason,
    Impersonation,
    ImpersonationOverview,
    NewImpersonation,
    impersonator_refusal,
)
from app.domain.one_time_tokens import TokenState, link_url
from app.domain.organisations import Organisation
from app.domain.paging import Page, PageRequest, chunks
from app.errors import CustomerDoesNotExist, PermissionInvalid, PortalError, ResourceNotFound, UserNotFound
from app.ids import new_id
from app.permissions import Permission
from app.repositories.unit_of_work import Transactions, UnitOfWork
from app.services.deeds.access_changes import lock_access
from app.services.deeds.impersonations import end_impersonation, end_impersonation_of_employee
from app.tokens import Purpose, TokenSigner


@dataclass(frozen=True, slots=True)
class HandOff:
    """What hands an impersonation over to the portal: the token, and the link that carries it."""

    token: str
    portal_login_url: str


@dataclass(frozen=True, slots=True)
class StartedImpersonation:
    """A new impersonation with its hand-off."""

    impersonation: Impersonation
    hand_off: HandOff


class Impersonations:
    """Impersonations as the back office starts, ends and lists them."""

    def __init__(self, transaction: Transactions, signer: TokenSigner) -> None:
        self._transaction = transaction
        self._signer = signer

    async def start(self, customer_id: UUID, new: NewImpersonation, *, call: Call) -> StartedImpersonation:
        """Begin an impersonation; the employee's earlier one ends. A refusal is remembered in the log.

        Raises: CustomerDoesNotExist, PermissionInvalid, PortalNotEnabled, PortalUrlMissing, FeatureNotEnabled,
        UserNotFound, EmailNotConfirmed.
        """
        refusal: PortalError | None = None
        try:
            async with self._transaction.of(call) as uow:
                standing = await uow.customers.locked_standing(customer_id)
                refusal = impersonator_refusal(call.actor) or impersonation_refusal(standing)
                refusal = refusal or await _lost_right(uow, call)
                if refusal is not None:
                    raise refusal
                impersonation = uow.answer(await self._start(uow, standing, new, call))
                return StartedImpersonation(impersonation, self._hand_off(standing.organisation, impersonation))
        except PortalError:
            if refusal is not None:
                await self.remember_refusal(customer_id, refusal, call=call)
            raise

    async def hand_off_again(self, impersonation_id: UUID, *, call: Call) -> HandOff | None:
        """The hand-off of an impersonation started before, signed anew while it still works."""
        async with self._transaction.reading(call.organisation_id) as uow:
            found = await uow.impersonations.get(impersonation_id)
            organisation = await uow.organisations.get()
        if found is None or organisation is None or found.handoff_state is not TokenState.PENDING:
            return None
        return self._hand_off(organisation, found)

    async def remember_refusal(self, customer_id: UUID, refusal: PortalError, *, call: Call) -> None:
        """Put into the log that an impersonation was not started.

        Raises: CustomerDoesNotExist.
        """
        async with self._transaction(call.organisation_id) as uow:
            standing = await uow.customers.standing(customer_id)
            uow.activities.record(
                NewActivity(
                    ActivityType.IMPERSONATION_REFUSED,
                    call.actor,
                    call.seen,
                    Subject(SubjectType.CUSTOMER, customer_id),
                    standing.ref,
                    {"key": refusal.key},
                )
            )

    async def end(self, customer_id: UUID, impersonation_id: UUID, *, call: Call) -> Impersonation:
        """End an impersonation: one's own, or anybody's with the permission; once more changes nothing.

        Raises: CustomerDoesNotExist, ResourceNotFound, PermissionInvalid.
        """
        if not call.caller.may(Permission.PORTAL_IMPERSONATE):
            await self._require_own(customer_id, impersonation_id, call)
        async with self._transaction.of(call) as uow:
            if await uow.customers.lock(customer_id) is None:
                raise CustomerDoesNotExist
            found = await uow.impersonations.of_customer(customer_id, impersonation_id)
            if found is None:
                raise ResourceNotFound
            await end_impersonation(uow, found, EndReason.EMPLOYEE, by=call.actor, seen=call.seen)
            return uow.answer(await uow.impersonations.get(impersonation_id) or found)

    async def page(self, customer_id: UUID, request: PageRequest, *, call: Call) -> Page[Impersonation]:
        """The customer's impersonations, newest first.

        Raises: CustomerDoesNotExist.
        """
        async with self._transaction.reading(call.organisation_id) as uow:
            found = await uow.impersonation_pages.of_customer(customer_id, request)
            if not found.results:
                await uow.customers.require(customer_id)
            return found

    async def of_organisation(self, request: PageRequest, *, call: Call) -> Page[ImpersonationOverview]:
        """The organisation's impersonations, newest first."""
        async with self._transaction.reading(call.organisation_id) as uow:
            return await uow.impersonation_pages.of_organisation(request)

    async def _require_own(self, customer_id: UUID, impersonation_id: UUID, call: Call) -> None:
        """Whoever may end their own alone does not learn which others exist, nor gets an earlier answer again."""
        async with self._transaction.reading(call.organisation_id) as uow:
            found = await uow.impersonations.of_customer(customer_id, impersonation_id)
        if found is None or not found.belongs_to(call.actor):
            call.caller.require(Permission.PORTAL_IMPERSONATE)

    def all_of_organisation(self, *, call: Call) -> AsyncIterator[Sequence[ImpersonationOverview]]:
        """All of them, newest first, in chunks between which no connection is held."""
        return chunks(lambda page: self.of_organisation(page, call=call))

    async def _start(self, uow: UnitOfWork, standing: Standing, new: NewImpersonation, call: Call) -> Impersonation:
        account, employee = standing.account, call.actor
        if account is None:
            raise UserNotFound
        impersonation_id = new_id()
        await end_impersonation_of_employee(
            uow, employee.id, EndReason.SUPERSEDED, by=employee, seen=call.seen, supersededBy=str(impersonation_id)
        )
        started = await uow.impersonations.start(
            new,
            impersonation_id=impersonation_id,
            customer_id=standing.customer.customer_id,
            account_id=account.account_id,
            employee=employee,
            handoff=standing.organisation.token_lifetimes.of(Purpose.IMPERSONATION),
            lifetime=LIFETIME,
        )
        uow.activities.record(
            NewActivity(
                ActivityType.IMPERSONATION_STARTED,
                employee,
                replace(call.seen, impersonation=started.ref),
                Subject(SubjectType.IMPERSONATION, started.id),
                standing.ref,
                {
                    "reason": started.reason,
                    "ticketReference": started.ticket_reference,
                    "accessMode": started.access_mode.value,
                    "rightAssigned": _by_assignment(call),
                },
            )
        )
        uow.jobs.finish_impersonation(started.id, call.seen.correlation_id, LIFETIME)
        return started

    def _hand_off(self, organisation: Organisation, impersonation: Impersonation) -> HandOff:
        token = self._signer.sign(Purpose.IMPERSONATION, organisation.organisation_id, impersonation.id)
        return HandOff(token, link_url(organisation.portal_url or "", Purpose.IMPERSONATION, token))


def _by_assignment(call: Call) -> bool:
    return Permission.PORTAL_IMPERSONATE in call.caller.assigned


async def _lost_right(uow: UnitOfWork, call: Call) -> PermissionInvalid | None:
    """An assigned right may be taken away this very moment, which must find this impersonation or come before it."""
    if not _by_assignment(call):
        return None
    await lock_access(uow)
    rights = await uow.role_assignments.rights(call.actor.id)
    if Permission.PORTAL_IMPERSONATE in rights.permissions:
        return None
    return PermissionInvalid(f"This needs the permission {Permission.PORTAL_IMPERSONATE.value}.")
