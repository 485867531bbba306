"""The customer-portal card, and the rules that decide which of its buttons work.

The card shows the outcome of these rules; the operations raise it. There is no second copy.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from app.domain.accounts import Account, PortalStatus, portal_status
from app.domain.activities import CustomerRef
from app.domain.callers import Actor, ActorType, Caller
from app.domain.customers import Customer
from app.domain.impersonations import Impersonation, impersonator_refusal
from app.domain.one_time_tokens import OneTimeToken
from app.domain.organisations import FALLBACK_LANGUAGE, Organisation
from app.errors import (
    EmailAlreadyConfirmed,
    EmailChangeNotOffered,
    EmailNotConfirmed,
    FeatureNotEnabled,
    FieldError,
    NoLinkCanBeSent,
    PermissionInvalid,
    PortalClosed,
    PortalError,
    PortalNotEnabled,
    PortalUrlMissing,
    UserAlreadyExists,
    UserHasNoEmailAddress,
    UserNotFound,
    ValidationFailed,
)
from app.permissions import Permission


class Action(StrEnum):
    """A button of the card."""

    SEND_INVITATION = "sendinvitation"
    SEND_PASSWORD_RESET = "sendpasswordreset"
    RESEND_CONFIRMATION = "resendconfirmation"
    RESET_ACCOUNT = "resetaccount"
    IMPERSONATE = "impersonate"
    LOGOUT_CUSTOMER = "logoutcustomer"
    REACTIVATE_ACCOUNT = "reactivateaccount"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a customer stands with the portal: all that the rules look at."""

    organisation: Organisation
    customer: Customer
    account: Account | None
    account_count: int = 0

    @property
    def ref(self) -> CustomerRef:
        """The customer as the log names them."""
        customer = self.customer
        generation = self.account.generation if self.account else customer.account_generation
        return CustomerRef(customer.customer_id, customer.account_number, generation)

    @property
    def actor(self) -> Actor:
        """The customer as the one who does something."""
        return Actor(ActorType.CUSTOMER, str(self.customer.customer_id), self.customer.display_name)

    @property
    def language(self) -> str:
        """The language to write to the customer in."""
        account_language = self.account.language if self.account else None
        return account_language or self.customer.language or self.organisation.default_language or FALLBACK_LANGUAGE


@dataclass(frozen=True, slots=True)
class ActionOutcome:
    """Whether a button works for this caller and this state, and if not, why."""

    action: Action
    refusal: PortalError | None


@dataclass(frozen=True, slots=True)
class Card:
    """All that the card shows."""

    standing: Standing
    pending_invitation: OneTimeToken | None
    pending_password_reset: OneTimeToken | None
    pending_email_confirmation: OneTimeToken | None
    active_impersonation: Impersonation | None
    actions: tuple[ActionOutcome, ...]

    @property
    def status(self) -> PortalStatus:
        """The portal status of the customer."""
        return portal_status(self.standing.account)


Rule = Callable[[Standing], PortalError | None]


def portal_refusal(organisation: Organisation) -> PortalError | None:
    """Why no link to the organisation's portal can be sent to anyone now."""
    if not organisation.portal_enabled:
        return PortalNotEnabled()
    if not organisation.portal_url:
        return PortalUrlMissing()
    return None


def _portal_refusal(standing: Standing) -> PortalError | None:
    return portal_refusal(standing.organisation)


def invitation_refusal(standing: Standing) -> PortalError | None:
    """Why the customer cannot be invited now; the address to send to is the customer's."""
    if refusal := _portal_refusal(standing):
        return refusal
    if standing.account is not None:
        return UserAlreadyExists()
    return None if standing.customer.email else UserHasNoEmailAddress()


def confirmation_refusal(standing: Standing) -> PortalError | None:
    """Why no new confirmation link can be sent now."""
    if refusal := _portal_refusal(standing):
        return refusal
    if standing.account is None:
        return UserNotFound()
    return EmailAlreadyConfirmed() if standing.account.email_confirmed else None


