"""The service's settings: environment variables with the prefix `PORTAL_`, `.env` read too.

A wrong setting stops the start with one line that names it; in production an unsafe one does too.
"""

import os
import secrets
from difflib import get_close_matches
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from email_validator import EmailNotValidError, validate_email
from pydantic import Field, PostgresDsn, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.event_signatures import public_key
from app.permissions import Role

MINIMUM_SECRET_LENGTH = 32
EMBEDDED_ISSUER = "http://127.0.0.1:8000"

Names = Annotated[tuple[str, ...], NoDecode]

# Settings of features that are still to come.
_LATER = ("PORTAL_PLATFORM_", "PORTAL_SEAL_")


_CLAIMS = tuple(
    f"oidc_claim_{name}"
    for name in ("subject", "tenant", "organisations", "roles", "permissions", "name", "azp", "idtyp")
)


class Environment(StrEnum):
    """How the service runs: with its own embedded parts, or for real."""

    EMBEDDED = "embedded"
    PRODUCTION = "production"


class SettingsError(Exception):
    """A setting that stops the start; its text is one line that names the setting."""


class Settings(BaseSettings):
    """All settings. Each is the environment variable `PORTAL_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="PORTAL_", env_file=".env", extra="ignore", frozen=True)

    environment: Environment = Field(
        Environment.EMBEDDED, description="`embedded` or `production`; production refuses an unsafe start."
    )
    data_dir: Path = Field(
        Path(".data"),
        description="Folder of embedded PostgreSQL, the captured mails and the secret made at first start.",
    )
    database_url: PostgresDsn | None = Field(
        None, description="`postgresql://…`, PostgreSQL 15 or newer. Absent: embedded PostgreSQL in the data folder."
    )
    database_direct_url: PostgresDsn | None = Field(
        None, description="A way to PostgreSQL past a pooler, for the worker's LISTEN. Absent: the database URL."
    )
    database_pool_size: int = Field(10, ge=1, le=200, description="Most connections of one process.")
    database_statement_cache: int = Field(
        200, ge=0, description="Prepared statements kept per connection; 0 behind a pooler in transaction mode."
    )
    secret_keys: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Comma-separated, 32 characters or more each; the first signs, all verify. "
        "Absent in embedded mode: made once and kept in the data folder.",
    )
    smtp_url: str | None = Field(
        None,
        description="`smtp://user:password@host:587` (STARTTLS where offered) or `smtps://host:465`. "
        "Absent: mails are captured and shown at `/mailbox`.",
    )
    smtp_connections: int = Field(4, ge=1, le=50, description="Most connections of one worker to the SMTP server.")
    smtp_timeout_seconds: float = Field(15, gt=0, le=120, description="Longest wait for an answer of the SMTP server.")
    mail_from: str = Field(
        "portal@example.com", description="Sender address of organisations that have none of their own."
    )
    mail_retry_seconds: float = Field(
        30, gt=0, description="Wait before the first repetition of a mail; doubles, with jitter, up to 1 h."
    )
    mail_attempts: int = Field(12, ge=1, le=100, description="Tries before a mail counts as failed.")
    mail_events_public_key: str | None = Field(
        None,
        description="SendGrid's public key for its signed Event Webhook, in base64 as SendGrid shows it. "
        "Absent: delivery events are not taken.",
    )
    oidc_issuer: str | None = Field(
        None, description="Issuer of the bearer tokens. Absent: the embedded issuer, never in production."
    )
    oidc_audience: str = Field("portal-access", description="Audience that a bearer token must name.")
    oidc_jwks_url: str | None = Field(None, description="The issuer's keys. Absent: found by OIDC discovery.")
    oidc_claim_subject: Names = Field(
        ("oid", "sub"),
        description="Claims of a real issuer, here and below: comma-separated, the first that the token has counts; "
        "`realm_access.roles` is a path. This one is the caller's id, which roles are assigned to.",
    )
    oidc_claim_tenant: Names = Field(("zf_tenant", "tid"), description="The caller's tenant.")
    oidc_claim_organisations: Names = Field(
        ("zf_organisations",), description="Organisations where the token's roles and permissions count; `*` for all."
    )
    oidc_claim_roles: Names = Field(("roles",), description="Roles.")
    oidc_claim_permissions: Names = Field(("permissions",), description="Single permissions.")
    oidc_claim_name: Names = Field(("name",), description="The name that the log shows.")
    oidc_claim_azp: Names = Field(("azp",), description="An application's name, when it has no other.")
    oidc_claim_idtyp: Names = Field(("idtyp",), description="`app` for an application.")
    oidc_roles: Annotated[tuple[tuple[str, Role], ...], NoDecode] = Field(
        (),
        description="The issuer's own words for our roles, such as `Portal.Admin=administrator,Portal.User=user`; "
        "they alone count then, in all of the tenant if the token names no organisations. "
        "Absent: administrator, user, readonly, where the token names the organisation.",
    )
    embedded_issuer: str = Field(
        EMBEDDED_ISSUER,
        description="Name of the embedded issuer, and the address where it publishes its keys for other services.",
    )
    session_idle_minutes: int = Field(30, ge=1, description="A portal session ends after this long without a call.")
    session_hours: int = Field(12, ge=1, description="A portal session ends after this long in any case.")
    password_hashes: int = Field(2, ge=1, le=64, description="Passwords hashed at once in one process.")
    password_queue: int = Field(
        100, ge=0, description="Passwords that may wait for their turn; more are told to retry."
    )
    run_worker: bool = Field(True, description="Whether the API's process also works on jobs; `serve --no-worker`.")
    worker_look_seconds: float = Field(
        2, gt=0, le=5, description="How often a worker looks for due jobs, beside the database's notifications."
    )
    daily_work_hour: int = Field(
        3, ge=0, le=23, description="Hour (UTC) at which portals' addresses are checked and retention deletes."
    )
    check_portals: bool = Field(
        True,
        description="Whether portals' addresses are checked by themselves, daily and when they change. "
        "Asked for, a check is made in any case.",
    )
    portal_check_seconds: float = Field(10, gt=0, le=60, description="Longest wait for a portal to show itself.")
    webhook_allowed_networks: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Comma-separated CIDRs of private networks that checks of portals may call; "
        "without them public addresses only.",
    )
    rate_limit_url: str | None = Field(
        None,
        description="`redis://` or `valkey://` (`rediss://`, `valkeys://` with TLS) address of a server where all "
        "nodes count calls together. Absent: each process counts for itself.",
    )
    error_reports_per_minute: int = Field(
        60, ge=1, description="Pages that the portal may report as failed, for each client address."
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Comma-separated origins whose pages may call the API."
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Comma-separated addresses or CIDRs of proxies whose X-Forwarded-For is believed."
    )
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="debug, info, warning, error.")

    @field_validator(
        "secret_keys", "cors_origins", "trusted_proxies", "webhook_allowed_networks", *_CLAIMS, mode="before"
    )
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator(*_CLAIMS)
    @classmethod
    def _named(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if not names:
            raise ValueError("name at least one claim")
        return names

    @field_validator("oidc_roles", mode="before")
    @classmethod
    def _mapped(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        pairs = [part.rpartition("=") for part in value.split(",") if part.strip()]
        for theirs, _, ours in pairs:
            if not theirs.strip() or ours.strip() not in set(Role):
                raise ValueError("each part is a role of the issuer's and one of ours: Portal.Admin=administrator")
        return tuple((theirs.strip(), Role(ours.strip())) for theirs, _, ours in pairs)

    @field_validator("secret_keys")
    @classmethod
    def _strong(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        for key in keys:
            if len(key) < MINIMUM_SECRET_LENGTH or len(set(key)) < 10:
                raise ValueError(f"each key needs {MINIMUM_SECRET_LENGTH} characters or more, made at random")
        return keys

    @field_validator("trusted_proxies", "webhook_allowed_networks")
    @classmethod
    def _networks(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in proxies:
            try:
                ip_network(proxy, strict=False)
            except ValueError:
                raise ValueError(f"{proxy!r} is neither an address nor a CIDR such as 10.0.0.0/8") from None
        return proxies

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            parts = urlsplit(origin)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query:
                raise ValueError(f"{origin!r} is not an origin such as https://portal.example.com")
        return origins

    @field_validator("mail_from")
    @classmethod
    def _address(cls, value: str) -> str:
        try:
            return validate_email(value, check_deliverability=False).normalized
        except EmailNotValidError:
            raise ValueError("is not an e-mail address") from None

    @field_validator("oidc_issuer", "oidc_jwks_url", "embedded_issuer")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if value is not None and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname):
            raise ValueError("is not an https URL")
        return value

    @field_validator("rate_limit_url")
    @classmethod
    def _counter(cls, value: str | None) -> str | None:
        if value is not None and (
            urlsplit(value).scheme not in ("redis", "rediss", "valkey", "valkeys") or not urlsplit(value).hostname
        ):
            raise ValueError("must be a redis:// or valkey:// address such as redis://host:6379/0")
        return value

    @field_validator("mail_events_public_key")
    @classmethod
    def _event_key(cls, value: str | None) -> str | None:
        if value is not None:
            public_key(value)
        return value

    @field_validator("smtp_url")
    @classmethod
    def _smtp(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("smtp://", "smtps://")):
            raise ValueError("must start with smtp:// or smtps://")
        return value

    @model_validator(mode="after")
    def _safe_production(self) -> Self:
        if self.environment is Environment.EMBEDDED:
            return self
        for name, value, why in (
            ("PORTAL_DATABASE_URL", self.database_url, "names the PostgreSQL to use"),
            ("PORTAL_SECRET_KEYS", self.secret_keys, "signs the links in mails"),
            ("PORTAL_SMTP_URL", self.smtp_url, "names the server that sends the mails"),
            ("PORTAL_OIDC_ISSUER", self.oidc_issuer, "names who vouches for employees and applications"),
        ):
            if not value:
                raise SettingsError(f"{name} is missing: it {why}, and production does not start without it.")
        for name, url in (("PORTAL_OIDC_ISSUER", self.oidc_issuer), ("PORTAL_OIDC_JWKS_URL", self.oidc_jwks_url)):
            if url and not url.startswith("https://"):
                raise SettingsError(f"{name} must be an https URL in production.")
        return self

    @property
    def mailbox(self) -> Path:
        """Where mails are captured when there is no SMTP server."""
        return self.data_dir / "mailbox"

    @property
    def production(self) -> bool:
        """Whether the service runs for real."""
        return self.environment is Environment.PRODUCTION


def settings_table() -> str:
    """All settings as a Markdown table, as it stands in the README."""
    lines = ["| setting | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = field.default.value if isinstance(field.default, StrEnum) else field.default
        if isinstance(default, tuple):
            default = ",".join(default)
        shown = "" if default in (None, "") else f"`{default}`"
        lines.append(f"| `PORTAL_{name.upper()}` | {shown} | {field.description} |")
    return "\n".join(lines) + "\n"


def load_settings(**given: object) -> Settings:
    """The settings of this process; an embedded one without secret keys gets a lasting one of its own.

    Raises: SettingsError, one line that names the setting.
    """
    try:
        settings = Settings(**given)  # type: ignore[arg-type]  # pydantic validates what the environment holds
    except ValidationError as error:
        first = error.errors()[0]
        name = "_".join(str(part) for part in first["loc"][:1])
        allowed = {
            "database_url": "postgresql://user:password@host:5432/database",
            "database_direct_url": "postgresql://user:password@host:5432/database",
            "log_level": "debug, info, warning or error",
        }.get(name)
        reason = f"it must be {allowed}" if allowed else first["msg"].removeprefix("Value error, ")
        raise SettingsError(f"PORTAL_{name.upper()} is wrong: {reason}.") from None
    if settings.secret_keys:
        return settings
    try:
        return settings.model_copy(update={"secret_keys": (_lasting_secret(settings.data_dir),)})
    except OSError as error:
        raise SettingsError(
            f"PORTAL_DATA_DIR is wrong: {settings.data_dir} cannot be used ({error.strerror})."
        ) from None


def unknown_settings() -> list[str]:
    """A line for each variable that looks like a setting of ours and is none."""
    known = [f"PORTAL_{name.upper()}" for name in Settings.model_fields]
    lines = []
    for name in sorted(os.environ):
        if name.startswith(_LATER):
            lines.append(f"{name} has no effect yet.")
        elif name.startswith("PORTAL_") and not name.startswith("PORTAL_TEST_") and name not in known:
            like = get_close_matches(name, known, 1)
            lines.append(f"{name} is no setting and has no effect" + (f"; did you mean {like[0]}?" if like else "."))
    return lines


def _lasting_secret(folder: Path) -> str:
    """The secret kept in the data folder; made by whoever comes first, whole or not at all."""
    path = folder / "secret-key"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f".secret-key.{os.getpid()}.{secrets.token_hex(4)}"
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48))
        try:
            os.link(draft, path)  # fails if another process was first
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
