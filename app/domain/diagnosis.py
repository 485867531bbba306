"""What is known about a customer's trouble with the portal, and what a check makes of it (contract section 8)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.domain.activities import ActivityType
from app.domain.cards import Standing
from app.domain.customers import Contract, Document
from app.domain.impersonations import ImpersonationState
from app.domain.one_time_tokens import OneTimeToken
from app.tokens import Purpose

RECENT = timedelta(days=30)
"""How far back the checks look for failures and refusals."""


class Severity(StrEnum):
    """How much a finding is in the customer's way."""

    BLOCKING = "blocking"
    WARNING = "warning"
    INFO = "info"


class Remedy(StrEnum):
    """The operation that solves a problem; `app/schemas/diagnosis.py` knows its address."""

    SEND_INVITATION = "sendInvitation"
    SEND_PASSWORD_RESET = "sendPasswordReset"
    SEND_CONFIRMATION = "sendEmailConfirmation"
    RESET_ACCOUNT = "resetAccount"
    LOG_OUT_CUSTOMER = "logoutCustomer"
    REACTIVATE_ACCOUNT = "reactivateAccount"
    START_IMPERSONATION = "startImpersonation"
    CHANGE_CUSTOMER = "putCustomer"
    CHANGE_SETTINGS = "putPortalSettings"
    CHECK_PORTAL_URL = "checkPortalUrl"
    REGISTER = "register"


class Outcome(StrEnum):
    """What a check came to."""

    OK = "ok"
    FINDING = "finding"
    NOT_APPLICABLE = "notapplicable"


Evidence = Mapping[str, str | int | bool | datetime | None]


@dataclass(frozen=True, slots=True)
class Trouble:
    """What a check found: how bad, what shows it, and what solves it."""

    severity: Severity
    remedy: Remedy
    evidence: Evidence = field(default_factory=dict)
    account_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class RecentActivity:
    """An entry of the log within the last 30 days."""

    type: ActivityType
    at: datetime
    generation: int | None
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class UrlCheck:
    """How the portal's address answered when it was last checked; no problem means that it did."""

    url: str
    checked_at: datetime
    problem: str | None


@dataclass(frozen=True, slots=True)
class LastImpersonation:
    """The customer's newest impersonation."""

    state: ImpersonationState
    ended_at: datetime | None
    end_reason: str | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that the checks look at, as it stood at one moment.

    `open_accounts` counts the live account and imported ones that nobody has decided about; `likely_account_id` is
    the one most recently used. `generation` and `last_login_at` are those of the live account.
    """

    checked_at: datetime
    standing: Standing
    contracts: tuple[Contract, ...] = ()
    documents: tuple[Document, ...] = ()
    open_accounts: int = 0
    likely_account_id: UUID | None = None
    generation: int | None = None
    last_login_at: datetime | None = None
    last_tokens: Mapping[Purpose, OneTimeToken] = field(default_factory=dict)
    last_impersonation: LastImpersonation | None = None
    url_check: UrlCheck | None = None
    recent: tuple[RecentActivity, ...] = ()

    def newest(self, *types: ActivityType) -> datetime | None:
        """When something of these types last happened to the customer within 30 days."""
        return max((one.at for one in self.recent if one.type in types), default=None)

    def since(self, start: datetime | None, kind: ActivityType) -> list[RecentActivity]:
        """What happened of this type after a moment, within 30 days; newest first."""
        return [one for one in self.recent if one.type is kind and (start is None or one.at > start)]


Check = Callable[[Snapshot], Trouble | Outcome]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the troubleshooting tables: its code, its words, and the check behind it."""

    code: str
    problem: str
    solution: str
    check: Check


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem of this customer, and the way out."""

    row: Row
    trouble: Trouble


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Every row of the tables, judged."""

    snapshot: Snapshot
    findings: tuple[Finding, ...]
    outcomes: tuple[tuple[str, Outcome], ...]


def diagnose(snapshot: Snapshot, rows: Iterable[Row]) -> Diagnosis:
    """Judge every row; what blocks comes first."""
    findings: list[Finding] = []
    outcomes: list[tuple[str, Outcome]] = []
    for row in rows:
        result = row.check(snapshot)
        if isinstance(result, Trouble):
            findings.append(Finding(row, result))
        outcomes.append((row.code, Outcome.FINDING if isinstance(result, Trouble) else result))
    order = list(Severity)
    findings.sort(key=lambda finding: order.index(finding.trouble.severity))
    return Diagnosis(snapshot, tuple(findings), tuple(outcomes))
