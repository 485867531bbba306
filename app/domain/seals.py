"""The seals of the log: a chain of signed statements about the entries that there are, one chain per organisation.

Each seal names, with the digest of every one, the entries that were committed since the seal before it. Entries stand
in the order of the transactions that wrote them, and a seal reaches no further than the oldest transaction that is
still running: an entry that is committed late always belongs to a later seal.
"""

import hashlib
import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

FORM = 1
# What an entry's digest covers, in this order. Another column needs another form, and seals of this one keep theirs.
COVERED = (
    "organisation_id",
    "id",
    "transaction",
    "type",
    "occurred_at",
    "customer_id",
    "account_number",
    "account_generation",
    "actor_type",
    "actor_id",
    "actor_name",
    "impersonation_id",
    "employee_id",
    "employee_name",
    "subject_type",
    "subject_id",
    "ip_address",
    "user_agent",
    "correlation_id",
    "payload",
)

_LAST_ID = 2**128 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ENTRY = struct.Struct(">16sq32s")  # id, microseconds since 1970, digest
_CLOCK_STEPS = timedelta(minutes=1)  # a database's clock may be set back by so much without an alarm


class SealKind(StrEnum):
    """What a seal states."""

    ENTRIES = "entries"  # these have been written
    REMOVAL = "removal"  # retention has removed these
    RESTART = "restart"  # the transactions' numbers begin anew: the database was restored elsewhere


class Place(NamedTuple):
    """Where an entry stands in the order of the log."""

    transaction: int
    id: UUID

    @classmethod
    def first_of(cls, transaction: int) -> "Place":
        """Where entries of a transaction can begin."""
        return cls(transaction, UUID(int=0))

    @property
    def next(self) -> "Place":
        """The place right after it."""
        if self.id.int == _LAST_ID:
            return Place.first_of(self.transaction + 1)
        return Place(self.transaction, UUID(int=self.id.int + 1))


START = Place.first_of(0)
NEVER = 2**63  # no transaction will ever have this number


@dataclass(frozen=True, slots=True)
class Moment:
    """The database's transactions and its clock at one moment."""

    oldest: int  # every transaction before this one is over
    next: int  # no transaction from this one on has begun
    now: datetime


class SealedEntry(NamedTuple):
    """What a seal says of an entry."""

    id: UUID
    occurred_at: datetime
    digest: bytes

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "SealedEntry":
        """As the entry stands in the log."""
        written = json.dumps([row[name] for name in COVERED], default=_plain, sort_keys=True, separators=(",", ":"))
        return cls(row["id"], row["occurred_at"], hashlib.sha256(written.encode()).digest())


def pack(entries: Iterable[SealedEntry]) -> bytes:
    """A list of entries, as it is kept and signed."""
    return b"".join(_ENTRY.pack(one.id.bytes, _microseconds(one.occurred_at), one.digest) for one in entries)


def unpack(packed: bytes) -> list[SealedEntry]:
    """The list again."""
    return [
        SealedEntry(UUID(bytes=entry_id), _EPOCH + timedelta(microseconds=at), digest)
        for entry_id, at, digest in _ENTRY.iter_unpack(packed)
    ]


