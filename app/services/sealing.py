"""Sealing the log: every few minutes, what has been written since goes under a seal of its organisation's chain."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import structlog

from app.domain.seals import NEVER, Place, Seal
from app.repositories.unit_of_work import Transactions, UnitOfWork
from app.seal_keys import SealSigner

_log = structlog.get_logger(__name__)

AT_ONCE = 1_000  # entries of a seal
_ORGANISATIONS_AT_ONCE = 500
_SOON = timedelta(seconds=1)
_BEFORE_ALL = UUID(int=0)


class Sealing:
    """Makes seals: planned by one worker, then made for each organisation by any.

    Who writes entries does nothing for it and waits for nothing. After `batches` transactions what is left waits its
    turn, so that mails go out in between and a worker can stop.
    """

    def __init__(self, transaction: Transactions, signer: SealSigner, *, batches: int = 20) -> None:
        self._transaction = transaction
        self._signer = signer
        self._batches = batches

    async def plan(self) -> None:
        """Leave each organisation that has new entries to the workers. Once more plans nothing twice."""
        last = _BEFORE_ALL
        while True:
            async with self._transaction.everywhere() as everyone:
                found = await everyone.after(last, _ORGANISATIONS_AT_ONCE)
            waiting = [organisation_id for organisation_id in found if await self._has_new(organisation_id)]
            async with self._transaction.everywhere() as everyone:
                await everyone.seal(waiting)
            if len(found) < _ORGANISATIONS_AT_ONCE:
                return
            last = found[-1]

    async def seal(self, organisation_id: UUID) -> timedelta | None:
        """Seal what can be; how soon to go on when much was left, else None."""
        for _ in range(self._batches):
            async with self._transaction(organisation_id) as uow:
                made = await self._seal_next(uow)
            if made is None:
                return None
            # Whoever keeps the logs elsewhere can tell by this line if the newest seals are ever taken away.
            _log.info("log sealed", organisation_id=str(organisation_id), entries=made.entries, head=made.head)
        return _SOON

    async def _has_new(self, organisation_id: UUID) -> bool:
        async with self._transaction.reading(organisation_id) as uow:
            head, moment = await uow.seals.head(), await uow.seals.moment()
            return head.outlived(moment) or bool(await uow.seals.unsealed(head.ends, moment.oldest, 1))

    async def _seal_next(self, uow: UnitOfWork) -> Seal | None:
        """The next seal, if there is anything to seal."""
        await uow.seals.lock()
        head, moment = await uow.seals.head(), await uow.seals.moment()
        outlived = head.outlived(moment)
        # Once the numbers have begun anew, what stands beyond the head came with the restored log: it is complete.
        below = NEVER if outlived else moment.oldest
        found = await uow.seals.unsealed(head.ends, below, AT_ONCE)
        if not found and not outlived:
            return None
        entries = [entry for _, entry in found if head.covers(entry.occurred_at)]
        if not found:
            made = head.restarted(moment)
            _log.warning("log restored elsewhere", organisation_id=str(uow.organisation_id), sequence=made.sequence)
        else:
            whole = len(found) < AT_ONCE and not outlived
            made = head.with_entries(entries, Place.first_of(below) if whole else found[-1][0].next, moment)
        made = replace(made, signature=self._signer.sign(made.content()))
        await uow.seals.append(made, entries)
        return made
