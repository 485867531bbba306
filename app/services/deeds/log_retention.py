"""Removing what the log has kept long enough: sealed entries alone, and under a seal that says what was removed."""

from dataclasses import replace

from app.domain.seals import SealedEntry, unpack
from app.repositories.retention import MOST_AT_ONCE
from app.repositories.unit_of_work import UnitOfWork
from app.seal_keys import SealSigner


async def remove_outdated_entries(uow: UnitOfWork, signer: SealSigner) -> int:
    """Remove the entries that are older than the organisation keeps them, in the order of their seals.

    Answers how many; less than `MOST_AT_ONCE` means that nothing outdated is left but what waits for its seal.
    """
    await uow.seals.lock()
    before = await uow.retention.log_kept_from()
    if before is None:
        return 0
    await uow.retention.open_log()
    removed: list[SealedEntry] = []
    lists = await uow.retention.outdated_lists(0, before)
    dropped = False
    while lists:
        entries = [entry for one in lists for entry in unpack(one.packed) if entry.occurred_at < before]
        gone = await uow.retention.delete_activities([entry.id for entry in entries], before)
        removed += [entry for entry in entries if entry.id in gone]
        if over := [one.sequence for one in lists if one.last_at < before]:
            await uow.retention.delete_lists(over)
            dropped = True
        if len(removed) >= MOST_AT_ONCE:
            break
        lists = await uow.retention.outdated_lists(lists[-1].sequence, before)
    if removed or dropped:
        made = (await uow.seals.head()).with_removal(removed, before, (await uow.seals.moment()).now)
        await uow.seals.append(replace(made, signature=signer.sign(made.content())))
    return len(removed)
