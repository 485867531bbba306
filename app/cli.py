"""portal-access: runs the service and what belongs to it.

What only some commands need is imported by them: all of it takes a second or two, and a token should not wait so long.
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn
from uuid import UUID

import typer
from rich.console import Console
from rich.markup import escape

from app import VERSION, logs
from app.embedded import EmbeddedUnavailable
from app.embedded import start as start_embedded
from app.errors import DatabaseUnreachable, TemporarilyUnavailable
from app.inviting import InvitingFailed, invite
from app.memory import collect_rarely
from app.permissions import Permission, Role
from app.routers.audiences import Audience
from app.settings import Settings, SettingsError, load_settings, settings_table, unknown_settings
from app.tour import STORIES, Guide, TourFailed, play

if TYPE_CHECKING:
    from app.bearers import EmbeddedIssuer
    from app.routers.explorer import Demonstration
    from app.seed import Seeded

app = typer.Typer(
    name="portal-access",
    help="The service behind the customer-portal card.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
_out = Console(highlight=False, soft_wrap=True)
_problems = Console(stderr=True, highlight=False, soft_wrap=True)


def main() -> None:
    """The command line. What is wrong with the settings is one line, and the exit status 2."""
    collect_rarely()
    for line in unknown_settings():
        _problems.print(f"[yellow]portal-access:[/] {line}")
    try:
        app()
    except (SettingsError, EmbeddedUnavailable, InvitingFailed, TourFailed) as problem:
        _stop(str(problem))
    except (DatabaseUnreachable, TemporarilyUnavailable) as problem:
        _stop(f"The database that PORTAL_DATABASE_URL names cannot be used ({problem}).")
    except OSError as problem:
        _stop(f"{problem.filename or 'A file'} cannot be used ({problem.strerror}).")
    except KeyboardInterrupt:
        sys.exit(130)


def _stop(reason: str) -> NoReturn:
    _problems.print(f"[red]portal-access:[/] {escape(reason)}")
    sys.exit(2)


@contextmanager
def _with_database(settings: Settings) -> Iterator[Settings]:
    """The settings with a database: the one they name, or embedded PostgreSQL, migrated, until the block ends."""
    if settings.database_url is not None:
        yield settings
        return
    from app.migrating import migrate as migrate_database

    postgres = start_embedded(settings.data_dir)
    try:
        migrate_database(postgres.url)
        yield settings.model_copy(update={"database_url": postgres.url})
    finally:
        postgres.stop()


def _print_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"portal-access {VERSION}\n")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """The service behind the customer-portal card."""


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
    loaded = load_settings() if worker else load_settings(run_worker=False)
    from app.serving import check_port, listen

    logs.configure(loaded.log_level)
    check_port(host, port)
    with _with_database(loaded) as ready:
        listen(ready, host, port, workers)


@app.command(epilog="Example: [bold]portal-access demo --port 9000[/]")
def demo(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8000,
) -> None:
    """Run the service with a made-up organisation and say where everything is."""
    loaded = load_settings()
    if loaded.production:
        raise SettingsError("PORTAL_ENVIRONMENT is production: the demonstration runs in embedded mode only.")
    if "check_portals" not in loaded.model_fields_set:  # the sample's portal is nowhere, and nothing leaves the machine
        loaded = loaded.model_copy(update={"check_portals": False})
    from app.routers.explorer import Demonstration
    from app.serving import check_port, listen

    logs.configure("warning")
    check_port(host, port)
    _out.print("Starting PostgreSQL and filling in sample data …")
    with _with_database(loaded) as ready:
        seeded = asyncio.run(_seed(ready, account=True))
        demonstration = Demonstration(_issuer(ready), seeded.tenant_id, seeded.organisation_id)
        url = f"http://{host}:{port}"
        listen(ready, host, port, 1, lambda: _welcome(url, seeded, demonstration, ready), demonstration)


def _welcome(url: str, seeded: "Seeded", demonstration: "Demonstration", settings: Settings) -> None:
    from app.seed import PASSWORD

    bearer = demonstration.bearer(Role.ADMINISTRATOR)
    card = f"{url}/api/portal/v1/customers/{seeded.customers[0].customer_id}/portal"
    _out.print("\n[bold green]Portal Access is running.[/] Ctrl-C ends it; the data stays in", settings.data_dir)
    _out.print(f"  explorer  {url}/docs")
    if settings.smtp_url is None:
        _out.print(f"  mailbox   {url}/mailbox")
    _out.print(f"  health    {url}/healthz  {url}/readyz  {url}/metrics\n")
    _show(seeded)
    _out.print(f"portal login                 {seeded.customers[1].email}, with the password '{PASSWORD}'")
    _out.print(f"\n[bold]A bearer token[/] (administrator, 12 hours):\n{bearer}")
    _out.print("\n[bold]A first call[/], the card of the first customer:")
    _out.print(f"curl -s {card} \\\n  -H 'zf-tuuid: {seeded.tenant_id}' -H 'zf-ouuid: {seeded.organisation_id}' \\")
    _out.print("  -H 'Authorization: Bearer THE-TOKEN-ABOVE'")
    _out.print(f"\n[bold]The stories of the card[/], in another terminal: .venv/bin/portal-access tour --url {url}\n")


@app.command(epilog="Example: [bold]portal-access tour --story invitation --story password[/]")
def tour(
    url: Annotated[str, typer.Option(help="Where the service listens.")] = "http://127.0.0.1:8000",
    story: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(STORIES)}; repeatable.")] = None,
) -> None:
    """Play the stories of the card against a running demonstration, showing each request and answer."""
    from app import seed

    bearer = _issuer(load_settings()).issue(
        tenant_id=seed.TENANT, organisations=[seed.ORGANISATION], roles=[Role.ADMINISTRATOR], name="Eva Maes"
    )
    play(Guide(url.rstrip("/"), bearer, seed.TENANT, seed.ORGANISATION), _out, story or ())


app.command(
    epilog="Example: [bold]PORTAL_TOKEN=… portal-access invite --file customers.csv --dry-run "
    "--tenant 0199d8a0-0000-7000-8000-000000000001 --organisation 0199d8a0-0000-7000-8000-000000000002[/]"
)(invite)


@app.command(epilog="Example: [bold]portal-access settings[/]")
def settings() -> None:
    """List every setting with its default and meaning, as a Markdown table."""
    sys.stdout.write(settings_table())


@app.command("mail-preview", epilog="Example: [bold]portal-access mail-preview /tmp/mails[/]")
def mail_preview(folder: Annotated[Path, typer.Argument(help="Where to write; made when missing.")]) -> None:
    """Render every mail in every language to files, with an index page."""
    from app.mail.preview import write_previews

    written = write_previews(folder)
    _out.print(f"{len(written)} files; open {folder / 'index.html'}")


@app.command(epilog="Example: [bold]PORTAL_DATABASE_URL=postgresql://… portal-access worker[/]")
def worker() -> None:
    """Work on jobs: send mails, retry, do what was left for later. Run as many as you like."""
    loaded = load_settings()
    import uvloop

    from app.jobs.worker import until_told
    from app.main import running

    logs.configure(loaded.log_level)

    async def work(ready: Settings) -> None:
        async with running(ready) as parts:
            await until_told(parts.worker)

    with _with_database(loaded) as ready:
        uvloop.run(work(ready))


@app.command(epilog="Example: [bold]PORTAL_DATABASE_URL=postgresql://… portal-access migrate[/]")
def migrate() -> None:
    """Bring the database's tables to what this version needs."""
    loaded = load_settings()
    from app.migrating import migrate as migrate_database

    with _with_database(loaded) as ready:
        migrate_database(ready.direct_database_url)
    _out.print("The database is at head.")


