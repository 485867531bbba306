"""How long and how much the service listens before a request is whole: uvicorn's own protocol waits without end.

What a client owes within the time set: the first byte of a request, its whole head, each next piece of its body, and
room for more of the answer. Whoever owes longer is cut off. Why so: `docs/decisions/slow-clients.md`.
"""

import asyncio
import secrets
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.errors import PayloadTooLarge, PortalError, ValidationFailed
from app.schemas.problems import Problem

LARGEST_HEAD = 64 * 1024
MOST_FIELDS = 200
_LOOKS = 8  # how often a connection is looked at in the time that its client has


class _HeadTooLarge(Exception):
    """Ends the parser's work on a request."""


class ClientProtocol(HttpToolsProtocol):
    """HTTP/1.1 with a bound on time and on the size of a request's head; the time is uvicorn's `timeout_keep_alive`."""

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self._heard_at = self._took_at = self.loop.time()
        self._unsent = 0
        self._head_size = self._fields = self._unparsed = 0
        self._in_head = True
        self._watch: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """A client is there, and owes a request."""
        super().connection_made(transport)
        self._heard()
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        if self._watch is not None:
            self._watch.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes came; those that are neither body nor parsed yet are bounded."""
        self._unparsed = max(self._unparsed, 0) + len(data)
        super().data_received(data)
        if self._unparsed > LARGEST_HEAD and not self.transport.is_closing():
            if self._in_head:
                self._refuse(431, _head_too_large())
            else:  # trailers or a chunk's extensions, while the request is already at work
                self.transport.close()

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._heard()
        self._head_size = self._fields = 0
        self._in_head = True
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """A piece of the address."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the head, or of the trailers."""
        self._fields += 1
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is whole; the body is next."""
        self._heard()
        self._in_head = False
        self._unparsed = 0
        super().on_headers_complete()

    def on_chunk_header(self) -> None:
        """The next chunk begins."""
        self._unparsed = 0

    def on_body(self, body: bytes) -> None:
        """A piece of the body; what still comes after an early answer buys no time."""
        if not self.cycle.response_complete:
            self._heard()
        self._unparsed -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole: the client owes nothing until it is answered."""
        self._heard()
        self._unparsed = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Answered; the next request is due."""
        self._heard()
        super().on_response_complete()

    def resume_writing(self) -> None:
        """The client has taken a good part of the answer."""
        self._took_at = self.loop.time()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words, in plain text
        """What uvicorn calls when a request cannot be parsed."""
        if self._fields > MOST_FIELDS or self._head_size > LARGEST_HEAD:
            self._refuse(431, _head_too_large())
        else:
            self._refuse(400, ValidationFailed("This is not HTTP."))

    def _heard(self) -> None:
        self._heard_at = self.loop.time()

    def _count(self, size: int) -> None:
        self._head_size += size
        if self._fields > MOST_FIELDS or self._head_size > LARGEST_HEAD:
            raise _HeadTooLarge

    def _look(self) -> None:
        """Whether the client owes something for too long."""
        now, patience = self.loop.time(), float(self.timeout_keep_alive)
        unsent = self.transport.get_write_buffer_size()
        if unsent == 0 or unsent < self._unsent:
            self._took_at = now
        self._unsent = unsent
        if not self._client_is_next():
            self._heard_at = now
        if now - self._took_at >= patience:
            self.transport.abort()  # closing would wait for what is never taken
            return
        if now - self._heard_at >= patience:
            self.transport.close()
        self._watch = self.loop.call_later(patience / _LOOKS, self._look)

    def _client_is_next(self) -> bool:
        """Whether the next byte is the client's to send: nothing of a request is at work, and all can be heard."""
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            return True
        return cycle.more_body and not cycle.waiting_for_100_continue and not self.flow.read_paused

    def _refuse(self, status: int, error: PortalError) -> None:
        correlation_id = secrets.token_hex(16)
        body = Problem(
            title=error.title,
            status=status,
            detail=error.detail,
            instance="/",
            key=error.key,
            correlation_id=correlation_id,
            solution=error.solution,
        ).model_dump_json(by_alias=True, exclude={"errors"})
        reason = "Request Header Fields Too Large" if status == 431 else "Bad Request"
        head = (
            f"HTTP/1.1 {status} {reason}\r\n"
            "content-type: application/problem+json\r\n"
            f"content-length: {len(body.encode())}\r\n"
            "cache-control: no-store\r\n"
            "x-content-type-options: nosniff\r\n"
            f"x-correlation-id: {correlation_id}\r\n"
            "connection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body.encode())
        self.transport.close()


def _head_too_large() -> PayloadTooLarge:
    return PayloadTooLarge(f"The head of a request may have {LARGEST_HEAD // 1024} KiB and {MOST_FIELDS} fields.")
