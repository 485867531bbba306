"""The seals of the log, and the lists of the entries that they cover. Append-only, as the log is; a list goes when
retention has removed the last of its entries."""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Table, Text, Uuid

from app.domain.seals import SealKind
from app.models.metadata import Xid8, metadata, moment, one_of, organisation_id

activity_seals = Table(
    "activity_seals",
    metadata,
    organisation_id(),
    Column("sequence", BigInteger, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("form", Integer, nullable=False),
    Column("previous", LargeBinary, nullable=False),  # SHA-256, as the list's
    Column("begins_transaction", Xid8, nullable=False),
    Column("begins_id", Uuid, nullable=False),
    Column("ends_transaction", Xid8, nullable=False),
    Column("ends_id", Uuid, nullable=False),
    moment("since", nullable=True),
    Column("oldest_unborn", Xid8, nullable=False),
    moment("as_of", nullable=True),
    moment("sealed_at"),
    Column("entries", Integer, nullable=False),
    moment("first_at", nullable=True),
    moment("last_at", nullable=True),
    Column("list_digest", LargeBinary, nullable=False),
    moment("newest_at", nullable=True),
    moment("removed_before", nullable=True),
    Column("signature", LargeBinary, nullable=False),  # Ed25519
    one_of("kind", SealKind),
)

# 56 bytes for each entry: its id, its time, its digest.
sealed_entries = Table(
    "sealed_entries",
    metadata,
    organisation_id(),
    Column("sequence", BigInteger, primary_key=True),
    Column("list", LargeBinary, nullable=False),
)
