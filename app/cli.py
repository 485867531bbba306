"""portal-access: runs the service and what belongs to it."""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
import uvicorn
from rich.console import Console

from app import logs, seed
from app.bearers import EmbeddedIssuer, embedded_keys
from app.clock import utc_now
from app.embedded import EmbeddedUnavailable
from app.embedded import start as start_embedded
from app.jobs.worker import until_told
from app.main import create_app, running
from app.migrating import migrate as migrate_database
from app.permissions import Permission, Role
from app.settings import Settings, SettingsError, load_settings

app = typer.Typer(
    name="portal-access",
    help="The service behind the customer-portal card.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
_out = Console(highlight=False, soft_wrap=True)
_problems = Console(stderr=True, highlight=False, soft_wrap=True)

_FACTORY = "app.main:from_environment"


def main() -> None:
    """The command line. What is wrong with the settings is one line, and the exit status 2."""
    try:
        app()
    except (SettingsError, EmbeddedUnavailable) as problem:
        _problems.print(f"[red]portal-access:[/] {problem}")
        sys.exit(2)


@contextmanager
def _with_database(settings: Settings) -> Iterator[Settings]:
    """The settings with a database: the one they name, or embedded PostgreSQL, migrated, until the block ends."""
    if settings.database_url is not None:
        yield settings
        return
    postgres = start_embedded(settings.data_dir)
    try:
        migrate_database(postgres.url)
        yield load_settings(**settings.model_dump(exclude={"database_url"}), database_url=postgres.url)
    finally:
        postgres.stop()


@app.command(
    epilog="Examples: [bold]portal-access serve[/] · [bold]portal-access serve --port 9000 --workers 2 --no-worker[/]"
)
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(help="Processes that answer requests.", min=1, max=64)] = 1,
    worker: Annotated[bool, typer.Option(help="Work on jobs (mails) as well.")] = True,
) -> None:
    """Run the API, and the job worker with it."""
    settings = load_settings(run_worker=worker) if not worker else load_settings()
    logs.configure(settings.log_level)
    with _with_database(settings) as ready:
        _listen(ready, host, port, workers)


def _listen(settings: Settings, host: str, port: int, workers: int) -> None:
    options = {
        "host": host,
        "port": port,
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "date_header": True,
        "timeout_keep_alive": 10,
        "timeout_graceful_shutdown": 20,
        "h11_max_incomplete_event_size": 64 * 1024,
    }
    if workers == 1:
        uvicorn.run(create_app(settings), **options)  # type: ignore[arg-type]
        return
    with tempfile.TemporaryDirectory(prefix="portal-metrics-") as folder:
        os.environ |= {
            "PORTAL_DATABASE_URL": str(settings.database_url),
            "PORTAL_SECRET_KEYS": ",".join(settings.secret_keys),
            "PORTAL_RUN_WORKER": str(settings.run_worker),
            "PROMETHEUS_MULTIPROC_DIR": folder,
        }
        uvicorn.run(_FACTORY, factory=True, workers=workers, **options)  # type: ignore[arg-type]


@app.command(epilog="Example: [bold]PORTAL_DATABASE_URL=postgresql://… portal-access worker[/]")
def worker() -> None:
    """Work on jobs: send mails, retry, do what was left for later. Run as many as you like."""
    settings = load_settings()
    logs.configure(settings.log_level)

    async def work(ready: Settings) -> None:
        async with running(ready) as parts:
            await until_told(parts.worker)

    with _with_database(settings) as ready:
        asyncio.run(work(ready))


@app.command(epilog="Example: [bold]PORTAL_DATABASE_URL=postgresql://… portal-access migrate[/]")
def migrate() -> None:
    """Bring the database's tables to what this version needs."""
    settings = load_settings()
    with _with_database(settings) as ready:
        migrate_database(str(ready.database_url))
    _out.print("The database is at head.")


@app.command(
    epilog="Example: [bold]portal-access token --tenant 0199d8a0-0000-7000-8000-000000000001 "
    "--organisation 0199d8a0-0000-7000-8000-000000000002 --role user --name 'Eva Maes'[/]"
)
def token(
    tenant: Annotated[UUID, typer.Option(help="The tenant's UUID.")],
    organisation: Annotated[str, typer.Option(help="The organisation's UUID, or * for all of the tenant.")],
    role: Annotated[Role | None, typer.Option(help="A built-in role.")] = None,
    permission: Annotated[
        list[Permission] | None, typer.Option(help="Single permissions; repeatable. Without a role: exactly these.")
    ] = None,
    subject: Annotated[str, typer.Option(help="Who it is, as an id.")] = "employee-1",
    name: Annotated[str | None, typer.Option(help="Who it is, as a name.")] = None,
    application: Annotated[bool, typer.Option("--application", help="For a partner's application.")] = False,
    hours: Annotated[float, typer.Option(help="How long it is valid.", min=0.001, max=24 * 365)] = 12,
) -> None:
    """Print a bearer token of the embedded issuer, and nothing else."""
    settings = load_settings()
    if settings.oidc_issuer is not None:
        raise SettingsError("PORTAL_OIDC_ISSUER is set: bearer tokens come from that issuer, not from here.")
    try:
        organisations = None if organisation == "*" else [UUID(organisation)]
    except ValueError:
        raise typer.BadParameter("a UUID, or *", param_hint="--organisation") from None
    issuer = EmbeddedIssuer(embedded_keys(settings.secret_keys), settings.oidc_audience, utc_now)
    roles = [role] if role else [] if permission else [Role.ADMINISTRATOR]
    sys.stdout.write(
        issuer.issue(
            tenant_id=tenant,
            organisations=organisations,
            roles=roles,
            permissions=permission or (),
            subject=subject,
            name=name,
            application=application,
            hours=hours,
        )
        + "\n"
    )


@app.command("seed", epilog="Example: [bold]portal-access seed[/]")
def seed_command() -> None:
    """Put a made-up organisation with five customers into the database."""
    settings = load_settings()

    async def run(ready: Settings) -> seed.Seeded:
        async with running(ready) as parts:
            return await seed.seed(parts)

    with _with_database(settings) as ready:
        _show(asyncio.run(run(ready)))


def _show(seeded: seed.Seeded) -> None:
    _out.print(f"tenant       (zf-tuuid)  {seeded.tenant_id}")
    _out.print(f"organisation (zf-ouuid)  {seeded.organisation_id}")
    for customer in seeded.customers:
        _out.print(f"customer {customer.account_number}        {customer.customer_id}  {customer.display_name}")


@app.command(epilog="Example: [bold]portal-access openapi --output openapi/openapi.json[/]")
def openapi(
    output: Annotated[Path | None, typer.Option(help="File to write; absent: standard output.")] = None,
) -> None:
    """Write the OpenAPI document."""
    document = json.dumps(create_app(document_settings()).openapi(), indent=2, ensure_ascii=False) + "\n"
    if output is None:
        sys.stdout.write(document)
    else:
        output.write_text(document, encoding="utf-8")


def document_settings() -> Settings:
    """The settings that the committed document is made with: those of a laptop, whatever the environment says."""
    return Settings.model_construct(
        **{name: field.get_default(call_default_factory=True) for name, field in Settings.model_fields.items()}
    )
