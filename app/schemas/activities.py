"""Entries of the activity log."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from app.domain.activities import Activity, ActivityType, SubjectType
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
