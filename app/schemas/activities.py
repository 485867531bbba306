"""Entries of the activity log."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from app.domain.activities import Activity, ActivityType, SubjectType
from app.domain.seals import LogProblem, ProblemKind, Verification
from app.schemas.base import Answered
from app.schemas.links import ActorBody


class ImpersonationOfActivity(Answered):
    """The impersonation during which it happened."""

    session_id: UUID
    employee_id: str
    employee_name: str | None


class SubjectBody(Answered):
    """What it is about."""

    type: SubjectType
    id: UUID


class ActivityBody(Answered):
    """One entry of the append-only log."""

    id: UUID
    type: ActivityType
    occurred_date_time: datetime
    customer_id: UUID | None
    account_number: str | None
    actor: ActorBody
    impersonation: ImpersonationOfActivity | None
    subject: SubjectBody
    ip_address: str | None
    user_agent: str | None
    correlation_id: str
    payload: dict[str, Any] = Field(description="More, by type; addresses are masked, secrets never occur.")

    @classmethod
    def of(cls, activity: Activity) -> "ActivityBody":
        """From the domain's activity."""
        during = activity.impersonation
        return cls(
            id=activity.id,
            type=ActivityType(activity.type),
            occurred_date_time=activity.occurred_at,
            customer_id=activity.customer_id,
            account_number=activity.account_number,
            actor=ActorBody.of(activity.actor),
            impersonation=ImpersonationOfActivity(
                session_id=during.session_id, employee_id=during.employee_id, employee_name=during.employee_name
            )
            if during
            else None,
            subject=SubjectBody(type=activity.subject.type, id=activity.subject.id),
            ip_address=activity.ip_address,
            user_agent=activity.user_agent,
            correlation_id=activity.correlation_id,
            payload=activity.payload,
        )


class LogProblemBody(Answered):
    """One thing that is wrong with the log."""

    kind: ProblemKind = Field(
        description="`changed`, `removed` or `inserted`: an entry was. `sealbroken`: a seal is forged, changed or gone."
    )
    message: str
    activity_id: UUID | None = Field(description="The entry, unless it is a seal that is wrong.")
    seal_sequence: int | None = Field(description="The seal's place in the chain; the first is 1.")
    occurred_date_time: datetime | None = Field(description="The entry's time, as it was sealed.")

    @classmethod
    def of(cls, problem: LogProblem) -> "LogProblemBody":
        """From the domain's problem."""
        return cls(
            kind=problem.kind,
            message=problem.message,
            activity_id=problem.activity_id,
            seal_sequence=problem.seal,
            occurred_date_time=problem.occurred_at,
        )


class VerificationBody(Answered):
    """What comparing the log with its seals has shown."""

    verified: bool = Field(description="Whether everything sealed is there and unchanged, and nothing was added to it.")
    checked_entries: int = Field(description="Sealed entries that were compared with their seals.")
    first_date_time: datetime | None = Field(description="The oldest entry of the log.")
    last_date_time: datetime | None = Field(description="The newest entry of the log.")
    sealed_until_date_time: datetime | None = Field(
        description="The newest sealed entry; those after it get their seal within some minutes."
    )
    problems: list[LogProblemBody] = Field(description="At most 100: checking ends there.")

    @classmethod
    def of(cls, found: Verification) -> "VerificationBody":
        """From the domain's verification."""
        return cls(
            verified=found.verified,
            checked_entries=found.checked,
            first_date_time=found.first_at,
            last_date_time=found.last_at,
            sealed_until_date_time=found.sealed_until,
            problems=[LogProblemBody.of(one) for one in found.problems],
        )
