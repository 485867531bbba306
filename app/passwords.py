"""Passwords: which are refused, and argon2id with a bounded number of hashes at once.

Rules after NIST SP 800-63B-4 section 3.1.1.2 and ASVS 5.0 chapter 6.2: length counts, composition does not;
common passwords and words of the context are refused, offline.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
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

_CROWDED = "Too many passwords are being checked at the moment."

T = TypeVar("T")


def check_length(password: str) -> None:
    """Raises: PasswordTooShort, PasswordTooLong. Lengths are in characters."""
    if len(password) < MINIMUM_LENGTH:
        raise PasswordTooShort
    if len(password) > MAXIMUM_LENGTH:
        raise PasswordTooLong


class Passwords:
    """Hashes and verifies in a few threads of its own; the rest waits in a queue with a bound, for a time with a bound.

    argon2id with 19 MiB, t=2, p=1 (OWASP's minimum) takes about 20 ms of one core.
    """

    def __init__(self, *, concurrency: int = 2, queue: int = 100, longest_wait: float = 5) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="password")
        self._turns = asyncio.Semaphore(concurrency)
        self._longest_wait = longest_wait
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
        return (await self.verify_each(password, [digest]))[0]

    async def verify_each(self, password: str, digests: Sequence[str | None]) -> list[bool]:
        """The same for several, which take one turn and as many places.

        Raises: TemporarilyUnavailable.
        """
        if len(password) > MAXIMUM_LENGTH:
            return [False] * len(digests)
        return await self._bounded(lambda: [self._fits(password, digest) for digest in digests], len(digests))

    def _fits(self, password: str, digest: str | None) -> bool:
        known = digest or self._nobody
        if not is_argon2(known):
            # A wrong password must not be told from an unknown address by how cheap the older system's hash is.
            return fits_imported(password, known) or self._hash_in_vain(password)
        try:
            return self._hasher.verify(known, password) and digest is not None
        except (VerificationError, InvalidHashError):
            return False

    def _hash_in_vain(self, password: str) -> bool:
        with suppress(VerificationError):
            self._hasher.verify(self._nobody, password)
        return False

    async def rehash(self, password: str, digest: str) -> str | None:
        """A new hash for a password just verified; None when its hash is one of ours with today's parameters."""
        if is_argon2(digest) and not self._hasher.check_needs_rehash(digest):
            return None
        return await self._bounded(lambda: self._hasher.hash(password))

    @contextmanager
    def place(self, hashes: int = 1) -> Iterator[None]:
        """A place in the queue, for as long as the block lasts: for those who have work to do before they need it.

        Raises: TemporarilyUnavailable.
        """
        places = min(hashes, self._places)
        if self._taken + places > self._places:
            raise TemporarilyUnavailable(_CROWDED)
        self._taken += places
        try:
            yield
        finally:
            self._taken -= places

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _bounded(self, work: Callable[[], T], hashes: int = 1) -> T:
        with self.place(hashes):
            try:
                await asyncio.wait_for(self._turns.acquire(), self._longest_wait)
            except TimeoutError:
                raise TemporarilyUnavailable(_CROWDED) from None
            try:
                return await asyncio.get_running_loop().run_in_executor(self._threads, work)
            finally:
                self._turns.release()


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
