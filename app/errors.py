"""Every refusal of the service, named by its stable key.

The tree knows no HTTP: `app/routers/errors.py` gives each key its status. `solution` says in words what the
employee or customer can do next; `detail` says what was wrong this time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field of the input: where, which rule, and what to tell a person."""

    field: str
    key: str
    message: str


class PortalError(Exception):
    """A refusal with a stable key. Raise a subclass."""

    key: str
    title: str
    solution: str = "Check the request and try again."

    def __init__(self, detail: str | None = None, *, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(self.key)
        self.detail = detail or self.title
        self.errors = tuple(errors)


# --- who is calling, and where -------------------------------------------------------------------------------


class OrganisationHeaderInvalid(PortalError):
    key = "ORGANISATION_HEADER_INVALID"
    title = "The organisation headers are missing or malformed"
    solution = "Send the headers zf-tuuid and zf-ouuid, each a UUID, of a tenant and one of its organisations."


class Unauthenticated(PortalError):
    key = "UNAUTHENTICATED"
    title = "No valid bearer token"
    solution = "Sign in again and send the new token as 'Authorization: Bearer …'."


class PermissionInvalid(PortalError):
    key = "PERMISSION_INVALID"
    title = "The permission for this is missing"
    solution = "Ask an administrator of the organisation for the permission that the detail names."


class SignatureInvalid(Unauthenticated):
    """A call whose body's signature stands for a bearer."""

    title = "The signature of the body is missing, wrong or too old"
    solution = "Sign the body as it is sent, and compare PORTAL_MAIL_EVENTS_PUBLIC_KEY with the mail provider's key."


class OrganisationOutOfReach(PermissionInvalid):
    title = "The bearer token does not reach into this organisation"
    solution = "Use a token that names this tenant and organisation, or have a role assigned there."


class SessionEnded(PortalError):
    key = "SESSION_ENDED"
    title = "The portal session has ended"
    solution = "Log in again."


class LoggedOutByUtility(SessionEnded):
    """An employee ended it, to have the browser forget what it keeps of the portal."""


# --- what is asked for ---------------------------------------------------------------------------------------


class CustomerDoesNotExist(PortalError):
    key = "CUSTOMER_DOES_NOT_EXIST"
    title = "The customer does not exist"
    solution = "Check the customer's id, and that it belongs to this organisation."


class ResourceNotFound(PortalError):
    key = "RESOURCE_NOT_FOUND"
    title = "There is nothing here"
    solution = "Check the address and the id in it."


class MethodNotAllowed(PortalError):
    key = "METHOD_NOT_ALLOWED"
    title = "This address does not take this method"
    solution = "Use one of the methods in the answer's Allow header."


class PayloadTooLarge(PortalError):
    key = "PAYLOAD_TOO_LARGE"
    title = "The body is too large"
    solution = "Send a smaller body; the limit stands in the detail."


class UnsupportedMediaType(PortalError):
    key = "UNSUPPORTED_MEDIA_TYPE"
    title = "The body is of a type that this call does not read"
    solution = "Send JSON with 'Content-Type: application/json'."


class ValidationFailed(PortalError):
    key = "VALIDATION_FAILED"
    title = "The input is not valid"
    solution = "Correct the fields that 'errors' names and send it again."


class NotAnEmailAddress(PortalError):
    key = "FIELD_NOT_AN_EMAILADRESS"  # with one d, as the platform spells it
    title = "The field is not an e-mail address"
    solution = "Correct the e-mail address and try again."


class InvalidUrl(PortalError):
    key = "INVALID_URL"
    title = "The URL cannot be used"
    solution = "Give an absolute https URL without user name, query and fragment."


# --- the state of the portal and the account -----------------------------------------------------------------


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


# --- roles ---------------------------------------------------------------------------------------------------


class RoleAlreadyExists(PortalError):
    key = "ROLE_ALREADY_EXISTS"
    title = "There is a role of this name"
    solution = "Choose another name, or change the role that has it."


class RoleInUse(PortalError):
    key = "ROLE_IN_USE"
    title = "The role is assigned to someone"
    solution = "Remove the role's assignments first; /organisation/role-assignments lists them."


class RoleAlreadyAssigned(PortalError):
    key = "ROLE_ALREADY_ASSIGNED"
    title = "The subject has this role already"
    solution = "Nothing to do: the role is assigned."


class LastAdministrator(PortalError):
    key = "LAST_ADMINISTRATOR"
    title = "This is the organisation's last administrator"
    solution = "Make someone else an administrator first."


class CommunicationNotResendable(PortalError):
    key = "COMMUNICATION_NOT_RESENDABLE"
    title = "The mail cannot be sent again"
    solution = "Look at the customer's card: its buttons send a new mail where one is possible."


# --- one-time tokens -----------------------------------------------------------------------------------------


class TokenInvalid(PortalError):
    key = "TOKEN_INVALID"
    title = "The link is not valid"
    solution = "Open the link from the mail again, whole; if that fails, have a new one sent."


class TokenDead(PortalError):
    """A genuine token that no longer works; `ended` is when that came about, where known."""

    ended_word: ClassVar[str]

    def __init__(self, ended: datetime | None = None) -> None:
        when = f" on {ended:%Y-%m-%d} at {ended:%H:%M} UTC" if ended else ""
        super().__init__(f"{self.ended_word}{when}.")


class TokenExpired(TokenDead):
    key = "TOKEN_EXPIRED"
    title = "The link has expired"
    ended_word = "The link expired"
    solution = "Have a new link sent; the old one stays expired."


class TokenUsed(TokenDead):
    key = "TOKEN_USED"
    title = "The link has been used already"
    ended_word = "The link was used"
    solution = "A link works once. Log in, or have a new link sent."


class TokenSuperseded(TokenDead):
    key = "TOKEN_SUPERSEDED"
    title = "A newer link was sent"
    ended_word = "A newer link was sent"
    solution = "Open the link of the newest mail; each new link ends the one before."


class TokenRevoked(TokenDead):
    key = "TOKEN_REVOKED"
    title = "The link was withdrawn"
    ended_word = "The link was withdrawn"
    solution = "Ask the utility for a new link."


class HandOffDead(TokenDead):
    """The link that logs an employee in as a customer no longer works; the key is that of its end."""

    solution = "Start a new impersonation session from the customer's card."

    def __init__(self, end: TokenDead) -> None:
        self.key, self.title = end.key, end.title
        PortalError.__init__(self, end.detail)


class InvitationNotPending(PortalError):
    """An invitation that has come to its end cannot be withdrawn; the key is that of its end."""

    solution = "Nothing to withdraw: the link no longer works."

    def __init__(self, end: PortalError) -> None:
        self.key, self.title = end.key, end.title
        super().__init__(end.detail)


# --- registration, passwords, login --------------------------------------------------------------------------


class CustomerNumberMismatch(PortalError):
    key = "CUSTOMER_NUMBER_MISMATCH"
    title = "The customer number does not belong to this link"
    solution = "Type the customer number as it stands on the invoice; the link stays usable."


class CustomerNumberRequired(PortalError):
    key = "CUSTOMER_NUMBER_REQUIRED"
    title = "Several accounts match"
    solution = "Log in with the customer number as well."


class PasswordRefused(PortalError):
    """A password that breaks one of the rules. Raise a subclass."""

    def __init__(self, field: str = "password") -> None:
        super().__init__(errors=[FieldError(field, self.key, self.title)])


class PasswordTooShort(PasswordRefused):
    key = "PASSWORD_MINIMUM_LENGTH_12"
    title = "The password has fewer than 12 characters"
    solution = "Choose a password of at least 12 characters; a few words in a row are fine."


class PasswordTooLong(PasswordRefused):
    key = "PASSWORD_TOO_LONG"
    title = "The password has more than 256 characters"
    solution = "Choose a password of at most 256 characters."


class PasswordTooCommon(PasswordRefused):
    key = "PASSWORD_TOO_COMMON"
    title = "The password is too easy to guess"
    solution = "Choose a password that is not a common one and not made of your name, number or utility."


class ConfirmPasswordDoesNotMatch(PasswordRefused):
    key = "CONFIRM_PASSWORD_DOES_NOT_MATCH"
    title = "The two passwords differ"
    solution = "Type the same password twice."


class InvalidCredentials(PortalError):
    key = "INVALID_CREDENTIALS"
    title = "E-mail address or password is wrong"
    solution = "Check both, or use 'Forgot password'."


class CurrentPasswordWrong(InvalidCredentials):
    """Someone who is logged in wants to change something and must show the password for it."""

    title = "The current password is wrong"
    solution = "Type the password that you log in with now, or log out and use 'Forgot password'."


# --- impersonation -------------------------------------------------------------------------------------------


class ImpersonationReadOnly(PortalError):
    key = "IMPERSONATION_READ_ONLY"
    title = "This impersonation session may only look"
    solution = "Start a session with full access, or ask the customer to do it."


class NotAllowedWhileImpersonating(PortalError):
    key = "NOT_ALLOWED_WHILE_IMPERSONATING"
    title = "Only the customer may do this"
    solution = "Ask the customer to do it; from the customer's card you can send a link for a new password."


# --- repetition, load, faults --------------------------------------------------------------------------------


class IdempotencyKeyReused(PortalError):
    key = "IDEMPOTENCY_KEY_REUSED"
    title = "The idempotency key was used for another request"
    solution = "Send a new Idempotency-Key with a new request."


class IdempotencyInProgress(PortalError):
    key = "IDEMPOTENCY_IN_PROGRESS"
    title = "The first request with this idempotency key is still running"
    solution = "Wait a moment and send the same request again."


class TooManyRequests(PortalError):
    """`limit` names what was counted: at most `most` in `seconds`; there is room again after `wait` seconds."""

    key = "TOO_MANY_REQUESTS"
    title = "Too many requests"
    solution = "Wait as long as Retry-After says and try again."

    def __init__(self, limit: str, most: int, seconds: int, *, wait: int) -> None:
        self.limit, self.most, self.seconds, self.wait = limit, most, seconds, wait
        super().__init__(f"At most {most} in {seconds} seconds; try again in {wait} seconds.")


class TemporarilyUnavailable(PortalError):
    key = "TEMPORARILY_UNAVAILABLE"
    title = "The service is busy or its database does not answer"
    solution = "Try again in a few seconds."


class InternalError(PortalError):
    key = "INTERNAL_ERROR"
    title = "Something went wrong on our side"
    solution = "Try again; if it stays, report the correlation id."


class DatabaseUnreachable(Exception):
    """The database cannot be migrated or asked; the text is the driver's name for it. For the command line alone."""
