"""What the service asks of whatever takes its mails."""

import re
from email.message import EmailMessage
from typing import Protocol

LONGEST_TEXT = 300

_URL = re.compile(r"\w+://\S+|\S*#token=\S*", re.IGNORECASE)
_ADDRESS = re.compile(r'"[^"]*"@\S+|[^\s<>"(),:;\[\]]+@[^\s<>"(),:;]+')
_LONG_WORD = re.compile(r"[^\s<>]{61,}")


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


def presentable(text: str) -> str:
    """A mail server's words without addresses, without links and without anything that could be a token."""
    plain = text.encode("utf-8", "replace").decode()
    plain = "".join(character if character.isprintable() else " " for character in plain)
    plain = _LONG_WORD.sub("…", _ADDRESS.sub("***", _URL.sub("…", plain)))
    return " ".join(plain.split())[:LONGEST_TEXT]