@app.command(
    epilog="Examples: [bold]portal-access verify[/] · [bold]portal-access verify --expect-head HEAD --json[/]. "
    "The exit status is 1 when a log is not as it was sealed."
)
def verify(
    organisation: Annotated[UUID | None, typer.Option(help="One organisation's UUID. Absent: all of them.")] = None,
    expect_head: Annotated[
        list[str] | None,
        typer.Option(help="A head that an earlier run printed and that must still be there; repeatable."),
    ] = None,
    public_key: Annotated[
        list[str] | None, typer.Option(help="A key to check with, in place of PORTAL_SEAL_KEY; repeatable.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Prove that the logs are complete and unchanged since they were sealed."""
    loaded = load_settings()
    from app.verifying import verify_logs

    logs.configure(loaded.log_level)
    with _with_database(loaded) as ready:
        well = verify_logs(ready, organisation, expect_head or (), public_key or (), as_json)
    if not well:
        raise typer.Exit(1)


@app.command(
    epilog="Example: [bold]portal-access token --tenant 0199d8a0-0000-7000-8000-000000000001 "
    "--organisation 0199d8a0-0000-7000-8000-000000000002 --role user --name 'Eva Maes'[/]"
)
def token(
    tenant: Annotated[UUID, typer.Option(help="The tenant's UUID.")],
    organisation: Annotated[str, typer.Option(help="The organisation's UUID, or * for all of the tenant.")],
    role: Annotated[
        Role | None, typer.Option(help="A built-in role. Without it and without --permission: administrator.")
    ] = None,
    permission: Annotated[
        list[Permission] | None, typer.Option(help="Single permissions; repeatable. Without a role: exactly these.")
    ] = None,
    subject: Annotated[str, typer.Option(help="Who it is, as an id.")] = "employee-1",
    name: Annotated[str | None, typer.Option(help="Who it is, as a name.")] = None,
    application: Annotated[bool, typer.Option("--application", help="For a partner's application.")] = False,
    hours: Annotated[float, typer.Option(help="How long it is valid.", min=0.001, max=24 * 365)] = 12,
) -> None:
    """Print a bearer token of the embedded issuer, and nothing else."""
    issuer = _issuer(load_settings())
    try:
        organisations = None if organisation == "*" else [UUID(organisation)]
    except ValueError:
        raise typer.BadParameter("a UUID, or *", param_hint="--organisation") from None
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


def _issuer(settings: Settings) -> "EmbeddedIssuer":
    from app.bearers import EmbeddedIssuer, embedded_keys
    from app.clock import utc_now

    if settings.oidc_issuer is not None:
        raise SettingsError("PORTAL_OIDC_ISSUER is set: bearer tokens come from that issuer, not from here.")
    return EmbeddedIssuer(
        embedded_keys(settings.secret_keys), settings.oidc_audience, utc_now, settings.embedded_issuer
    )


@app.command("seed", epilog="Example: [bold]portal-access seed[/]")
def seed_command() -> None:
    """Put a made-up organisation with five customers into the database."""
    with _with_database(load_settings()) as ready:
        _show(asyncio.run(_seed(ready)))


async def _seed(settings: Settings, *, account: bool = False) -> "Seeded":
    from app import seed
    from app.main import running

    async with running(settings) as parts:
        seeded = await seed.seed(parts)
        if account:
            await seed.register(parts, seeded.customers[1])
        return seeded


def _show(seeded: "Seeded") -> None:
    _out.print(f"tenant       (zf-tuuid)  {seeded.tenant_id}")
    _out.print(f"organisation (zf-ouuid)  {seeded.organisation_id}")
    for customer in seeded.customers:
        _out.print(f"customer {customer.account_number}        {customer.customer_id}  {customer.display_name}")


@app.command(
    epilog="Examples: [bold]portal-access openapi --output openapi/openapi.json[/] · "
    "[bold]portal-access openapi --audience partners[/]"
)
def openapi(
    output: Annotated[Path | None, typer.Option(help="File to write; absent: standard output.")] = None,
    audience: Annotated[Audience | None, typer.Option(help="Only what these readers need; absent: all of it.")] = None,
) -> None:
    """Write the OpenAPI document."""
    from app.main import create_app
    from app.routers.subsets import subset

    document = create_app(document_settings()).openapi()
    shown = document if audience is None else subset(document, audience)
    text = json.dumps(shown, indent=2, ensure_ascii=False) + "\n"
    if output is None:
        sys.stdout.write(text)
    else:
        output.write_text(text, encoding="utf-8")


def document_settings() -> Settings:
    """The settings that the committed document is made with: those of a laptop, whatever the environment says."""
    return Settings.model_construct(
        **{name: field.get_default(call_default_factory=True) for name, field in Settings.model_fields.items()}
    )
