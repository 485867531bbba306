"""The one form in which addresses are kept and compared."""

from email_validator import EmailNotValidError, validate_email


def address(text: str) -> str:
    """The address as accounts keep it.

    Raises: ValueError, for what is no e-mail address.
    """
    try:
        checked = validate_email(text, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError as error:
        raise ValueError(str(error)) from None
    return checked.ascii_email or checked.normalized
