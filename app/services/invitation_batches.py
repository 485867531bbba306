"""Invitation batches: many customers invited by one call, worked on by a job, slice by slice.

Each customer's invitation and its outcome in the batch are one short transaction, so that a worker that dies leaves
nobody out and invites nobody twice. Between slices no connection is held: the job asks to be run again when the
organisation's next turn comes.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from uuid import UUID

import structlog

from app.domain.activities import ActivityType, NewActivity, Subject, SubjectType
from app.domain.callers import Actor, ActorType, Call, Seen
from app.domain.cards import portal_refusal
from app.domain.invitation_batches import (
    MOST_CUSTOMERS,
    BatchOutcome,
    BatchResult,
    BatchStatus,
    InvitationBatch,
    NewBatch,
    PendingItem,
    Verdict,
)
from app.domain.paging import Page, PageRequest, chunks
from app.errors import (
    FieldError,
    InternalError,
    PortalNotEnabled,
    ResourceNotFound,
    TemporarilyUnavailable,
    ValidationFailed,
)
from app.ids import new_id
from app.repositories.unit_of_work import Transactions, UnitOfWork
from app.services.deeds.links import Recipient, send_link
from app.tokens import Purpose

_log = structlog.get_logger(__name__)

BATCHES = Actor(ActorType.SYSTEM, "invitation-batches", "Portal Access")

_SLICES_PER_MINUTE = 12
_MOST_OF_A_SLICE = 100  # so that a worker that was told to stop does so at once
_MOST_LOOKED_AT = 500
_AT_ONCE = timedelta(0)


class InvitationBatches:
    """Batches of invitations; `per_minute` is how many invitations of an organisation go out by them."""

    def __init__(self, transaction: Transactions, *, per_minute: int) -> None:
        self._transaction = transaction
        self._slice = max(1, min(per_minute // _SLICES_PER_MINUTE, _MOST_OF_A_SLICE))
        self._each = timedelta(minutes=1) / per_minute

    async def start(self, new: NewBatch, *, call: Call) -> InvitationBatch:
        """Store the customers and leave them to the workers. A dry run stays out of the log, for it changes nothing.

        Raises: PortalNotEnabled, PortalUrlMissing, ValidationFailed.
        """
        batch_id = new_id()
        async with self._transaction.of(call) as uow:
            organisation = await uow.organisations.get()
            if refusal := portal_refusal(organisation) if organisation else PortalNotEnabled():
                raise refusal
            await uow.invitation_batches.add(batch_id, new, by=call.actor, seen=call.seen)
            batch = await uow.invitation_batch_items.add(batch_id, new)
            if batch.counts.requested > MOST_CUSTOMERS:
                message = f"More than {MOST_CUSTOMERS:,} customers match: narrow it down, and make several batches."
                raise ValidationFailed(errors=[FieldError("filter", ValidationFailed.key, message)])
            _record(uow, ActivityType.INVITATION_BATCH_STARTED, batch, by=call.actor, seen=call.seen)
            if batch.counts.pending:
                uow.jobs.run_invitation_batch(batch_id)
            else:
                batch = await _end(uow, batch, BatchStatus.FINISHED, by=BATCHES, seen=call.seen)
            return uow.answer(batch)

    async def get(self, batch_id: UUID, *, call: Call) -> InvitationBatch:
        """The batch as it stands.

        Raises: ResourceNotFound.
        """
        async with self._transaction.reading(call.organisation_id) as uow:
            return _known(await uow.invitation_batches.find(batch_id))

    async def results(
        self, batch_id: UUID, outcome: BatchOutcome | None, request: PageRequest, *, call: Call
    ) -> Page[BatchResult]:
        """What became of each customer, in the order in which they were asked for.

        Raises: ResourceNotFound.
        """
        async with self._transaction.reading(call.organisation_id) as uow:
            found = await uow.invitation_batch_items.page(batch_id, outcome, request)
            if not found.results:
                _known(await uow.invitation_batches.find(batch_id))
            return found

    def all_results(
        self, batch_id: UUID, outcome: BatchOutcome | None, *, call: Call
    ) -> AsyncIterator[Sequence[BatchResult]]:
        """All of them, in chunks between which no connection is held."""
        return chunks(lambda page: self.results(batch_id, outcome, page, call=call))

    async def cancel(self, batch_id: UUID, *, call: Call) -> InvitationBatch:
        """Invite nobody else; who is pending stays so. A batch that has ended stays as it is.

        Raises: ResourceNotFound.
        """
        async with self._transaction.of(call) as uow:
            batch = _known(await uow.invitation_batches.lock(batch_id))
            if batch.running:
                batch = await _end(uow, batch, BatchStatus.CANCELLED, by=call.actor, seen=call.seen)
            return uow.answer(batch)

    async def work(self, organisation_id: UUID, batch_id: UUID) -> timedelta | None:
        """Go on with the batch for a slice; how long to wait before the next one, or None when it has ended.

        Those who cannot be invited cost no turn: they are settled first, many at once.
        """
        async with self._transaction(organisation_id) as uow:
            batch = await uow.invitation_batches.lock(batch_id)
            if batch is None or not batch.running:
                return None
            items = await uow.invitation_batch_items.next(batch_id, _MOST_LOOKED_AT)
            invitable = await _settle_others(uow, batch, items)
            if not invitable:
                return _AT_ONCE
            turn = invitable[: self._slice]
            if not await uow.invitation_batches.spend(len(turn) * self._each):
                return await uow.invitation_batches.until_next_turn()
        for item in turn:
            await self._invite(organisation_id, batch, item)
        async with self._transaction.reading(organisation_id) as uow:
            return await uow.invitation_batches.until_next_turn()

    async def _invite(self, organisation_id: UUID, batch: InvitationBatch, item: PendingItem) -> None:
        """One customer's turn. Whatever goes wrong with this one does not stop the others.

        Raises: TemporarilyUnavailable.
        """
        try:
            async with self._transaction(organisation_id) as uow:
                await _invite(uow, batch, item)
        except TemporarilyUnavailable:
            raise
        except Exception as fault:
            _log.error("not invited", batch_id=str(batch.id), customer_id=str(item.customer_id), exc_info=fault)
            async with self._transaction(organisation_id) as uow:
                await _settle(uow, batch.id, [item.place], Verdict(BatchOutcome.FAILED, InternalError.key))


async def _invite(uow: UnitOfWork, batch: InvitationBatch, item: PendingItem) -> None:
    """The customer's lock, then the batch's: whoever waited for them sees what was done meanwhile."""
    assert item.customer_id is not None
    known = await uow.customers.lock(item.customer_id)
    standing = await uow.customers.standing(item.customer_id) if known else None
    verdict = Verdict.on(standing)
    if not await _settle(uow, batch.id, [item.place], verdict) or verdict.outcome is not BatchOutcome.INVITED:
        return
    assert standing is not None
    assert standing.customer.email is not None
    recipient = Recipient(standing.customer.email, batch.language or standing.language)
    await send_link(
        uow,
        Purpose.INVITATION,
        standing,
        recipient,
        by=batch.created_by,
        seen=batch.seen,
        automatic=True,
        bulk=True,
    )


async def _settle_others(
    uow: UnitOfWork, batch: InvitationBatch, items: Sequence[PendingItem]
) -> Sequence[PendingItem]:
    """Settle those who cannot be invited, and in a dry run the others too; those who are to be invited now."""
    verdicts: dict[Verdict, list[PendingItem]] = defaultdict(list)
    for item in items:
        verdicts[Verdict.on(item.standing)].append(item)
    invitable = [] if batch.only_validate else verdicts.pop(Verdict(BatchOutcome.INVITED), [])
    for verdict, settled in verdicts.items():
        await _settle(uow, batch.id, [item.place for item in settled], verdict)
    return invitable


async def _settle(uow: UnitOfWork, batch_id: UUID, places: Sequence[int], verdict: Verdict) -> bool:
    """Give these customers their outcome, unless the batch has ended or they have one; the last one finishes it."""
    batch = await uow.invitation_batches.lock(batch_id)
    if batch is None or not batch.running:
        return False
    batch, settled = await uow.invitation_batch_items.settle(batch_id, places, verdict)
    if settled and not batch.counts.pending:
        await _end(uow, batch, BatchStatus.FINISHED, by=BATCHES, seen=batch.seen)
    return settled > 0


async def _end(
    uow: UnitOfWork, batch: InvitationBatch, status: BatchStatus, *, by: Actor, seen: Seen
) -> InvitationBatch:
    ended = await uow.invitation_batches.end(batch.id, status)
    _record(uow, ActivityType.INVITATION_BATCH_FINISHED, ended, by=by, seen=seen)
    return ended


def _record(uow: UnitOfWork, kind: ActivityType, batch: InvitationBatch, *, by: Actor, seen: Seen) -> None:
    """An entry of the organisation's log; a dry run has none."""
    if batch.only_validate:
        return
    payload = {"status": batch.status.value, "counts": batch.counts.payload()}
    uow.activities.record(NewActivity(kind, by, seen, Subject(SubjectType.INVITATION_BATCH, batch.id), payload=payload))


def _known(batch: InvitationBatch | None) -> InvitationBatch:
    if batch is None:
        raise ResourceNotFound
    return batch
