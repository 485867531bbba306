"""`portal-access verify`: the logs of all organisations, or of one, compared with their seals."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from functools import partial
from uuid import UUID

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, TaskID

from app.database import Database, patiently
from app.domain.seals import Verification
from app.migrating import head
from app.repositories.unit_of_work import Transactions
from app.schemas.activities import VerificationBody
from app.seal_keys import SealSigner, SealVerifier
from app.services.log_verification import LogVerification
from app.settings import Settings, SettingsError

_ORGANISATIONS_AT_ONCE = 500


def verify_logs(
    settings: Settings,
    organisation_id: UUID | None,
    kept_heads: Sequence[str],
    public_keys: Sequence[str],
    as_json: bool,
) -> bool:
    """Verify and print; whether all is well.

    Raises: SettingsError, when a key or a head is none, or the database is not migrated.
    """
    verifier = _verifier(settings, public_keys)
    found = asyncio.run(_verify(settings, verifier, organisation_id, dict(map(_named, kept_heads))))
    if as_json:
        sys.stdout.write(json.dumps([_object(one, verification) for one, verification in found], indent=2) + "\n")
    else:
        _print(found, verifier)
    return all(verification.verified for _, verification in found)


def _verifier(settings: Settings, public_keys: Sequence[str]) -> SealVerifier:
    if not public_keys:
        return SealSigner(settings.seal_key or settings.secret_keys).verifier
    try:
        return SealVerifier.reading(public_keys)
    except ValueError:
        raise SettingsError("--public-key is wrong: it must be a key as `portal-access verify` prints it.") from None


def _named(head: str) -> tuple[UUID, str]:
    try:
        return UUID(head.partition(":")[0]), head
    except ValueError:
        raise SettingsError("--expect-head is wrong: it must be a head as `portal-access verify` prints it.") from None


async def _verify(
    settings: Settings, verifier: SealVerifier, organisation_id: UUID | None, kept_heads: dict[UUID, str]
) -> list[tuple[UUID, Verification]]:
    found = []
    database = await Database.connect(str(settings.database_url), settings)
    transaction = Transactions(database)
    verification = LogVerification(transaction, verifier)
    console = Console(stderr=True)
    try:
        if await database.revision() != head():
            raise SettingsError("The database's tables are not this version's: run `portal-access migrate` first.")
        wanted = set(kept_heads)
        wanted |= {organisation_id} if organisation_id else {one async for one in _everyone(transaction)}
        with patiently(), Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
            for one in sorted(wanted):
                task = bar.add_task(str(one), total=None)
                kept_head, progress = kept_heads.get(one), partial(_show, bar, task)
                found.append((one, await verification.verify(one, kept_head=kept_head, progress=progress)))
                bar.remove_task(task)
    finally:
        await database.close()
    return found


def _show(bar: Progress, task: TaskID, done: int, of: int) -> None:
    bar.update(task, completed=done, total=of, refresh=True)


async def _everyone(transaction: Transactions) -> AsyncIterator[UUID]:
    last = UUID(int=0)
    while True:
        async with transaction.everywhere() as everyone:
            page = await everyone.after(last, _ORGANISATIONS_AT_ONCE)
        for last in page:
            yield last
        if len(page) < _ORGANISATIONS_AT_ONCE:
            return


def _object(organisation_id: UUID, found: Verification) -> dict[str, object]:
    """The API's answer, and what only this command tells."""
    shown = VerificationBody.of(found).model_dump(mode="json", by_alias=True)
    removed = found.removed_before.isoformat().replace("+00:00", "Z") if found.removed_before else None
    return {
        "organisationId": str(organisation_id),
        **shown,
        "removedEntries": found.removed,
        "removedBeforeDateTime": removed,
        "head": found.head,
    }


def _print(found: Sequence[tuple[UUID, Verification]], verifier: SealVerifier) -> None:
    out = Console(highlight=False, soft_wrap=True)
    for organisation_id, one in found:
        verdict = "[green]complete and unchanged[/]" if one.verified else "[red]NOT AS IT WAS SEALED[/]"
        out.print(f"{organisation_id}  {verdict}: {one.checked} entries, sealed until {one.sealed_until or 'never'}")
        if one.removed:
            out.print(f"  retention has removed {one.removed} entries from before {one.removed_before}")
        for problem in one.problems:
            where = f"seal {problem.seal}" if problem.seal else "chain"
            about = f" {problem.activity_id} of {problem.occurred_at}" if problem.activity_id else ""
            out.print(f"  [red]{problem.kind.value}[/] ({where}){about}: {escape(problem.message)}")
        if one.head:
            out.print(f"  head {one.head}")
    out.print("Keep the heads elsewhere: `--expect-head HEAD` then shows whether newest entries were taken away.")
    out.print(f"Keys of the seals, for `--public-key`: {' '.join(verifier.public_keys)}")
