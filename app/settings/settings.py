"""The settings themselves: each field is an environment variable."""

from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import Field, PostgresDsn, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.settings.kinds import (
    ClaimPaths,
    CounterUrl,
    EmailAddress,
    EventKey,
    Networks,
    Origins,
    RoleMapping,
    SecretKeys,
    SmtpUrl,
    WebAddress,
)

EMBEDDED_ISSUER = "http://127.0.0.1:8000"
MINIMUM_WEBHOOK_SECRET = 16  # the platform makes it


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
        None,
        description="A way to PostgreSQL past a pooler, for migrations and the worker's LISTEN. Absent: the database "
        "URL.",
    )
    database_pooled: bool = Field(
        False,
        description="`true` when the database URL leads to a pooler in transaction mode, such as PgBouncer: see "
        "docs/scale.md.",
    )
    database_pool_size: int = Field(10, ge=1, le=200, description="Most connections of one process.")
    database_wait_seconds: float = Field(
        1.75,
        gt=0,
        le=30,
        description="Longest wait of a request for a connection, and for each answer of PostgreSQL; then it is told to "
        "retry. Jobs wait half a minute for an answer.",
    )
    secret_keys: SecretKeys = Field(
        (),
        description="Comma-separated, 32 characters or more each; the first signs, all verify. "
        "Absent in embedded mode: made once and kept in the data folder.",
    )
    smtp_url: SmtpUrl | None = Field(
        None,
        description="`smtp://user:password@host:587` (STARTTLS where offered) or `smtps://host:465`. "
        "Absent: mails are captured and shown at `/mailbox`.",
    )
    smtp_connections: int = Field(4, ge=1, le=50, description="Most connections of one worker to the SMTP server.")
    smtp_timeout_seconds: float = Field(15, gt=0, le=120, description="Longest wait for an answer of the SMTP server.")
    mail_from: EmailAddress = Field(
        "portal@example.com", description="Sender address of organisations that have none of their own."
    )
    mail_retry_seconds: float = Field(
        30, gt=0, description="Wait before the first repetition of a mail; doubles, with jitter, up to 1 h."
    )
    mail_attempts: int = Field(12, ge=1, le=100, description="Tries before a mail counts as failed.")
    mail_events_public_key: EventKey | None = Field(
        None,
        description="SendGrid's public key for its signed Event Webhook, in base64 as SendGrid shows it. "
        "Absent: delivery events are not taken.",
    )
    platform_url: WebAddress | None = Field(
        None,
        description="The platform's API, which is asked for a customer when its webhooks tell of one; it may be on a "
        "private network. Absent: what a webhook tells by itself is all that is known.",
    )
    platform_token_url: WebAddress | None = Field(
        None, description="Where the platform gives access tokens for OAuth client credentials; needed with its URL."
    )
    platform_client_id: str | None = Field(None, min_length=1, description="Our client id there; needed with its URL.")
    platform_client_secret: str | None = Field(
        None, min_length=1, description="Our client secret there; needed with its URL."
    )
    platform_scope: str | None = Field(None, description="The scope to ask for, if the platform wants one.")
    platform_timeout_seconds: float = Field(
        10, gt=0, le=60, description="Longest wait for a customer from the platform, its token included."
    )
    platform_webhook_secret: str | None = Field(
        None,
        min_length=1,
        description="The secret under which the platform signs its webhooks. Absent: they are not taken.",
    )
    oidc_issuer: WebAddress | None = Field(
        None, description="Issuer of the bearer tokens. Absent: the embedded issuer, never in production."
    )
    oidc_audience: str = Field("portal-access", description="Audience that a bearer token must name.")
    oidc_jwks_url: WebAddress | None = Field(None, description="The issuer's keys. Absent: found by OIDC discovery.")
    oidc_claim_subject: ClaimPaths = Field(
        ("oid", "sub"),
        description="Claims of a real issuer, here and below: comma-separated, the first that the token has counts; "
        "`realm_access.roles` is a path. This one is the caller's id, which roles are assigned to.",
    )
    oidc_claim_tenant: ClaimPaths = Field(("zf_tenant", "tid"), description="The caller's tenant.")
    oidc_claim_organisations: ClaimPaths = Field(
        ("zf_organisations",), description="Organisations where the token's roles and permissions count; `*` for all."
    )
    oidc_claim_roles: ClaimPaths = Field(("roles",), description="Roles.")
    oidc_claim_permissions: ClaimPaths = Field(("permissions",), description="Single permissions.")
    oidc_claim_name: ClaimPaths = Field(("name",), description="The name that the log shows.")
    oidc_claim_azp: ClaimPaths = Field(("azp",), description="An application's name, when it has no other.")
    oidc_claim_idtyp: ClaimPaths = Field(("idtyp",), description="`app` for an application.")
    oidc_roles: RoleMapping = Field(
        (),
        description="The issuer's own words for our roles, such as `Portal.Admin=administrator,Portal.User=user`; "
        "they alone count then, in all of the tenant if the token names no organisations. "
        "Absent: administrator, user, readonly, where the token names the organisation.",
    )
    embedded_issuer: WebAddress = Field(
        EMBEDDED_ISSUER,
        description="Name of the embedded issuer, and the address where it publishes its keys for other services.",
    )
    batch_invitations_per_minute: int = Field(
        600,
        ge=1,
        le=100_000,
        description="Most invitations that batches send a minute, for each organisation: as many as its mail server "
        "takes without complaint.",
    )
    event_streams: int = Field(
        50, ge=0, description="Clients of one process that may watch batches at a time; more are told to retry."
    )
    session_idle_minutes: int = Field(30, ge=1, description="A portal session ends after this long without a call.")
    session_hours: int = Field(12, ge=1, description="A portal session ends after this long in any case.")
    password_hashes: int = Field(2, ge=1, le=64, description="Passwords hashed at once in one process.")
    password_queue: int = Field(
        100, ge=0, description="Passwords that may wait for their turn; more are told to retry."
    )
    password_wait_seconds: float = Field(
        5, gt=0, le=30, description="Longest wait of a password for its turn; then its caller is told to retry."
    )
    seal_key: SecretKeys = Field(
        (),
        description="The secret under which the log is sealed, 32 characters or more, kept from whoever runs the "
        "database; to change it put the new one first, with a comma, and keep the old: the first signs, all verify. "
        "Absent in embedded mode: derived from the secret keys.",
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
    webhook_allowed_networks: Networks = Field(
        (),
        description="Comma-separated CIDRs of private networks that webhooks and checks of portals may call, webhooks "
        "there without https too; without them public addresses only.",
    )
    webhook_timeout_seconds: float = Field(
        15, gt=0, le=60, description="Longest wait for a webhook's receiver, from the connection to its answer."
    )
    webhook_secret_overlap_hours: float = Field(
        24, ge=0, le=720, description="How long a webhook's earlier secret signs beside the one that replaced it."
    )
    webhook_endpoints_at_once: int = Field(
        10, ge=1, le=20, description="Webhook endpoints that one worker sends to at once, beside its mails."
    )
    rate_limit_url: CounterUrl | None = Field(
        None,
        description="`redis://` or `valkey://` (`rediss://`, `valkeys://` with TLS) address of a server where all "
        "nodes count calls together. Absent: each process counts for itself.",
    )
    failed_logins_per_account: int = Field(
        10, ge=1, description="Wrong passwords in five minutes for each address that is logged in with."
    )
    failed_logins_per_address: int = Field(
        50, ge=1, description="Wrong passwords in five minutes from each client address."
    )
    forgotten_passwords_per_minute: int = Field(
        20, ge=1, description="Calls of “Forgot password” in a minute from each client address."
    )
    confirmations_again_per_minute: int = Field(
        20, ge=1, description="Calls for another confirmation mail in a minute from each client address."
    )
    asked_mails_per_hour: int = Field(
        5, ge=1, description="Mails of each of these two kinds in an hour to each account; more calls mail nothing."
    )
    inspections_per_minute: int = Field(60, ge=1, description="Links looked at in a minute from each client address.")
    registrations_per_minute: int = Field(60, ge=1, description="Registrations in a minute from each client address.")
    redemptions_per_minute: int = Field(
        60,
        ge=1,
        description="Confirmed addresses, passwords chosen by link and impersonations opened, together, in a minute "
        "from each client address.",
    )
    error_reports_per_minute: int = Field(
        60, ge=1, description="Pages that the portal may report as failed, in a minute from each client address."
    )
    back_office_calls_per_minute: int = Field(
        600, ge=1, description="Calls of each employee or application in a minute, in each organisation."
    )
    cors_origins: Origins = Field((), description="Comma-separated origins whose pages may call the API.")
    client_timeout_seconds: float = Field(
        8,
        gt=0,
        le=60,
        description="Longest wait for a client, for a request, all of its head, the next piece of its body, or room "
        "for more of the answer; then the connection is closed.",
    )
    requests_at_once: int = Field(
        500, ge=1, description="Requests that one process works on at once; more are told to retry."
    )
    trusted_proxies: Networks = Field(
        (), description="Comma-separated addresses or CIDRs of proxies whose X-Forwarded-For is believed."
    )
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="debug, info, warning, error.")

    @model_validator(mode="after")
    def _whole_platform(self) -> Self:
        if self.platform_url is None:
            return self
        for name, value in (
            ("PORTAL_PLATFORM_TOKEN_URL", self.platform_token_url),
            ("PORTAL_PLATFORM_CLIENT_ID", self.platform_client_id),
            ("PORTAL_PLATFORM_CLIENT_SECRET", self.platform_client_secret),
        ):
            if not value:
                raise SettingsError(f"{name} is missing: PORTAL_PLATFORM_URL is set, and cannot be called without it.")
        return self

    @model_validator(mode="after")
    def _way_past_the_pooler(self) -> Self:
        if self.database_pooled and self.database_direct_url is None:
            raise SettingsError(
                "PORTAL_DATABASE_DIRECT_URL is missing: PORTAL_DATABASE_POOLED is set, and migrations and the worker's "
                "LISTEN need a way past the pooler."
            )
        return self

    @model_validator(mode="after")
    def _safe_production(self) -> Self:
        if self.environment is Environment.EMBEDDED:
            return self
        for name, value, why in (
            ("PORTAL_DATABASE_URL", self.database_url, "names the PostgreSQL to use"),
            ("PORTAL_SECRET_KEYS", self.secret_keys, "signs the links in mails"),
            ("PORTAL_SMTP_URL", self.smtp_url, "names the server that sends the mails"),
            ("PORTAL_OIDC_ISSUER", self.oidc_issuer, "names who vouches for employees and applications"),
            ("PORTAL_SEAL_KEY", self.seal_key, "seals the activity log"),
        ):
            if not value:
                raise SettingsError(f"{name} is missing: it {why}, and production does not start without it.")
        for name, url in (
            ("PORTAL_OIDC_ISSUER", self.oidc_issuer),
            ("PORTAL_OIDC_JWKS_URL", self.oidc_jwks_url),
            ("PORTAL_PLATFORM_URL", self.platform_url),
            ("PORTAL_PLATFORM_TOKEN_URL", self.platform_token_url),
        ):
            if url and not url.startswith("https://"):
                raise SettingsError(f"{name} must be an https URL in production.")
        if set(self.seal_key) & set(self.secret_keys):
            raise SettingsError("PORTAL_SEAL_KEY must be a key of its own: it is one of PORTAL_SECRET_KEYS.")
        if self.platform_webhook_secret is not None and len(self.platform_webhook_secret) < MINIMUM_WEBHOOK_SECRET:
            raise SettingsError(
                f"PORTAL_PLATFORM_WEBHOOK_SECRET is weak: it needs {MINIMUM_WEBHOOK_SECRET} characters or more, "
                "made at random."
            )
        return self

    @property
    def direct_database_url(self) -> str:
        """The database without a pooler between."""
        return str(self.database_direct_url or self.database_url)

    @property
    def mailbox(self) -> Path:
        """Where mails are captured when there is no SMTP server."""
        return self.data_dir / "mailbox"

    @property
    def production(self) -> bool:
        """Whether the service runs for real."""
        return self.environment is Environment.PRODUCTION
