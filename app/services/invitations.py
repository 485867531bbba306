"""Invitations: sent by an employee, the newest alone valid, revocable."""

from dataclasses import replace
from uuid import UUID

from app.domain.activities import ActivityType, NewActivity, Subject, SubjectType
from app.domain.callers import Call
from app.domain.cards import invitation_refusal
from app.domain.one_time_tokens import OneTimeToken
from app.domain.paging import Page, PageRequest
from app.errors import ResourceNotFound, UserHasNoEmailAddress
from app.repositories.unit_of_work import Transactions
from app.services.deeds.contact_email import store_contact_email
from app.services.deeds.links import Recipient, send_link
from app.tokens import Purpose


class Invitations:
    """Invitations to register for the portal."""

    def __init__(self, transaction: Transactions) -> None:
        self._transaction = transaction

    async def send(self, customer_id: UUID, email: str | None, language: str | None, *, call: Call) -> OneTimeToken:
        """Mail a new invitation; earlier ones end. A given address becomes the customer's.

        Raises: CustomerDoesNotExist, PortalNotEnabled, PortalUrlMissing, UserAlreadyExists,
        UserHasNoEmailAddress.
        """
        async with self._transaction.of(call) as uow:
            standing = await uow.customers.locked_standing(customer_id)
            wanted = replace(standing, customer=replace(standing.customer, email=email or standing.customer.email))
            if refusal := invitation_refusal(wanted):
                raise refusal
            if email:
                standing = await store_contact_email(uow, standing, email, by=call.actor, seen=call.seen)
            if standing.customer.email is None:
                raise UserHasNoEmailAddress
            recipient = Recipient(standing.customer.email, language or standing.language)
            return uow.answer(
                await send_link(uow, Purpose.INVITATION, standing, recipient, by=call.actor, seen=call.seen)
            )

    async def page(self, customer_id: UUID, request: PageRequest, *, call: Call) -> Page[OneTimeToken]:
        """The customer's invitations, newest first.

        Raises: CustomerDoesNotExist.
        """
        async with self._transaction.reading(call.organisation_id) as uow:
            found = await uow.tokens.page(customer_id, Purpose.INVITATION, request)
            if not found.results:
                await uow.customers.require(customer_id)
            return found

    async def revoke(self, customer_id: UUID, invitation_id: UUID, *, call: Call) -> OneTimeToken:
        """Withdraw a pending invitation; a second time changes nothing and answers the same.

        Raises: CustomerDoesNotExist, ResourceNotFound, InvitationNotPending.
        """
        async with self._transaction.of(call) as uow:
            standing = await uow.customers.locked_standing(customer_id)
            if await uow.tokens.revoke(customer_id, Purpose.INVITATION, invitation_id):
                uow.activities.record(
                    NewActivity(
                        ActivityType.INVITATION_REVOKED,
                        call.actor,
                        call.seen,
                        Subject(SubjectType.INVITATION, invitation_id),
                        standing.ref,
                    )
                )
            invitation = await uow.tokens.of_customer(customer_id, Purpose.INVITATION, invitation_id)
            if invitation is None:
                raise ResourceNotFound
            if refusal := invitation.revocation_refusal():
                raise refusal
            return uow.answer(invitation)
