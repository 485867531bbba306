"""Doing a thing once, however often it is asked for with the same Idempotency-Key."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it was given: HTTP's status number and the text of the JSON body."""

    status: int
    body: str


@dataclass(frozen=True, slots=True)
class Once:
    """A request that carries an Idempotency-Key.

    Both digests are keyed hashes: of caller and key, and of the request. `render` turns the use case's result
    into the answer that is kept beside the deed.
    """

    key_digest: bytes
    request_digest: bytes
    render: Callable[[Any], Answer]


class Replay(Exception):
    """The deed was done before: this is its first answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("replay")
        self.answer = answer
