"""Registration, passwords, login."""

from app.errors.base import FieldError, PortalError


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
