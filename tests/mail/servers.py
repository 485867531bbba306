"""A real SMTP server in the test's own event loop, with an answer for each command where a test wants one."""

import asyncio
import email
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

HANG = "hang"


@dataclass
class Postbox:
    """What has arrived; `answers` are given in turn to a command, the last one from then on."""

    answers: dict[str, list[str]] = field(default_factory=dict)
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    connections: list[SMTP] = field(default_factory=list)
    port: int = 0
    most_at_once: int = 0
    pause: float = 0

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def open_connections(self) -> int:
        """How many connections are open now."""
        return sum(each.transport is not None for each in self.connections)

    def drop(self) -> None:
        """Cut every connection."""
        for connection in self.connections:
            if connection.transport is not None:
                connection.transport.close()

    async def _answer(self, command: str) -> str | None:
        waiting = self.answers.get(command)
        answer = None if not waiting else waiting[0] if len(waiting) == 1 else waiting.pop(0)
        if answer == HANG:
            await asyncio.sleep(60)
        return answer if answer and not answer.startswith("2") else None

    async def handle_MAIL(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if answer := await self._answer("MAIL"):
            return answer
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if answer := await self._answer("RCPT"):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.most_at_once = max(self.most_at_once, self.open_connections())
        await asyncio.sleep(self.pause)
        if answer := await self._answer("DATA"):
            return answer
        content = envelope.content
        assert isinstance(content, bytes)
        self.mails.append(email.message_from_bytes(content, policy=policy.default))
        self.recipients += envelope.rcpt_tos
        return "250 OK"


@asynccontextmanager
async def listening(postbox: Postbox, ssl: Any = None, **options: Any) -> AsyncIterator[Postbox]:
    """The postbox behind a port on loopback."""

    def connected() -> SMTP:
        postbox.connections.append(SMTP(postbox, hostname="mail.test", **options))
        return postbox.connections[-1]

    server = await asyncio.get_running_loop().create_server(connected, "127.0.0.1", 0, ssl=ssl)
    postbox.port = server.sockets[0].getsockname()[1]
    try:
        yield postbox
    finally:
        server.close()
        postbox.drop()
        await asyncio.sleep(0.01)  # the transports' own last steps
