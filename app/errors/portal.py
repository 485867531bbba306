"""The state of the portal and of the account."""

from app.errors.base import PortalError


class PortalNotEnabled(PortalError):
    key = "PORTAL_NOT_ENABLED"
    title = "The customer portal is not activated"
    solution = "Activate the customer portal in the organisation's settings."


class PortalClosed(PortalNotEnabled):
    """The same, told to a customer."""

    title = "The customer portal is switched off at the moment"
    solution = "Try again later, or ask your utility."


class PortalUrlMissing(PortalError):
    key = "PORTAL_URL_MISSING"
    title = "The organisation has no portal URL"
    solution = "Enter the portal URL in the organisation's settings."


class NoLinkCanBeSent(PortalUrlMissing):
    """The same, told to a customer."""

    title = "No link can be sent at the moment"
    solution = "Try again later, or ask your utility."


class FeatureNotEnabled(PortalError):
    key = "FEATURE_NOT_ENABLED"
    title = "The feature is not enabled"
    solution = "Enable the feature in the organisation's settings."


class AccessLogNotShown(FeatureNotEnabled):
    """The same, told to a customer."""

    title = "The utility does not show who looked at the account"
    solution = "Ask your utility who looked at your account."


class EmailChangeNotOffered(FeatureNotEnabled):
    """Told to a customer."""

    title = "The e-mail address cannot be changed in the portal"
    solution = "Ask your utility to change it."


class UserHasNoEmailAddress(PortalError):
    key = "USER_HAS_NO_EMAIL_ADDRESS"
    title = "The customer has no e-mail address"
    solution = "Add the e-mail address and send the invitation again."


class UserAlreadyExists(PortalError):
    key = "USER_ALREADY_EXISTS"
    title = "The customer already has a portal account"
    solution = "Send a password reset, or reset the account first if the customer must register again."


class UserNotFound(PortalError):
    key = "USER_NOT_FOUND"
    title = "The customer has no portal account"
    solution = "Send an invitation so that the customer can register."


class EmailNotConfirmed(PortalError):
    key = "EMAIL_NOT_CONFIRMED"
    title = "The account's e-mail address is not confirmed"
    solution = "Open the link in the confirmation mail, or have a new one sent."


class EmailNotConfirmedAtLogin(EmailNotConfirmed):
    """The password was right, but the address is not proven yet."""


class EmailAlreadyConfirmed(PortalError):
    key = "EMAIL_ALREADY_CONFIRMED"
    title = "The account's e-mail address is already confirmed"
    solution = "Nothing to do: the customer can log in."


class CommunicationNotResendable(PortalError):
    key = "COMMUNICATION_NOT_RESENDABLE"
    title = "The mail cannot be sent again"
    solution = "Look at the customer's card: its buttons send a new mail where one is possible."