@dataclass(frozen=True, slots=True)
class Seal:
    """One link of the chain. All of it but the signature is signed."""

    organisation_id: UUID
    sequence: int
    kind: SealKind
    form: int
    previous: bytes  # digest of the seal before
    begins: Place  # it covers what stands from here …
    ends: Place  # … to right before here
    since: datetime | None  # and occurred later than this: the earlier is covered by seals from before a restart
    oldest_unborn: int  # when it was made, no transaction from this number on had begun …
    as_of: datetime | None  # … and this was the time
    sealed_at: datetime
    entries: int
    first_at: datetime | None
    last_at: datetime | None
    list_digest: bytes  # of the list of the entries
    newest_at: datetime | None  # of all entries up to this seal
    removed_before: datetime | None  # up to this seal, retention has removed what occurred before this
    signature: bytes = b""

    @classmethod
    def before_all(cls, organisation_id: UUID) -> "Seal":
        """What the first seal of an organisation follows."""
        return cls(
            organisation_id=organisation_id,
            sequence=0,
            kind=SealKind.ENTRIES,
            form=FORM,
            previous=b"",
            begins=START,
            ends=START,
            since=None,
            oldest_unborn=0,
            as_of=None,
            sealed_at=_EPOCH,
            entries=0,
            first_at=None,
            last_at=None,
            list_digest=b"",
            newest_at=None,
            removed_before=None,
        )

    def content(self) -> bytes:
        """What is signed."""
        values = [getattr(self, field.name) for field in fields(self) if field.name != "signature"]
        return json.dumps(["portal-access seal", *values], default=_plain, separators=(",", ":")).encode()

    def digest(self) -> bytes:
        """What names this very seal."""
        return hashlib.sha256(self.content()).digest()

    @property
    def head(self) -> str:
        """The seal's name for people who keep it elsewhere: whoever still finds it has lost nothing up to it."""
        return f"{self.organisation_id}:{self.sequence}:{self.digest().hex()}"

    def covers(self, occurred_at: datetime) -> bool:
        """Whether an entry at this place in the order is this seal's, by its time."""
        return self.since is None or occurred_at > self.since

    def followed_by(self, kind: SealKind, sealed_at: datetime, listed: Sequence[SealedEntry]) -> "Seal":
        """The next seal, which covers nothing new as yet."""
        times = [one.occurred_at for one in listed]
        return replace(
            self,
            sequence=self.sequence + 1,
            kind=kind,
            form=FORM,
            previous=self.digest(),
            begins=self.ends,
            sealed_at=sealed_at,
            entries=len(listed),
            first_at=min(times, default=None),
            last_at=max(times, default=None),
            list_digest=hashlib.sha256(pack(listed)).digest(),
            signature=b"",
        )

    def with_entries(self, listed: Sequence[SealedEntry], ends: Place, moment: Moment) -> "Seal":
        """The next seal, which covers these entries: all there are before that place."""
        made = self.followed_by(SealKind.ENTRIES, moment.now, listed)
        known = [at for at in (self.newest_at, made.last_at) if at is not None]
        made = replace(made, ends=ends, newest_at=max(known, default=None))
        if self.outlived(moment):
            return made  # its entries are from before, when the numbers were others
        return replace(made, oldest_unborn=moment.next, as_of=moment.now)

    def with_removal(self, removed: Sequence[SealedEntry], before: datetime, now: datetime) -> "Seal":
        """The next seal, which says that retention has removed these, and may have removed what is as old."""
        made = self.followed_by(SealKind.REMOVAL, now, removed)
        return replace(made, removed_before=max(before, self.removed_before or before))

    def restarted(self, moment: Moment) -> "Seal":
        """The next seal, which begins the order anew; what has occurred until now keeps its seals."""
        made = self.followed_by(SealKind.RESTART, moment.now, ())
        since = min(self.newest_at or moment.now, moment.now)
        return replace(made, ends=START, since=since, oldest_unborn=moment.next, as_of=moment.now)

    def outlived(self, moment: Moment) -> bool:
        """Whether the transactions' numbers have begun anew after this seal, which no running database does."""
        return self.ends.transaction >= moment.next

    def follows(self, before: "Seal") -> bool:
        """Whether this is the seal right after that one."""
        return self.sequence == before.sequence + 1 and self.previous == before.digest()

    def contradicts(self, transaction: int, occurred_at: datetime) -> bool:
        """Whether an entry claims to be older than this seal, though its transaction began after it."""
        if self.as_of is None:
            return False
        return transaction >= self.oldest_unborn and occurred_at < self.as_of - _CLOCK_STEPS

    def keeps(self, occurred_at: datetime) -> bool:
        """Whether no retention up to this seal has removed an entry of this age."""
        return self.removed_before is None or occurred_at >= self.removed_before


class ProblemKind(StrEnum):
    """What is wrong with the log."""

    CHANGED = "changed"
    REMOVED = "removed"
    INSERTED = "inserted"
    SEAL_BROKEN = "sealbroken"


@dataclass(frozen=True, slots=True)
class LogProblem:
    """One thing that is wrong with the log."""

    kind: ProblemKind
    message: str
    activity_id: UUID | None = None
    seal: int | None = None
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verification:
    """What comparing a log with its seals has shown. `checked` entries were there and as they were sealed."""

    checked: int
    first_at: datetime | None
    last_at: datetime | None
    sealed_until: datetime | None
    removed: int
    removed_before: datetime | None
    head: str | None
    problems: tuple[LogProblem, ...]

    @property
    def verified(self) -> bool:
        """Whether the log is complete and unchanged."""
        return not self.problems


def _microseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


def _plain(value: object) -> object:
    """What JSON has no word for."""
    if isinstance(value, datetime):
        return _microseconds(value)
    if isinstance(value, bytes):
        return value.hex()
    return str(value)
