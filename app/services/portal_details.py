"""The portal's e-mail address as an employee or the platform changes it."""

from dataclasses import dataclass
from uuid import UUID

from app.domain.callers import Call
from app.domain.cards import portal_details_refusal
from app.domain.one_time_tokens import TokenState
from app.domain.platform_customers import PlatformCustomer
from app.errors import UserNotFound
from app.permissions import Permission
from app.repositories.unit_of_work import Transactions
from app.services.deeds.account_email import correct_email, replace_email
from app.services.deeds.links import Recipient, send_link
from app.tokens import Purpose


@dataclass(frozen=True, slots=True)
class NewPortalDetails:
    """The account's address from now on, if it changes, and whether to mail a link that confirms it."""

    email: str | None = None
    send_confirmation: bool = False


class PortalDetails:
    """Changes the address of customers' live accounts."""

    def __init__(self, transaction: Transactions) -> None:
        self._transaction = transaction

    async def change(self, customer_id: UUID, new: NewPortalDetails, *, call: Call) -> PlatformCustomer:
        """Give the account another address, unproven until its link is opened; the customer afterwards.

        Correcting an address that nobody has confirmed takes the right to invite. Taking a confirmed one away logs
        the customer out until the new one is proven, as a reset would: it takes the right to reset the account.

        Raises: CustomerDoesNotExist, UserNotFound, PermissionInvalid; with a confirmation also PortalNotEnabled,
        PortalUrlMissing, EmailAlreadyConfirmed.
        """
        async with self._transaction.of(call) as uow:
            standing = await uow.customers.locked_standing(customer_id)
            if refusal := portal_details_refusal(standing, new.email, confirm=new.send_confirmation):
                raise refusal
            account = standing.account
            if account is None:
                raise UserNotFound
            if new.email is not None and new.email.casefold() != account.email.casefold():
                if account.email_confirmed:
                    call.caller.require(Permission.PORTAL_RESET_ACCOUNT)
                change = replace_email if account.email_confirmed else correct_email
                standing = await change(uow, standing, new.email, by=call.actor, seen=call.seen)
                if not new.send_confirmation:  # a new link ends the one before by itself
                    await uow.tokens.end_pending(customer_id, Purpose.EMAIL_CONFIRMATION, TokenState.REVOKED)
            if new.send_confirmation:
                recipient = Recipient(new.email or account.email, standing.language)
                await send_link(uow, Purpose.EMAIL_CONFIRMATION, standing, recipient, by=call.actor, seen=call.seen)
            return uow.answer(await uow.platform_customers.get(customer_id))
