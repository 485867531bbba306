"""The diagnosis of a customer's trouble with the portal."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from app.domain.diagnosis import Diagnosis, Outcome, Remedy, Severity
from app.schemas.base import Answered

# Where each remedy is; a test holds them against the application's operations.
ADDRESSES: dict[Remedy, tuple[str, str]] = {
    Remedy.SEND_INVITATION: ("POST", "/api/portal/v1/customers/{customerId}/portal/invitations"),
    Remedy.SEND_PASSWORD_RESET: ("POST", "/api/portal/v1/customers/{customerId}/portal/password-resets"),
    Remedy.SEND_CONFIRMATION: ("POST", "/api/portal/v1/customers/{customerId}/portal/email-confirmations"),
    Remedy.RESET_ACCOUNT: ("POST", "/api/portal/v1/customers/{customerId}/portal/reset"),
    Remedy.LOG_OUT_CUSTOMER: ("POST", "/api/portal/v1/customers/{customerId}/portal/logout"),
    Remedy.REACTIVATE_ACCOUNT: (
        "POST",
        "/api/portal/v1/customers/{customerId}/portal/accounts/{accountId}/reactivate",
    ),
    Remedy.START_IMPERSONATION: ("POST", "/api/portal/v1/customers/{customerId}/portal/impersonation-sessions"),
    Remedy.CHANGE_CUSTOMER: ("PUT", "/api/portal/v1/customers/{customerId}"),
    Remedy.CHANGE_SETTINGS: ("PUT", "/api/portal/v1/organisation/portal-settings"),
    Remedy.CHECK_PORTAL_URL: ("POST", "/api/portal/v1/organisation/portal-url-checks"),
    Remedy.REGISTER: ("POST", "/api/portal/v1/portal/registrations"),
}


class RemedyBody(Answered):
    """The operation that solves the problem."""

    method: str
    path: str = Field(description="With the ids of this customer filled in.")


class FindingBody(Answered):
    """A problem of this customer, what shows it, and the way out."""

    code: str
    severity: Severity
    problem: str
    solution: str
    action: RemedyBody
    evidence: dict[str, str | int | bool | datetime | None] = Field(description="The facts behind the finding.")


class CheckBody(Answered):
    """What one row of the troubleshooting tables came to."""

    code: str
    outcome: Outcome


class DiagnosisBody(Answered):
    """Every row of the troubleshooting tables, judged from live data; what blocks the customer comes first."""

    customer_id: UUID
    checked_date_time: datetime
    findings: list[FindingBody]
    checks: list[CheckBody]

    @classmethod
    def of(cls, diagnosis: Diagnosis) -> "DiagnosisBody":
        """From the domain's diagnosis."""
        customer_id = diagnosis.snapshot.standing.customer.customer_id
        return cls(
            customer_id=customer_id,
            checked_date_time=diagnosis.snapshot.checked_at,
            findings=[
                FindingBody(
                    code=finding.row.code,
                    severity=finding.trouble.severity,
                    problem=finding.row.problem,
                    solution=finding.row.solution,
                    action=_address(finding.trouble.remedy, customer_id, finding.trouble.account_id),
                    evidence=dict(finding.trouble.evidence),
                )
                for finding in diagnosis.findings
            ],
            checks=[CheckBody(code=code, outcome=outcome) for code, outcome in diagnosis.outcomes],
        )


def _address(remedy: Remedy, customer_id: UUID, account_id: UUID | None) -> RemedyBody:
    method, path = ADDRESSES[remedy]
    return RemedyBody(method=method, path=path.format(customerId=customer_id, accountId=account_id))
