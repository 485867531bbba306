"""Partners' webhook receivers on loopback, which answer as they are told."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook


@dataclass(frozen=True)
class Reply:
    """What a receiver answers. One that hangs answers when the receiver is let go; one that drips sends its body a
    byte at a time."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    hangs: bool = False
    drips: bool = False


@dataclass(frozen=True)
class Received:
    """A message as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def content(self) -> dict[str, Any]:
        return dict(json.loads(self.body))

    def verified(self, secret: str) -> dict[str, Any]:
        """The content, if it was signed with the secret, as the official library judges.

        Raises: standardwebhooks.webhooks.WebhookVerificationError.
        """
        return dict(Webhook(secret).verify(self.body, self.headers))


class _Handler(BaseHTTPRequestHandler):
    server: "Receiver"

    def do_POST(self) -> None:
        body = self.rfile.read(length := int(self.headers["Content-Length"]))
        if len(body) < length:
            return  # whoever posts was killed in the middle of it
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.server.take(Received(self.path, headers, body))
        if reply.hangs:
            self.server.let_go.wait(30)
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if not reply.drips:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if not reply.drips:
            self.wfile.write(reply.body)
            return
        for byte in reply.body:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            if self.server.let_go.wait(0.2):
                return

    def log_message(self, *_: object) -> None:
        pass


class Receiver(ThreadingHTTPServer):
    """The replies are given one after the other, the last of them for ever."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.received: list[Received] = []
        self.replies: list[Reply] = [Reply()]
        self.let_go = threading.Event()
        self._arrival = threading.Condition()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/events"

    def take(self, message: Received) -> Reply:
        with self._arrival:
            self.received.append(message)
            self._arrival.notify_all()
            return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def wait(self, count: int = 1, seconds: float = 15) -> list[Received]:
        """All messages, once so many have come."""
        with self._arrival:
            assert self._arrival.wait_for(lambda: len(self.received) >= count, seconds), self.received
            return list(self.received)

    def handle_error(self, *_: object) -> None:
        """Who posts leaves early when it takes too long."""


@contextmanager
def receiver(port: int = 0) -> Iterator[Receiver]:
    """A receiver that says 200 until it is told otherwise."""
    server = Receiver(port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.let_go.set()
        server.shutdown()
        server.server_close()


def still(messages: list[Received], count: int, seconds: float = 1.0) -> None:
    """For a while no more than these come."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert len(messages) == count, [one.content["type"] for one in messages]
        time.sleep(0.05)
