"""Invitation batches: many customers invited by one call, a result for each."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from app.domain.accounts import PortalStatus
from app.domain.callers import Actor, Seen
from app.domain.cards import Standing, invitation_refusal
from app.errors import CustomerDoesNotExist, UserAlreadyExists

MOST_CUSTOMERS = 100_000


class BatchStatus(StrEnum):
    """Where a batch stands."""

    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"


class BatchOutcome(StrEnum):
    """What became of one customer of a batch; of a dry run, what would."""

    INVITED = "invited"
    SKIPPED = "skipped"
    FAILED = "failed"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class BatchCounts:
    """How many customers were asked for, and what became of them."""

    requested: int
    invited: int
    skipped: int
    failed: int

    @property
    def pending(self) -> int:
        """How many have no outcome yet."""
        return self.requested - self.invited - self.skipped - self.failed

    def payload(self) -> dict[str, int]:
        """As the log tells them."""
        return {
            "requested": self.requested,
            "invited": self.invited,
            "skipped": self.skipped,
            "failed": self.failed,
            "pending": self.pending,
        }


@dataclass(frozen=True, slots=True)
class InvitationBatch:
    """A batch. `seen` is the call that started it: every invitation of the batch is told as part of that."""

    id: UUID
    status: BatchStatus
    only_validate: bool
    language: str | None
    counts: BatchCounts
    created_by: Actor
    seen: Seen
    created_at: datetime
    finished_at: datetime | None

    @property
    def running(self) -> bool:
        """Whether its customers are still being invited."""
        return self.status is BatchStatus.RUNNING


@dataclass(frozen=True, slots=True)
class CustomerFilter:
    """Which of the organisation's customers; None means whoever."""

    portal_status: PortalStatus | None = None
    invited: bool | None = None
    invited_before: datetime | None = None
    language: str | None = None
    q: str | None = None


@dataclass(frozen=True, slots=True)
class NewBatch:
    """What a batch is asked to do. `customers` are their ids, their account numbers, or a filter."""

    customers: tuple[UUID, ...] | tuple[str, ...] | CustomerFilter
    only_validate: bool = False
    language: str | None = None


@dataclass(frozen=True, slots=True)
class BatchResult:
    """One customer of a batch, at the place where it was asked for, and why it came out like this."""

    place: int
    customer_id: UUID | None
    account_number: str | None
    outcome: BatchOutcome
    key: str | None


@dataclass(frozen=True, slots=True)
class PendingItem:
    """A customer whose turn in a batch has come, and where they stand with the portal; None: not known any more."""

    place: int
    customer_id: UUID
    standing: Standing | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to become of a customer of a batch."""

    outcome: BatchOutcome
    key: str | None = None

    @classmethod
    def on(cls, standing: Standing | None) -> "Verdict":
        """By the rule of the single invitation. Who has an account needs no invitation: that is no failure."""
        refusal = invitation_refusal(standing) if standing else CustomerDoesNotExist()
        if refusal is None:
            return cls(BatchOutcome.INVITED)
        return cls(BatchOutcome.SKIPPED if isinstance(refusal, UserAlreadyExists) else BatchOutcome.FAILED, refusal.key)
