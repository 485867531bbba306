"""The command: what it takes, what it shows, how it ends."""

import os
import time
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.inviting.customers_file import read_customers
from app.inviting.service import BatchService, InvitingFailed

_SECONDS = 1.0
_MOST_SHOWN = 10

_out = Console(highlight=False, markup=False, soft_wrap=True)
_aside = Console(stderr=True, highlight=False, soft_wrap=True)


def invite(
    tenant: Annotated[UUID, typer.Option(help="The tenant's UUID.")],
    organisation: Annotated[UUID, typer.Option(help="The organisation's UUID.")],
    file: Annotated[
        Path | None, typer.Option(help="CSV whose first line names a column accountNumber or customerId.")
    ] = None,
    batch: Annotated[UUID | None, typer.Option(help="Follow this batch instead of starting one.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would become of each; send nothing.")] = False,
    language: Annotated[str | None, typer.Option(help="Of the mails, such as nl-BE; else each customer's.")] = None,
    results: Annotated[Path | None, typer.Option(help="CSV to write: what became of each customer, and why.")] = None,
    url: Annotated[str, typer.Option(help="Where the service listens.")] = "http://127.0.0.1:8000",
) -> None:
    """Invite the customers of a file, and follow how far it is.

    The bearer token stands in the environment variable PORTAL_TOKEN and needs the permission portal.invite. Exit
    status: 0 when everybody was invited or has an account, 1 when somebody could not be invited, 2 when nothing was
    done.
    """
    if (file is None) == (batch is None):
        raise InvitingFailed("Give either --file, to start a batch, or --batch, to follow one.")
    if batch is not None and (dry_run or language):
        raise InvitingFailed("--dry-run and --language belong to a new batch: give --file.")
    bearer = os.environ.get("PORTAL_TOKEN", "").strip()
    if not bearer:
        raise InvitingFailed("PORTAL_TOKEN is missing: it holds the bearer token that the service is called with.")
    if results is not None:
        results.open("ab").close()  # one that cannot be written is known before anybody is invited
    with BatchService(url.rstrip("/"), bearer, tenant, organisation) as service:
        if file is not None:
            body: dict[str, Any] = {**read_customers(file), "onlyValidate": dry_run, "language": language}
            found = service.start(body)
        else:
            found = service.look(str(batch))
        ended = _follow(service, found, f"--tenant {tenant} --organisation {organisation} --url {url}")
        _tell(service, ended, results)
    if ended["counts"]["failed"] or ended["status"] == "cancelled":
        raise typer.Exit(1)


def _follow(service: BatchService, found: dict[str, Any], where: str) -> dict[str, Any]:
    """The batch, once it has come to its end."""
    batch_id, requested = str(found["id"]), found["counts"]["requested"]
    again = f"portal-access invite --batch {batch_id} {where}"
    _out.print(f"batch {batch_id}: {requested:,} customers")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=_aside, transient=True) as progress:
            task = progress.add_task("checking" if found["onlyValidate"] else "inviting", total=requested)
            while True:
                progress.update(task, completed=requested - found["counts"]["pending"])
                if found["status"] != "running":
                    return found
                time.sleep(_SECONDS)
                found = service.look(batch_id)
    except KeyboardInterrupt:
        _aside.print(f"The batch goes on without you. To follow it again:\n  {again}", markup=False)
        raise
    except InvitingFailed as lost:
        raise InvitingFailed(f"{lost} The batch goes on without you. To follow it again:\n  {again}") from None


def _tell(service: BatchService, batch: dict[str, Any], results: Path | None) -> None:
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
            _out.print("  … --batch with --results FILE.csv gives all of them.")
