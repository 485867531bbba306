"""Impersonation sessions: what the employee says, what back office, portal and customer see of them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from app.domain.impersonations import (
    AccessMode,
    Impersonation,
    ImpersonationOverview,
    ImpersonationState,
    NewImpersonation,
)
from app.schemas.base import Answered, Given, Line, printable
from app.schemas.links import ActorBody


def _one_line(value: object) -> object:
    """A reason may be typed on several lines; it is kept on one."""
    return " ".join(value.splitlines()) if isinstance(value, str) else value


def _words(value: str) -> str:
    if not any(character.isalnum() for character in value):
        raise PydanticCustomError("VALIDATION_FAILED", "Say in words why you log in as the customer")
    return value


Reason = Annotated[
    str,
    StringConstraints(min_length=10, max_length=500, strip_whitespace=True),
    BeforeValidator(_one_line),
    AfterValidator(printable),
    AfterValidator(_words),
    Field(description="Why: 10 to 500 characters. The customer may get to see it."),
]


class StartImpersonation(Given):
    """Why an employee logs in as the customer."""

    model_config = Given.model_config | {
        "json_schema_extra": {
            "examples": [
                {
                    "reason": "Customer asks for help with an invoice",
                    "ticketReference": "T-4711",
                    "accessMode": "readonly",
                }
            ]
        }
    }

    reason: Reason
    ticket_reference: Line | None = None
    access_mode: AccessMode = Field(AccessMode.READONLY, description="`readonly` looks, `full` acts with exclusions.")

    def impersonation(self) -> NewImpersonation:
        """For the service."""
        return NewImpersonation(self.reason, self.ticket_reference, self.access_mode)


class EmployeeBody(Answered):
    """The employee who is logged in as the customer."""

    id: str
    name: str | None


class ImpersonationBody(Answered):
    """An impersonation session, alive or over."""

    id: UUID
    customer_id: UUID
    employee: EmployeeBody
    reason: str
    ticket_reference: str | None
    access_mode: AccessMode
    state: ImpersonationState
    created_date_time: datetime
    redeemed_date_time: datetime | None
    expires_date_time: datetime
    ended_date_time: datetime | None
    ended_by: ActorBody | None
    end_reason: str | None

    @classmethod
    def of(cls, one: Impersonation) -> "ImpersonationBody":
        """From the domain's impersonation."""
        return cls(
            id=one.id,
            customer_id=one.customer_id,
            employee=EmployeeBody(id=one.employee.id, name=one.employee.name),
            reason=one.reason,
            ticket_reference=one.ticket_reference,
            access_mode=one.access_mode,
            state=one.state,
            created_date_time=one.created_at,
            redeemed_date_time=one.redeemed_at,
            expires_date_time=one.expires_at,
            ended_date_time=one.ended_at,
            ended_by=ActorBody.of(one.ended_by) if one.ended_by else None,
            end_reason=one.end_reason,
        )


class StartedImpersonationBody(ImpersonationBody):
    """A new impersonation session with the link that opens the portal, which this answer alone has."""

    portal_login_url: str | None = Field(
        description="Works once, until `handoffExpiresDateTime`. Null when an answer is repeated after that."
    )
    handoff_expires_date_time: datetime

    @classmethod
    def of(cls, one: Impersonation, portal_login_url: str | None = None) -> "StartedImpersonationBody":
        """From the domain's impersonation; what is kept for a repetition comes without the link."""
        return cls(
            **dict(ImpersonationBody.of(one)),
            portal_login_url=portal_login_url,
            handoff_expires_date_time=one.handoff_expires_at,
        )


class ImpersonationOverviewBody(ImpersonationBody):
    """An impersonation session with whom it met, how long it lasted and how much was done."""

    account_number: str
    display_name: str
    duration_seconds: int | None = Field(description="From the hand-off to the end, or until now; null without one.")
    action_count: int = Field(description="What the log holds of it, but for its own beginning, end and refusals.")

    @classmethod
    def of_overview(cls, one: ImpersonationOverview) -> "ImpersonationOverviewBody":
        """From the domain's overview."""
        return cls(
            **dict(ImpersonationBody.of(one.impersonation)),
            account_number=one.account_number,
            display_name=one.display_name,
            duration_seconds=int(one.duration.total_seconds()) if one.duration is not None else None,
            action_count=one.action_count,
        )


class AccessLogEntry(Answered):
    """When an employee of the utility was logged in as the customer, and why."""

    employee_name: str | None
    reason: str
    access_mode: AccessMode
    created_date_time: datetime
    redeemed_date_time: datetime
    ended_date_time: datetime | None

    @classmethod
    def of(cls, one: Impersonation) -> "AccessLogEntry":
        """From a redeemed impersonation."""
        assert one.redeemed_at is not None  # the list holds no others
        return cls(
            employee_name=one.employee.name,
            reason=one.reason,
            access_mode=one.access_mode,
            created_date_time=one.created_at,
            redeemed_date_time=one.redeemed_at,
            ended_date_time=one.ended_at,
        )
