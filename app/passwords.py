"""Passwords: which are refused, and argon2id with a bounded number of hashes at once.

Rules after NIST SP 800-63B-4 section 3.1.1.2 and ASVS 5.0 chapter 6.2: length counts, composition does not;
common passwords and words of the context are refused, offline.
"""

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

from app.errors import PasswordTooCommon, PasswordTooLong, PasswordTooShort, TemporarilyUnavailable
from app.imported_hashes import fits_imported, is_argon2

MINIMUM_LENGTH = 12
MAXIMUM_LENGTH = 256

_ESTIMATED_PREFIX = 40  # zxcvbn's time grows with the square of the length; 40 characters tell enough
_WEAKEST_ACCEPTED_SCORE = 2  # 0 and 1 fall within a million guesses
_SHORTEST_OWN_PART = 8  # what must remain once the words of the context are taken out
_SHORTEST_CONTEXT_WORD = 4

T = TypeVar("T")


def check_length(password: str) -> None:
    """Raises: PasswordTooShort, PasswordTooLong. Lengths are in characters."""
    if len(password) < MINIMUM_LENGTH:
        raise PasswordTooShort
    if len(password) > MAXIMUM_LENGTH:
        raise PasswordTooLong


class Passwords:
    """Hashes and verifies in a few threads of its own; the rest waits in a queue with a bound.

    argon2id with 19 MiB, t=2, p=1 (OWASP's minimum) takes about 20 ms of one core.
    """

    def __init__(self, *, concurrency: int = 2, queue: int = 100) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="password")
        self._places = concurrency + queue
        self._taken = 0
        # Verified for unknown addresses, so that they take as long as known ones.
        self._nobody = self._hasher.hash("nobody's password, verified when there is no account")

    async def hash(self, password: str, context: Iterable[str] = ()) -> str:
        """The hash to store.

        `context` holds what an attacker would try first: names, numbers, the utility.

        Raises: PasswordTooShort, PasswordTooLong, PasswordTooCommon, TemporarilyUnavailable.
        """
        check_length(password)
        words = tuple(context)

        def work() -> str:
            if _too_common(password, words):
                raise PasswordTooCommon
            return self._hasher.hash(password)

        return await self._bounded(work)

    async def verify(self, password: str, digest: str | None) -> bool:
        """Whether the password fits; without a digest the same work is done and the answer is no.

        Raises: TemporarilyUnavailable.
        """
        known = digest or self._nobody

        def work() -> bool:
            if not is_argon2(known):
                # A wrong password must not be told from an unknown address by how cheap the older system's hash is.
                return fits_imported(password, known) or self._hash_in_vain(password)
            try:
                return self._hasher.verify(known, password)
            except (VerificationError, InvalidHashError):
                return False

        return len(password) <= MAXIMUM_LENGTH and await self._bounded(work) and digest is not None

    def _hash_in_vain(self, password: str) -> bool:
        with suppress(VerificationError):
            self._hasher.verify(self._nobody, password)
        return False

    async def rehash(self, password: str, digest: str) -> str | None:
        """A new hash for a password just verified; None when its hash is one of ours with today's parameters."""
        if is_argon2(digest) and not self._hasher.check_needs_rehash(digest):
            return None
        return await self._bounded(lambda: self._hasher.hash(password))

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _bounded(self, work: Callable[[], T]) -> T:
        if self._taken >= self._places:
            raise TemporarilyUnavailable("Too many passwords are being checked at the moment.")
        self._taken += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._taken -= 1


def _too_common(password: str, context: tuple[str, ...]) -> bool:
    words = sorted(
        {
            word
            for phrase in context
            for word in [phrase.casefold(), *phrase.casefold().replace("@", " ").replace(".", " ").split()]
            if len(word) >= _SHORTEST_CONTEXT_WORD
        },
        key=len,
        reverse=True,
    )
    own = password.casefold()
    for word in words:
        own = own.replace(word, "")
    if len(own) < _SHORTEST_OWN_PART:
        return True
    return bool(zxcvbn(password[:_ESTIMATED_PREFIX], user_inputs=words)["score"] < _WEAKEST_ACCEPTED_SCORE)
