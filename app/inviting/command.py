"""The command: what it takes, what it shows, how it ends."""

import os
import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID, uuid4

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.inviting.customers_file import read_customers
from app.inviting.service import BatchService, InvitingFailed, ServiceAway

_SECONDS = 1.0
_MOST_SHOWN = 10

_out = Console(highlight=False, markup=False, soft_wrap=True)
_aside = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


def invite(
    tenant: Annotated[UUID, typer.Option(help="The tenant's UUID.")],
    organisation: Annotated[UUID, typer.Option(help="The organisation's UUID.")],
    file: Annotated[
        Path | None, typer.Option(help="CSV in UTF-8; its first line names a column accountNumber or customerId.")
    ] = None,
    batch: Annotated[UUID | None, typer.Option(help="Follow this batch instead of starting one.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would become of each; send nothing.")] = False,
    language: Annotated[str | None, typer.Option(help="Of the mails, such as nl-BE; else each customer's.")] = None,
    results: Annotated[Path | None, typer.Option(help="CSV to write: what became of each customer, and why.")] = None,
    key: Annotated[str | None, typer.Option(help="Idempotency-Key: the same again is the same batch.")] = None,
    url: Annotated[str, typer.Option(help="Where the service listens.")] = "http://127.0.0.1:8000",
) -> None:
    """Invite the customers of a file, and show how far it is.

    The bearer token stands in the environment variable PORTAL_TOKEN and needs the permission portal.invite.

    Exit status: 0 when everybody is invited or has an account, 1 when somebody is not, 2 when this command failed.
    """
    if (file is None) == (batch is None):
        raise InvitingFailed("Give either --file, to start a batch, or --batch, to follow one.")
    if batch is not None and (dry_run or language or key):
        raise InvitingFailed("--dry-run, --language and --key belong to a new batch: give --file.")
    body: dict[str, Any] = {}
    if file is not None:
        body = {**read_customers(file), "onlyValidate": dry_run, "language": language}
    if results is not None:
        if file is not None and results.resolve() == file.resolve():
            raise InvitingFailed(f"--results would overwrite {file}.")
        results.open("ab").close()  # one that cannot be written is known before anybody is invited
    where = ["--tenant", str(tenant), "--organisation", str(organisation), "--url", url]
    kept = ["--results", str(results)] if results is not None else []
    once = _word(str(uuid4()) if key is None else key, "--key is wrong: letters, digits and marks without spaces.")
    with BatchService(url.rstrip("/"), _bearer(), tenant, organisation) as service:
        found = service.look(str(batch)) if file is None else _start(service, body, once)
        again = f"  {shlex.join(['portal-access', 'invite', '--batch', str(found['id']), *where, *kept])}"
        with _way_back(f"The batch does not need this command. To follow it again:\n{again}"):
            ended = _follow(service, found)
            _tell(service, ended, results, again)
    if ended["counts"]["failed"] or ended["status"] == "cancelled":
        raise typer.Exit(1)


def _bearer() -> str:
    bearer = os.environ.get("PORTAL_TOKEN", "").strip()
    if not bearer:
        raise InvitingFailed("PORTAL_TOKEN is missing: it holds the bearer token that the service is called with.")
    return _word(bearer, "PORTAL_TOKEN is wrong: it must be the bearer token and nothing else.")


def _word(given: str, otherwise: str) -> str:
    """What is fit for a header."""
    if not (given.isascii() and given.isprintable() and given and " " not in given):
        raise InvitingFailed(otherwise)
    return given


@contextmanager
def _way_back(hint: str, lost: type[InvitingFailed] = InvitingFailed) -> Iterator[None]:
    """Whoever is lost on the way, or leaves by Ctrl-C, is told how to come back."""
    try:
        yield
    except KeyboardInterrupt:
        _aside.print(hint)
        raise
    except lost as reason:
        raise InvitingFailed(f"{reason} {hint}") from None


def _start(service: BatchService, body: dict[str, Any], key: str) -> dict[str, Any]:
    """The new batch."""
    with _way_back(f"If the batch has begun, the same command with --key {key} finds it.", ServiceAway):
        return service.start(body, key)


def _follow(service: BatchService, found: dict[str, Any]) -> dict[str, Any]:
    """The batch, once it has come to its end."""
    batch_id, requested = str(found["id"]), found["counts"]["requested"]
    _out.print(f"batch {batch_id}: {requested:,} customer{'' if requested == 1 else 's'}")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=_aside, transient=True, disable=not _aside.is_terminal) as progress:
        task = progress.add_task("checking" if found["onlyValidate"] else "inviting", total=requested)
        while True:
            progress.update(task, completed=requested - found["counts"]["pending"])
            if found["status"] != "running":
                return found
            time.sleep(_SECONDS)
            found = service.look(batch_id)


def _tell(service: BatchService, batch: dict[str, Any], results: Path | None, again: str) -> None:
    """What came of it, and who could not be invited."""
    batch_id, counts = str(batch["id"]), batch["counts"]
    would = "would be " if batch["onlyValidate"] else ""
    pending = f", {counts['pending']:,} pending" if counts["pending"] else ""
    _out.print(
        f"{batch['status']}: {counts['invited']:,} {would}invited, {counts['skipped']:,} skipped, "
        f"{counts['failed']:,} failed{pending}"
    )
    if results is not None:
        service.save_results(batch_id, results)
        _out.print(f"The results stand in {results}.")
    elif counts["failed"]:
        for one in service.failed(batch_id, _MOST_SHOWN):
            _out.print(f"  {one['accountNumber'] or one['customerId']}  {one['key']}")
        if counts["failed"] > _MOST_SHOWN:
            _out.print(f"  … and {counts['failed'] - _MOST_SHOWN:,} more. All of them:\n{again} --results results.csv")
