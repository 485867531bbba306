"""Mail servers that misbehave on command."""

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.mail import Mailbox
from tests.support.world import Customer


@dataclass
class HangingMailbox(Mailbox):
    """While `hanging` is set, no answer to a message comes; addresses in `taken_first` have got theirs by then."""

    hanging: threading.Event = field(default_factory=threading.Event)
    taken_first: set[str] = field(default_factory=set)
    in_the_air: list[str] = field(default_factory=list)
    _arrival: threading.Condition = field(default_factory=threading.Condition)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if not self.hanging.is_set():
            return await super().handle_DATA(server, session, envelope)
        answer = None
        if set(envelope.rcpt_tos) & self.taken_first:
            answer = await super().handle_DATA(server, session, envelope)
        with self._arrival:
            self.in_the_air += envelope.rcpt_tos
            self._arrival.notify_all()
        while self.hanging.is_set():  # noqa: ASYNC110 - cleared in the test's own thread
            await asyncio.sleep(0.01)
        return answer or await super().handle_DATA(server, session, envelope)

    def wait_in_the_air(self, customers: Sequence[Customer], count: int | None = None, seconds: float = 10) -> None:
        """Until mails to so many of these customers, or to all, have come and wait for their answer."""
        addresses = {customer.email for customer in customers}
        wanted = len(addresses) if count is None else count
        with self._arrival:
            found = self._arrival.wait_for(lambda: len(addresses.intersection(self.in_the_air)) >= wanted, seconds)
            assert found, self.in_the_air


class MovableSmtpServer:
    """A mail server at one port that can be down and up again, its mailbox kept."""

    def __init__(self, port: int) -> None:
        self.mailbox = HangingMailbox()
        self._port = port
        self._controller: Controller | None = None

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Come up."""
        self._controller = Controller(self.mailbox, hostname="127.0.0.1", port=self._port)
        self._controller.start()

    def stop(self) -> None:
        """Go down."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def __enter__(self) -> "MovableSmtpServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.mailbox.hanging.clear()
        self.stop()
