"""What is done once a day for every organisation: trying its portal's address, and deleting what it need not keep."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from uuid import UUID

import structlog

from app.repositories.retention import MOST_AT_ONCE
from app.repositories.unit_of_work import Transactions, UnitOfWork
from app.seal_keys import SealSigner
from app.services.deeds.log_retention import remove_outdated_entries

_log = structlog.get_logger(__name__)

_Deletions = tuple[tuple[str, Callable[[UnitOfWork], Awaitable[int]]], ...]

_ORGANISATIONS_AT_ONCE = 500
_APART = timedelta(milliseconds=100)  # ten organisations a second: requests and mails keep their connections
_SOON = timedelta(seconds=1)
_BEFORE_ALL = UUID(int=0)


class DailyWork:
    """The daily work: planned by one worker, then done for each organisation by any.

    After `batches` transactions what is left waits its turn, so that mails go out in between and a worker can stop.
    """

    def __init__(
        self, transaction: Transactions, signer: SealSigner, *, check_portals: bool, batches: int = 20
    ) -> None:
        self._transaction = transaction
        self._deletions: _Deletions = (("activities", partial(remove_outdated_entries, signer=signer)), *_DELETIONS)
        self._batches = batches
        self._check_portals = check_portals

    async def plan(self) -> None:
        """Leave each organisation's work to the workers. Once more plans nothing twice that is not done yet."""
        last, planned = _BEFORE_ALL, 0
        while True:
            async with self._transaction.everywhere() as everyone:
                found = await everyone.after(last, _ORGANISATIONS_AT_ONCE)
                await everyone.tend(found, planned * _APART, _APART)
            planned += len(found)
            if len(found) < _ORGANISATIONS_AT_ONCE:
                return
            last = found[-1]

    async def tend(self, organisation_id: UUID) -> timedelta | None:
        """An organisation's work; how soon to go on with it when much was left, else None."""
        async with self._transaction.reading(organisation_id) as uow:
            organisation = await uow.organisations.get()
        if organisation is None:
            return None
        for what, delete in self._deletions:
            if not await self._delete(organisation_id, what, delete):
                return _SOON
        if self._check_portals and organisation.portal_url:
            async with self._transaction(organisation_id) as uow:
                uow.jobs.check_portal_url()
        return None

    async def _delete(self, organisation_id: UUID, what: str, delete: Callable[[UnitOfWork], Awaitable[int]]) -> bool:
        """Delete batch by batch, each in a transaction of its own; whether nothing outdated is left."""
        deleted, done = 0, False
        for _ in range(self._batches):
            async with self._transaction(organisation_id) as uow:
                count = await delete(uow)
            deleted += count
            if done := count < MOST_AT_ONCE:
                break
        if deleted:
            _log.info("kept long enough", organisation_id=str(organisation_id), what=what, deleted=deleted)
        return done


_DELETIONS: _Deletions = (
    ("idempotency answers", lambda uow: uow.retention.delete_answers()),
    ("webhook deliveries", lambda uow: uow.retention.delete_webhook_deliveries()),
    ("platform events", lambda uow: uow.retention.delete_platform_events()),
    ("sessions", lambda uow: uow.retention.delete_sessions()),
)