def password_reset_refusal(standing: Standing) -> PortalError | None:
    """Why no reset link can be sent now.

    An unproven address gets none: whoever owns a mistyped address could take the account over.
    """
    if refusal := _portal_refusal(standing):
        return refusal
    if standing.account is None:
        return UserNotFound()
    return None if standing.account.email_confirmed else EmailNotConfirmed()


def email_change_refusal(standing: Standing, email: str) -> PortalError | None:
    """Why the customer cannot give the account this address now, in words for the customer."""
    if not standing.organisation.portal_enabled:
        return PortalClosed()
    if not standing.organisation.portal_url:
        return NoLinkCanBeSent()
    if not standing.organisation.features.edit_contact_details:
        return EmailChangeNotOffered()
    if standing.account is not None and standing.account.email.casefold() == email.casefold():
        return ValidationFailed(errors=[FieldError("email", ValidationFailed.key, "This is your address already.")])
    return None


def portal_details_refusal(standing: Standing, email: str | None, *, confirm: bool) -> PortalError | None:
    """Why the account cannot be given this address, or be sent a link that confirms it."""
    if confirm and (refusal := _portal_refusal(standing)):
        return refusal
    account = standing.account
    if account is None:
        return UserNotFound()
    same = email is None or email.casefold() == account.email.casefold()
    return EmailAlreadyConfirmed() if confirm and same and account.email_confirmed else None


def live_account_refusal(standing: Standing) -> PortalError | None:
    """Why nothing can be done to the live account: there is none."""
    return None if standing.account is not None else UserNotFound()


def impersonation_refusal(standing: Standing) -> PortalError | None:
    """Why no employee can log in as this customer now."""
    if not standing.organisation.portal_enabled:
        return PortalNotEnabled()
    if not standing.organisation.impersonation_enabled:
        return FeatureNotEnabled("Logging in as a customer is switched off for this organisation.")
    if refusal := _portal_refusal(standing):
        return refusal
    if standing.account is None:
        return UserNotFound()
    return None if standing.account.email_confirmed else EmailNotConfirmed()


def reactivation_refusal(standing: Standing) -> PortalError | None:
    """Why there is nothing to reactivate: no retired account beside the live one."""
    retired = standing.account_count - (1 if standing.account else 0)
    return None if retired > 0 else UserNotFound("The customer has no other account that could be reactivated.")


BUTTONS: MappingProxyType[Action, tuple[Permission, Rule]] = MappingProxyType(
    {
        Action.SEND_INVITATION: (Permission.PORTAL_INVITE, invitation_refusal),
        Action.SEND_PASSWORD_RESET: (Permission.PORTAL_RESET_PASSWORD, password_reset_refusal),
        Action.RESEND_CONFIRMATION: (Permission.PORTAL_INVITE, confirmation_refusal),
        Action.RESET_ACCOUNT: (Permission.PORTAL_RESET_ACCOUNT, live_account_refusal),
        Action.IMPERSONATE: (Permission.PORTAL_IMPERSONATE, impersonation_refusal),
        Action.LOGOUT_CUSTOMER: (Permission.PORTAL_RESET_ACCOUNT, live_account_refusal),
        Action.REACTIVATE_ACCOUNT: (Permission.PORTAL_RESET_ACCOUNT, reactivation_refusal),
    }
)


def action_outcomes(standing: Standing, caller: Caller) -> tuple[ActionOutcome, ...]:
    """Each button of the card for this caller."""
    return tuple(ActionOutcome(action, _refusal(action, standing, caller)) for action in BUTTONS)


def _refusal(action: Action, standing: Standing, caller: Caller) -> PortalError | None:
    permission, rule = BUTTONS[action]
    if not caller.may(permission):
        return PermissionInvalid(f"This needs the permission {permission.value}.")
    if action is Action.IMPERSONATE and (refusal := impersonator_refusal(caller.actor)):
        return refusal
    return rule(standing)
