"""A client that sends what it likes, as slowly as it likes."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit


class RawClient:
    """One connection to the service."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def send(self, data: bytes) -> None:
        """Send this; a connection that the service has closed takes nothing more."""
        try:
            self._connection.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return

    def answer(self, seconds: float = 10) -> bytes:
        """All that the service sends until it closes the connection."""
        received, deadline = b"", time.monotonic() + seconds
        while True:
            left = deadline - time.monotonic()
            assert left > 0, f"the connection is still open after {seconds} s: {received[:200]!r}"
            self._connection.settimeout(left)
            try:
                piece = self._connection.recv(65536)
            except TimeoutError:
                continue
            except ConnectionResetError:
                return received
            if not piece:
                return received
            received += piece

    def next_line(self) -> bytes:
        """The next line that the service sends."""
        self._connection.settimeout(10)
        line = b""
        while not line.endswith(b"\r\n"):
            piece = self._connection.recv(1)
            assert piece, f"the connection was closed after {line!r}"
            line += piece
        return line[:-2]

    def closed_within(self, seconds: float, dripping: bytes = b"", every: float = 0.2) -> bool:
        """Whether the service closes the connection in this time, a byte sent now and then."""
        deadline, drops = time.monotonic() + seconds, iter(dripping)
        self._connection.settimeout(every)
        while time.monotonic() < deadline:
            try:
                if not self._connection.recv(65536):
                    return True
            except TimeoutError:
                drop = next(drops, None)
                if drop is not None:
                    self.send(bytes([drop]))
            except ConnectionResetError:
                return True
        return False


@contextmanager
def raw_client(url: str, *, receive_buffer: int | None = None) -> Iterator[RawClient]:
    """A new connection."""
    parts = urlsplit(url)
    with socket.socket() as connection:
        if receive_buffer is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.settimeout(10)
        connection.connect((parts.hostname, parts.port))
        yield RawClient(connection)
