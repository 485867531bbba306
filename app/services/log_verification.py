"""Comparing an organisation's log with its seals, seal by seal: no connection is held in between, nor much memory."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from app.domain.seals import FORM, LogProblem, Place, ProblemKind, Seal, SealKind, Verification, unpack
from app.errors import TemporarilyUnavailable
from app.repositories.unit_of_work import Transactions
from app.seal_keys import SealVerifier

MOST_PROBLEMS = 100
_SEALS_AT_ONCE = 100
_ENTRIES_AT_ONCE = 1_000

Progress = Callable[[int, int], None]
"""Told how many seals have been looked at, of how many."""

_ADDED = "stands among sealed entries and was not there when they were sealed"
_FOREIGN = "is not signed by any of our keys: it was changed or forged, or made under another PORTAL_SEAL_KEY"
_BACKDATED = "claims to be older than entries that were sealed before it was written"


class _Enough(Exception):
    """So many problems that it does not matter how many more there are."""


class LogVerification:
    """Proves that a log is complete and unchanged, or names what is not."""

    def __init__(self, transaction: Transactions, verifier: SealVerifier) -> None:
        self._transaction = transaction
        self._verifier = verifier
        self._running: set[UUID] = set()

    async def verify(
        self, organisation_id: UUID, *, kept_head: str | None = None, progress: Progress | None = None
    ) -> Verification:
        """What the comparison shows. `kept_head` is the name of a seal that the chain must still have.

        Raises: TemporarilyUnavailable, while this process is at it already.
        """
        with self._one_at_a_time(organisation_id):
            walk = _Walk(self._transaction, self._verifier, organisation_id, kept_head, progress)
            return await walk.whole()

    @contextmanager
    def _one_at_a_time(self, organisation_id: UUID) -> Iterator[None]:
        if organisation_id in self._running:
            raise TemporarilyUnavailable("The log is being verified already.")
        self._running.add(organisation_id)
        try:
            yield
        finally:
            self._running.discard(organisation_id)


class _Walk:
    """One walk along the chain."""

    def __init__(
        self,
        transaction: Transactions,
        verifier: SealVerifier,
        organisation_id: UUID,
        kept_head: str | None,
        progress: Progress | None,
    ) -> None:
        self._transaction = transaction
        self._verifier = verifier
        self._organisation_id = organisation_id
        self._kept_head = kept_head
        self._progress = progress
        self._problems: list[LogProblem] = []
        self._restarts: list[Seal] = []
        self._restored_at: datetime | None = None
        self._checked = self._gone = self._removed = 0

    async def whole(self) -> Verification:
        """From the first seal to the newest entry."""
        async with self._transaction.reading(self._organisation_id) as uow:
            first_at, last_at = await uow.seals.span()
            self._restarts = await uow.seals.restarts()
            newest = await uow.seals.head()
            if newest.outlived(await uow.seals.moment()):  # restored elsewhere, and not sealed there yet
                self._restored_at = newest.newest_at
        last = Seal.before_all(self._organisation_id)
        try:
            while chain := await self._chain(last):
                for seal in chain:
                    await self._look_at(seal, last)
                    last = seal
                    if self._progress:
                        self._progress(seal.sequence, max(newest.sequence, seal.sequence))
            await self._look_beyond(last, None)
            self._look_back(last)
        except _Enough:
            pass
        return Verification(
            checked=self._checked,
            first_at=first_at,
            last_at=last_at,
            sealed_until=last.newest_at,
            removed=self._removed,
            removed_before=last.removed_before,
            head=last.head if last.sequence else None,
            problems=tuple(self._problems),
        )

    async def _chain(self, last: Seal) -> list[Seal]:
        async with self._transaction.reading(self._organisation_id) as uow:
            return await uow.seals.after(last.sequence, _SEALS_AT_ONCE)

    async def _look_at(self, seal: Seal, last: Seal) -> None:
        if self._kept_head and seal.head == self._kept_head:
            self._kept_head = None
        if not seal.follows(last):
            self._report_seal(seal, "does not follow the one before it: seals were taken away, changed or added")
        if not self._verifier.genuine(seal.content(), seal.signature):
            self._report_seal(seal, _FOREIGN)
        elif seal.form != FORM:
            self._report_seal(seal, "was made by another version of the service, which must look at it")
        elif seal.kind is SealKind.ENTRIES:
            await self._compare(seal, last)
        elif seal.kind is SealKind.REMOVAL:
            self._removed += seal.entries
        else:
            await self._look_beyond(last, seal.since)

    async def _compare(self, seal: Seal, last: Seal) -> None:
        """The entries that the seal lists with those that stand in the log."""
        until = next((one.since for one in self._restarts if one.sequence > seal.sequence), self._restored_at)
        async with self._transaction.reading(self._organisation_id) as uow:
            packed = await uow.seals.list_of(seal.sequence) or b""
            listed = unpack(packed) if hashlib.sha256(packed).digest() == seal.list_digest else []
            ids = [entry.id for entry in listed]
            found = await uow.seals.entries(ids)
            unlisted = await uow.seals.unlisted(seal, until, ids, MOST_PROBLEMS)
            # Read last, because what retention has removed by now is told by a seal of the same transaction.
            head = await uow.seals.head() if len(found) < seal.entries else seal
        removal = head if self._verifier.genuine(head.content(), head.signature) else seal
        if len(listed) < seal.entries:
            if packed or seal.last_at is None or removal.keeps(seal.last_at):
                self._report_seal(seal, "has lost the list of its entries, or has a wrong one")
                return
            self._gone += seal.entries
        for entry in listed:
            transaction, now = found.get(entry.id, (0, None))
            if now is not None:
                self._checked += 1
                if now != entry:
                    self._report(
                        ProblemKind.CHANGED, seal, entry.id, entry.occurred_at, "was changed after its sealing"
                    )
                elif last.contradicts(transaction, entry.occurred_at):
                    self._report(ProblemKind.INSERTED, seal, entry.id, entry.occurred_at, _BACKDATED)
            elif removal.keeps(entry.occurred_at):
                self._report(ProblemKind.REMOVED, seal, entry.id, entry.occurred_at, "is gone")
            else:
                self._gone += 1
        for activity_id, occurred_at in unlisted:
            self._report(ProblemKind.INSERTED, seal, activity_id, occurred_at, _ADDED)

    async def _look_beyond(self, last: Seal, until: datetime | None) -> None:
        """At what no seal covers: of the time up to `until` there must be nothing, else nothing but new entries."""
        start = last.ends
        while True:
            async with self._transaction.reading(self._organisation_id) as uow:
                entries = await uow.seals.beyond(start, _ENTRIES_AT_ONCE)
                moment = await uow.seals.moment()
            if until is None and last.outlived(moment):
                return  # restored elsewhere, and not sealed there yet
            for (transaction, activity_id), occurred_at in entries:
                if not last.covers(occurred_at):
                    continue  # of the time before a restart: looked at there
                if until is not None:
                    if occurred_at <= until:
                        why = "was not there when the database was restored"
                        self._report(ProblemKind.INSERTED, last, activity_id, occurred_at, why)
                elif transaction >= moment.next:
                    why = "names a transaction that has not begun"
                    self._report(ProblemKind.INSERTED, last, activity_id, occurred_at, why)
                elif last.contradicts(transaction, occurred_at):
                    self._report(ProblemKind.INSERTED, last, activity_id, occurred_at, _BACKDATED)
            if len(entries) < _ENTRIES_AT_ONCE:
                return
            start = Place(*entries[-1][0]).next

    def _look_back(self, last: Seal) -> None:
        if self._gone > self._removed:
            why = f"{self._gone - self._removed} entries are gone that retention would have removed, and has not."
            self._add(LogProblem(ProblemKind.REMOVED, why, seal=last.sequence))
        if self._kept_head:
            why = f"The seal {self._kept_head} is not in the chain: the newest seals were taken away or replaced."
            self._add(LogProblem(ProblemKind.SEAL_BROKEN, why))

    def _report(self, kind: ProblemKind, seal: Seal, activity_id: UUID, occurred_at: datetime, why: str) -> None:
        self._add(LogProblem(kind, f"The entry {why}.", activity_id, seal.sequence, occurred_at))

    def _report_seal(self, seal: Seal, why: str) -> None:
        self._add(LogProblem(ProblemKind.SEAL_BROKEN, f"The seal {why}.", seal=seal.sequence))

    def _add(self, problem: LogProblem) -> None:
        self._problems.append(problem)
        if len(self._problems) >= MOST_PROBLEMS:
            raise _Enough
