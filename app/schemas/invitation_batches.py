"""Invitation batches."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from app.domain.accounts import PortalStatus
from app.domain.invitation_batches import (
    MOST_CUSTOMERS,
    BatchOutcome,
    BatchResult,
    BatchStatus,
    CustomerFilter,
    InvitationBatch,
    NewBatch,
)
from app.schemas.base import Answered, Culture, Given, Line, Moment
from app.schemas.customers import AccountNumber


class CustomerFilterGiven(Given):
    """Which of the organisation's customers; all conditions hold, and without any it is everybody."""

    portal_status: PortalStatus | None = Field(None, description="`noaccount` leaves out who would be skipped.")
    invited: bool | None = Field(None, description="Whether the customer was ever sent an invitation.")
    invited_before: Moment | None = Field(
        None, description="The last invitation was sent before this; who never had one is left out."
    )
    language: Culture | None = Field(None, description="The customer's, or the organisation's where it has none.")
    q: Line | None = Field(None, description="Part of account number, name or address, whatever its case.")


class StartInvitationBatch(Given):
    """Whom to invite: `customerIds`, `accountNumbers` or a `filter`."""

    model_config = Given.model_config | {
        "json_schema_extra": {
            "examples": [
                {"accountNumbers": ["20019188", "20019189"], "language": "nl-BE"},
                {"customerIds": ["0199d8a0-0000-7000-8000-000000000010"]},
                {"filter": {"portalStatus": "noaccount", "invited": False}, "onlyValidate": True},
            ]
        }
    }

    # The first wrong one ends the reading: a body of wrong ones would make an answer larger than itself.
    customer_ids: list[UUID] | None = Field(None, min_length=1, max_length=MOST_CUSTOMERS, fail_fast=True)
    account_numbers: list[AccountNumber] | None = Field(None, min_length=1, max_length=MOST_CUSTOMERS, fail_fast=True)
    filter: CustomerFilterGiven | None = None
    only_validate: bool = Field(False, description="A dry run: counts and reasons as they would be, and no mail.")
    language: Culture | None = Field(None, description="Of these mails. Absent: each customer's language.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if sum(way is not None for way in (self.customer_ids, self.account_numbers, self.filter)) != 1:
            raise PydanticCustomError("VALIDATION_FAILED", "Give one of customerIds, accountNumbers and filter")
        return self

    @property
    def new(self) -> NewBatch:
        """The domain's batch; who was named twice is meant once."""
        return NewBatch(self._customers(), self.only_validate, self.language)

    def _customers(self) -> tuple[UUID, ...] | tuple[str, ...] | CustomerFilter:
        if self.filter is not None:
            return CustomerFilter(**dict(self.filter))
        if self.customer_ids is not None:
            return tuple(dict.fromkeys(self.customer_ids))
        return tuple(dict.fromkeys(self.account_numbers or ()))


class BatchCountsBody(Answered):
    """How many customers were asked for, and what became of them."""

    requested: int = Field(description="Each customer once.")
    invited: int = Field(description="In a dry run: would be.")
    skipped: int = Field(description="Have an account already.")
    failed: int
    pending: int


class InvitationBatchBody(Answered):
    """A batch of invitations."""

    id: UUID
    status: BatchStatus
    only_validate: bool
    counts: BatchCountsBody
    created_date_time: datetime
    finished_date_time: datetime | None

    @classmethod
    def of(cls, batch: InvitationBatch) -> "InvitationBatchBody":
        """From the domain's batch."""
        return cls(
            id=batch.id,
            status=batch.status,
            only_validate=batch.only_validate,
            counts=BatchCountsBody(**batch.counts.payload()),
            created_date_time=batch.created_at,
            finished_date_time=batch.finished_at,
        )


class BatchResultBody(Answered):
    """One customer of a batch."""

    customer_id: UUID | None = Field(description="Null for an account number that nobody has.")
    account_number: str | None = Field(description="Null for an id that nobody has.")
    outcome: BatchOutcome
    key: str | None = Field(description="Why not invited, such as `USER_ALREADY_EXISTS`.")

    @classmethod
    def of(cls, result: BatchResult) -> "BatchResultBody":
        """From the domain's result."""
        return cls(
            customer_id=result.customer_id,
            account_number=result.account_number,
            outcome=result.outcome,
            key=result.key,
        )
