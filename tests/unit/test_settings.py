"""Settings: a wrong or unsafe one stops the real process with one line that names it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.permissions import Role
from app.settings import SettingsError, load_settings
from tests.support.service import SECRET

_COMMAND = str(Path(sys.executable).parent / "portal-access")
_SAFE = {
    "PORTAL_ENVIRONMENT": "production",
    "PORTAL_DATABASE_URL": "postgresql://portal:geheim@127.0.0.1:1/portal",
    "PORTAL_SECRET_KEYS": SECRET,
    "PORTAL_SMTP_URL": "smtp://127.0.0.1:1",
    "PORTAL_OIDC_ISSUER": "https://issuer.example.com",
    "PORTAL_SEAL_KEY": SECRET[::-1],
}


def _serve(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
    return subprocess.run(
        [_COMMAND, "serve", "--port", "0"],
        env=kept | variables,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _stopped_by(done: subprocess.CompletedProcess[str], name: str) -> str:
    assert done.returncode == 2, done.stdout + done.stderr
    said = (done.stdout + done.stderr).strip()
    assert len(said.splitlines()) == 1, said
    assert name in said
    assert "Traceback" not in said
    return said


@pytest.mark.parametrize("missing", sorted(set(_SAFE) - {"PORTAL_ENVIRONMENT"}))
def test_production_does_not_start_without_it(tmp_path: Path, missing: str) -> None:
    _stopped_by(_serve(tmp_path, **{name: value for name, value in _SAFE.items() if name != missing}), missing)
    assert list(tmp_path.iterdir()) == [], "nothing was made on the way"


@pytest.mark.parametrize("empty", ["PORTAL_SECRET_KEYS", "PORTAL_OIDC_ISSUER"])
def test_an_empty_setting_is_a_missing_one(tmp_path: Path, empty: str) -> None:
    _stopped_by(_serve(tmp_path, **_SAFE | {empty: ""}), empty)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORTAL_SECRET_KEYS", f"{SECRET},short"),
        ("PORTAL_OIDC_ISSUER", "http://issuer.example.com"),
        ("PORTAL_OIDC_JWKS_URL", "http://issuer.example.com/keys"),
        ("PORTAL_PLATFORM_WEBHOOK_SECRET", "too short"),
        ("PORTAL_SEAL_KEY", "too short"),
        ("PORTAL_SEAL_KEY", SECRET),
        ("PORTAL_ENVIRONMENT", "staging"),
        ("PORTAL_DATABASE_URL", "mysql://127.0.0.1/portal"),
        ("PORTAL_SESSION_HOURS", "[red]12[/red]"),
    ],
)
def test_a_wrong_setting_stops_the_start_in_one_line(tmp_path: Path, name: str, value: str) -> None:
    said = _stopped_by(_serve(tmp_path, **_SAFE | {name: value}), name)
    for secret in (SECRET, SECRET[::-1], "geheim"):
        assert secret not in said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("secret_keys", "short"),
        ("secret_keys", "a" * 64),
        ("secret_keys", "0123456789" * 3),
        ("database_url", "noise"),
        ("database_url", "sqlite:///portal.db"),
        ("smtp_url", "http://127.0.0.1"),
        ("smtp_url", ""),
        ("mail_events_public_key", ""),
        ("mail_events_public_key", "noise"),
        ("mail_events_public_key", "bm8ga2V5IGF0IGFsbA=="),
        ("database_pool_size", "many"),
        ("database_pool_size", "0"),
        ("session_idle_minutes", "0"),
        ("log_level", "chatty"),
        ("environment", ""),
        ("run_worker", "perhaps"),
        ("oidc_roles", "Portal.Admin"),
        ("oidc_roles", "Portal.Admin=owner"),
        ("oidc_roles", "=administrator"),
        ("oidc_claim_subject", ""),
        ("oidc_claim_roles", " , "),
        ("embedded_issuer", "urn:portal"),
        ("platform_url", "platform.example.com"),
        ("platform_token_url", "noise"),
        ("platform_webhook_secret", ""),
        ("platform_timeout_seconds", "0"),
    ],
)
def test_every_wrong_value_names_its_setting_and_not_itself(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings(_env_file=None, **{"data_dir": tmp_path, name: value})
    assert f"PORTAL_{name.upper()}" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_pooler_without_a_way_past_it_stops_the_start() -> None:
    given = {"_env_file": None, "database_url": "postgresql://portal@127.0.0.1:6432/portal", "database_pooled": True}
    with pytest.raises(SettingsError, match=r"^PORTAL_DATABASE_DIRECT_URL is missing: .* past the pooler\.$"):
        load_settings(**given)
    direct = "postgresql://portal@127.0.0.1:5432/portal"
    assert load_settings(**given, database_direct_url=direct).direct_database_url == direct


_PLATFORM = {
    "PORTAL_PLATFORM_URL": "https://platform.example.com",
    "PORTAL_PLATFORM_TOKEN_URL": "https://login.example.com/oauth2/token",
    "PORTAL_PLATFORM_CLIENT_ID": "portal-access",
    "PORTAL_PLATFORM_CLIENT_SECRET": "geheim",
}


@pytest.mark.parametrize("missing", sorted(set(_PLATFORM) - {"PORTAL_PLATFORM_URL"}))
def test_a_platform_without_credentials_stops_the_start(tmp_path: Path, missing: str) -> None:
    said = _stopped_by(
        _serve(tmp_path, **{name: value for name, value in _PLATFORM.items() if name != missing}), missing
    )
    assert "geheim" not in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("plain", ["PORTAL_PLATFORM_URL", "PORTAL_PLATFORM_TOKEN_URL"])
def test_production_tells_the_platform_its_secret_by_https_alone(tmp_path: Path, plain: str) -> None:
    _stopped_by(_serve(tmp_path, **_SAFE | _PLATFORM | {plain: "http://platform.example.com"}), plain)


def test_a_weak_secret_is_refused_outside_production_too(tmp_path: Path) -> None:
    _stopped_by(_serve(tmp_path, PORTAL_SECRET_KEYS="short"), "PORTAL_SECRET_KEYS")


def test_the_env_file_is_read_and_the_environment_wins(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORTAL_ENVIRONMENT=production\nPORTAL_LOG_LEVEL=chatty\n")
    _stopped_by(_serve(tmp_path), "PORTAL_LOG_LEVEL")
    _stopped_by(_serve(tmp_path, PORTAL_LOG_LEVEL="info"), "PORTAL_DATABASE_URL")


def test_several_keys_are_split_and_trimmed() -> None:
    settings = load_settings(_env_file=None, secret_keys=f" {SECRET} , {SECRET[::-1]},")
    assert settings.secret_keys == (SECRET, SECRET[::-1])


def test_a_lasting_secret_is_made_once_and_kept_to_oneself(tmp_path: Path) -> None:
    first = load_settings(_env_file=None, data_dir=tmp_path / "data")
    again = load_settings(_env_file=None, data_dir=tmp_path / "data")
    other = load_settings(_env_file=None, data_dir=tmp_path / "other")
    assert first.secret_keys == again.secret_keys != other.secret_keys
    assert len(first.secret_keys[0]) >= 32
    kept = tmp_path / "data" / "secret-key"
    assert kept.stat().st_mode & 0o077 == 0
    assert [path.name for path in kept.parent.iterdir()] == ["secret-key"]


def test_the_issuers_words_are_settings() -> None:
    settings = load_settings(
        _env_file=None,
        secret_keys=SECRET,
        oidc_claim_roles="realm_access.roles, roles",
        oidc_roles="Portal.Admin=administrator, cn=desk = user",
    )
    assert settings.oidc_claim_roles == ("realm_access.roles", "roles")
    assert settings.oidc_roles == (("Portal.Admin", Role.ADMINISTRATOR), ("cn=desk", Role.USER))


def test_a_settings_error_is_one_line() -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings(_env_file=None, session_hours=0)
    assert str(refused.value).startswith("PORTAL_SESSION_HOURS")
    assert "\n" not in str(refused.value)
