"""A real SMTP server that keeps what it is given."""

import asyncio
import email
import email.policy
import re
import threading
import time
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

_TOKEN = re.compile(r"(https?://\S+/(?:register|confirm-email|reset-password))#token=(\S+)")


@dataclass(frozen=True)
class Mail:
    """A mail that has arrived."""

    to: str
    message: EmailMessage

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        part = self.message.get_body(("plain",))
        assert part is not None
        return cast(str, part.get_content())

    @property
    def html(self) -> str:
        part = self.message.get_body(("html",))
        assert part is not None
        return cast(str, part.get_content())

    @property
    def token(self) -> str:
        """The token of the link in the mail."""
        found = _TOKEN.search(self.text)
        assert found, f"no link in: {self.text}"
        return found[2]

    @property
    def tokens(self) -> list[str]:
        """The tokens of all its links, in their order."""
        return [found[2] for found in _TOKEN.finditer(self.text)]

    @property
    def page(self) -> str:
        """The link without its token."""
        found = _TOKEN.search(self.text)
        assert found, f"no link in: {self.text}"
        return found[1]


@dataclass
class Mailbox:
    """What has arrived so far; `reply` decides how the server answers to a message's data."""

    mails: list[Mail] = field(default_factory=list)
    replies: dict[str, list[str]] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        for recipient in envelope.rcpt_tos:
            waiting = self.replies.get(recipient.lower())
            if waiting:
                reply = waiting[0] if len(waiting) == 1 else waiting.pop(0)
                if not reply.startswith("2"):
                    return reply
        content = envelope.content
        assert isinstance(content, bytes)
        message = email.message_from_bytes(content, policy=email.policy.default)
        with self._changed:
            self.mails.extend(Mail(recipient, message) for recipient in envelope.rcpt_tos)
            self._changed.notify_all()
        return "250 OK"

    def to(self, address: str) -> list[Mail]:
        """All mails to an address, oldest first."""
        return [mail for mail in self.mails if mail.to.lower() == address.lower()]

    def wait(self, address: str, count: int = 1, seconds: float = 30) -> Mail:
        """The newest mail to an address, once there are `count`."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while len(found := self.to(address)) < count:
                left = deadline - time.monotonic()
                assert left > 0, f"{len(found)} of {count} mails arrived within {seconds} s"
                self._changed.wait(left)
            return found[-1]

    def of(self, communication_id: str, seconds: float = 30) -> Mail:
        """The mail with this id, once it has arrived; others may be on their way."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while True:
                for mail in self.mails:
                    if mail.message["X-Portal-Communication-Id"] == communication_id:
                        return mail
                left = deadline - time.monotonic()
                assert left > 0, f"the mail did not arrive within {seconds} s"
                self._changed.wait(left)


class _Controller(Controller):
    """aiosmtpd's, on a port that the system chose."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


class SmtpServer:
    """The mailbox behind a port on loopback."""

    def __init__(self, mailbox: Mailbox | None = None, **options: Any) -> None:
        self.mailbox = mailbox or Mailbox()
        self._controller = _Controller(self.mailbox, hostname="127.0.0.1", port=0, **options)

    def __enter__(self) -> "SmtpServer":
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self._controller.port}"
