"""Guessing passwords: wrong ones are counted for the account that they meant and for the client's address.

The account is known by organisation and address alone, whether there is one or not: from a refusal nobody learns which.
"""

from uuid import UUID

from app.domain.callers import Seen
from app.throttles import Throttled, Throttles, address_key


class Guesses:
    """How many wrong passwords there have been."""

    def __init__(self, throttles: Throttles) -> None:
        self._throttles = throttles

    async def check(self, organisation_id: UUID, email: str, seen: Seen) -> None:
        """Whether one more may be tried.

        Asked before a password is looked at, and once more before a right one counts: of many guesses at once, those
        beyond the limit learn nothing.

        Raises: TooManyRequests.
        """
        await self._throttles.check(Throttled.FAILED_LOGINS_OF_ADDRESS, address_key(seen.ip_address))
        await self._throttles.check(Throttled.FAILED_LOGINS_OF_ACCOUNT, organisation_id, _folded(email))

    async def count(self, organisation_id: UUID, email: str, seen: Seen) -> None:
        """A wrong one.

        Raises: TooManyRequests, when others have reached the limit since it was asked.
        """
        await self._throttles.hit(Throttled.FAILED_LOGINS_OF_ADDRESS, address_key(seen.ip_address))
        await self._throttles.hit(Throttled.FAILED_LOGINS_OF_ACCOUNT, organisation_id, _folded(email))

    async def forgive(self, organisation_id: UUID, email: str) -> None:
        """The account's owner has proven to be it."""
        await self._throttles.clear(Throttled.FAILED_LOGINS_OF_ACCOUNT, organisation_id, _folded(email))


def _folded(email: str) -> str:
    """One spelling for all that PostgreSQL's `lower` takes for the same: in some of its locales a capital I with a dot
    becomes a plain i, where Python keeps the dot."""
    return email.strip().casefold().replace("\N{COMBINING DOT ABOVE}", "")
