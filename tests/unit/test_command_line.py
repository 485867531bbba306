"""The command line: `token` prints a token and nothing else, `openapi` prints the committed document."""

import asyncio
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest
from typer.testing import CliRunner

from app.bearers import BearerVerifier, embedded_keys
from app.cli import app
from app.clock import utc_now
from app.domain.callers import ActorType, Bearer
from app.issuer_keys import FixedKeys
from app.permissions import ROLES, Permission, Role
from app.settings import EMBEDDED_ISSUER
from tests.support.service import SECRET

_COMMAND = str(Path(sys.executable).parent / "portal-access")
_TENANT, _ORGANISATION = UUID("0199d8a0-0000-7000-8000-000000000001"), UUID("0199d8a0-0000-7000-8000-000000000002")
_WHERE = ["--tenant", str(_TENANT), "--organisation", str(_ORGANISATION)]


def _run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
    return subprocess.run(
        [_COMMAND, *arguments],
        env=kept | {"PORTAL_SECRET_KEYS": SECRET} | variables,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _token(folder: Path, *arguments: str) -> Bearer:
    surroundings = {"PORTAL_SECRET_KEYS": SECRET, "PORTAL_DATA_DIR": str(folder)}
    done = CliRunner().invoke(app, ["token", *_WHERE, *arguments], env=surroundings)
    assert (done.exit_code, done.stderr) == (0, "")
    return _read(done.stdout)


def _read(printed: str) -> Bearer:
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+\n", printed), printed
    verifier = BearerVerifier(
        keys=FixedKeys(embedded_keys([SECRET])), issuer=EMBEDDED_ISSUER, audience="portal-access", clock=utc_now
    )
    return asyncio.run(verifier.verify(printed.strip()))


def test_a_token_is_all_that_is_printed(tmp_path: Path) -> None:
    done = _run(tmp_path, "token", *_WHERE, "--role", "user", "--name", "Eva Maes", "--subject", "employee-9")
    assert (done.returncode, done.stderr) == (0, "")
    bearer = _read(done.stdout)
    assert (bearer.actor.type, bearer.actor.id, bearer.actor.name) == (ActorType.EMPLOYEE, "employee-9", "Eva Maes")
    assert bearer.permissions == ROLES[Role.USER]
    assert (bearer.tenant_id, bearer.organisation_ids) == (_TENANT, frozenset({_ORGANISATION}))
    assert list(tmp_path.iterdir()) == []


def test_permissions_alone_give_exactly_those(tmp_path: Path) -> None:
    bearer = _token(tmp_path, "--permission", "portal.read", "--permission", "portal.import")
    assert bearer.permissions == {Permission.PORTAL_READ, Permission.PORTAL_IMPORT}


def test_permissions_beside_a_role_are_added(tmp_path: Path) -> None:
    bearer = _token(tmp_path, "--role", "readonly", "--permission", "portal.invite")
    assert bearer.permissions == ROLES[Role.READONLY] | {Permission.PORTAL_INVITE}


def test_a_partners_application_may_have_one_too(tmp_path: Path) -> None:
    bearer = _token(tmp_path, "--application", "--subject", "billing", "--permission", "customer.write")
    assert (bearer.actor.type, bearer.actor.id) == (ActorType.APPLICATION, "billing")


def test_hours_say_how_long(tmp_path: Path) -> None:
    left = _token(tmp_path, "--hours", "1").expires_at - utc_now().timestamp()
    assert 3500 < left <= 3600
    assert 11.9 < (_token(tmp_path).expires_at - utc_now().timestamp()) / 3600 <= 12


def test_there_is_none_beside_a_real_issuer(tmp_path: Path) -> None:
    done = _run(tmp_path, "token", *_WHERE, PORTAL_OIDC_ISSUER="https://issuer.example.com")
    assert (done.returncode, done.stdout) == (2, "")
    assert "PORTAL_OIDC_ISSUER" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        ["--role", "owner"],
        ["--permission", "portal.everything"],
        ["--tenant", "noise"],
        ["--organisation", "noise"],
        ["--hours", "0"],
        ["--hours", "-1"],
    ],
    ids=" ".join,
)
def test_a_wrong_option_prints_no_token(tmp_path: Path, wrong: list[str]) -> None:
    done = CliRunner().invoke(app, ["token", *_WHERE, *wrong], env={"PORTAL_DATA_DIR": str(tmp_path)})
    assert (done.exit_code, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "options"), [("openapi.json", []), ("partners.json", ["--audience", "partners"])], ids=["all", "partners"]
)
def test_the_committed_document_is_the_applications(tmp_path: Path, name: str, options: list[str]) -> None:
    done = _run(tmp_path, "openapi", *options)
    assert (done.returncode, done.stderr) == (0, "")
    committed = Path(__file__).parents[2] / "openapi" / name
    assert json.loads(done.stdout)["openapi"].startswith("3.1")
    assert done.stdout == committed.read_text(encoding="utf-8"), "run `make openapi`"


