"""What the service asks of whatever takes its mails."""

from email.message import EmailMessage
from typing import Protocol


class MailRefused(Exception):
    """A mail was not taken.

    Its text can be shown to an employee: at most 300 characters, no address, no link, nothing of the mail.
    `permanent` says that sending the same mail again is of no use.
    """

    def __init__(self, text: str, *, permanent: bool) -> None:
        super().__init__(text)
        self.permanent = permanent


class MailSender(Protocol):
    """Takes mails: an SMTP server, or the embedded capture."""

    async def send(self, message: EmailMessage) -> None:
        """Hand over one mail; on return it is the receiver's.

        Raises: MailRefused.
        """

    async def close(self) -> None:
        """End all connections."""
