"""The embedded capture: mails of an installation without an SMTP server, kept in a folder to be looked at."""

import asyncio
import mailbox
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import ClassVar
from uuid import UUID

from app.mail.headers import COMMUNICATION

KEPT = 1000

# The names that a Maildir gives: seconds, microseconds, process, count within the process.
_NAME = re.compile(r"(\d+)\.M(\d+)P\d+Q(\d+)")


@dataclass(frozen=True, slots=True)
class CapturedMail:
    """A mail as its receiver would see it."""

    to: str
    subject: str
    text: str
    html: str
    headers: Mapping[str, str]
    communication_id: UUID | None
    received_at: datetime


class MailCapture:
    """Takes every mail into a Maildir, which any number of processes may write to and read from at once.

    A mail is written aside and moved into place whole. `keep` is how many are kept; older ones go.
    """

    # The standard library counts the mails of a process without a lock, and the count makes a name unique.
    _naming: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, folder: Path, keep: int = KEPT) -> None:
        self._folder = folder
        self._keep = keep
        self._sent = 0
        self._read: dict[str, CapturedMail] = {}
        self._reading = threading.Lock()

    async def send(self, message: EmailMessage) -> None:
        """Keep one mail."""
        content = message.as_bytes(policy=policy.default.clone(utf8=True))
        await asyncio.to_thread(self._add, content)

    async def close(self) -> None:
        """Nothing is open between two calls."""

    async def messages(self) -> list[CapturedMail]:
        """The kept mails, newest first. What cannot be read is left out."""
        return await asyncio.to_thread(self._messages)

    def _add(self, content: bytes) -> None:
        for part in ("tmp", "new", "cur"):  # Maildir itself fails if two processes make them at once
            (self._folder / part).mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._naming:
            mailbox.Maildir(self._folder, create=False).add(content)
            self._sent += 1
            due = self._sent % max(1, self._keep // 20) == 0
        if due:
            for path in self._paths()[self._keep :]:
                path.unlink(missing_ok=True)

    def _paths(self) -> list[Path]:
        """The files of all mails, newest first."""
        paths = [path for part in ("new", "cur") for path in (self._folder / part).glob("*") if _order(path)]
        return sorted(paths, key=_order, reverse=True)

    def _messages(self) -> list[CapturedMail]:
        with self._reading:
            # Kept from one call to the next: a thousand mails take a second to read, and a mail never changes.
            known, self._read = self._read, {}
            for path in self._paths()[: self._keep]:
                mail = known.get(path.name) or _read_mail(path)
                if mail is not None:
                    self._read[path.name] = mail
            return list(self._read.values())


def _order(path: Path) -> tuple[int, ...]:
    match = _NAME.match(path.name)
    return tuple(int(number) for number in match.groups()) if match else ()


def _read_mail(path: Path) -> CapturedMail | None:
    """The mail in a file, or None if the file is gone or holds no mail of ours."""
    try:
        message = message_from_bytes(path.read_bytes(), policy=policy.default)
        assert isinstance(message, EmailMessage)
        seconds, microseconds, _ = _order(path)
        return CapturedMail(
            to=str(message["To"]),
            subject=str(message["Subject"]).strip(),  # a folded header keeps the space of its fold
            text=_content(message, "plain"),
            html=_content(message, "html"),
            headers={name: str(value) for name, value in message.items()},
            communication_id=UUID(message[COMMUNICATION]) if message[COMMUNICATION] else None,
            received_at=datetime.fromtimestamp(seconds, UTC).replace(microsecond=microseconds),
        )
    except Exception:
        return None


def _content(message: EmailMessage, subtype: str) -> str:
    part = message.get_body(preferencelist=(subtype,))
    if part is None:
        return ""
    return str(part.get_content())