def test_the_document_does_not_depend_on_the_environment() -> None:
    plain, other = (
        CliRunner().invoke(app, ["openapi"], env=variables)
        for variables in ({}, {"PORTAL_SMTP_URL": "smtp://127.0.0.1:1", "PORTAL_CORS_ORIGINS": "https://x.example.com"})
    )
    assert plain.exit_code == other.exit_code == 0
    assert plain.stdout == other.stdout


@pytest.mark.parametrize("command", ["serve", "worker", "migrate", "verify", "token", "seed", "openapi", "invite"])
def test_every_command_of_the_contract_explains_itself_with_an_example(command: str) -> None:
    done = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"})
    assert done.exit_code == 0
    assert "Example" in done.stdout
    assert f"portal-access {command}" in done.stdout


def _refused(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 2, done.stdout + done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    return done.stderr


@pytest.mark.parametrize("command", ["migrate", "seed", "verify"])
def test_a_database_that_does_not_answer_is_said_in_one_line(tmp_path: Path, command: str) -> None:
    url = "postgresql://portal:geheim@127.0.0.1:1/portal"
    said = _refused(_run(tmp_path, command, PORTAL_DATABASE_URL=url))
    assert "PORTAL_DATABASE_URL" in said
    assert "geheim" not in said


@pytest.mark.parametrize("folder", ["/proc/nope", "/etc/passwd"])
def test_a_data_folder_that_cannot_be_used_is_said_in_one_line(tmp_path: Path, folder: str) -> None:
    done = _run(tmp_path, "migrate", PORTAL_SECRET_KEYS="", PORTAL_DATA_DIR=folder)
    assert "PORTAL_DATA_DIR" in _refused(done)


def test_a_file_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    assert "/nonexistent/openapi.json" in _refused(_run(tmp_path, "openapi", "--output", "/nonexistent/openapi.json"))


def test_a_misspelt_setting_is_pointed_out(tmp_path: Path) -> None:
    done = _run(tmp_path, "settings", PORTAL_SECRET_KEY="x")
    assert done.returncode == 0
    assert "PORTAL_SECRET_KEY is no setting" in done.stderr
    assert "did you mean PORTAL_SECRET_KEYS?" in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORTAL_TRUSTED_PROXIES", "foo"),
        ("PORTAL_CORS_ORIGINS", "foo"),
        ("PORTAL_MAIL_FROM", "notanaddress"),
        ("PORTAL_OIDC_ISSUER", "foo"),
        ("PORTAL_LOG_LEVEL", "loud"),
        ("PORTAL_DATABASE_URL", "mysql://example.com/x"),
    ],
)
def test_a_wrong_value_is_said_in_one_line(tmp_path: Path, name: str, value: str) -> None:
    assert name in _refused(_run(tmp_path, "migrate", **{name: value}))


def test_the_version_is_told(tmp_path: Path) -> None:
    assert re.fullmatch(r"portal-access \d+\.\d+\.\d+\n", _run(tmp_path, "--version").stdout)
