"""Answers that last: each holds a socket and asks the database again and again, so their number is bounded."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.errors import TemporarilyUnavailable


class EventStreams:
    """The clients that watch something in this process, `most` at a time."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open = 0

    @contextmanager
    def one(self) -> Iterator[None]:
        """A place for one more client.

        Raises: TemporarilyUnavailable.
        """
        if self._open >= self._most:
            raise TemporarilyUnavailable("Too many clients are watching; try again, or ask for the state instead.")
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1
