"""First answers to requests that carried an Idempotency-Key, kept for a day."""

from sqlalchemy import Column, Index, Integer, LargeBinary, Table, Text

from app.models.metadata import metadata, moment, organisation_id

idempotency_answers = Table(
    "idempotency_answers",
    metadata,
    organisation_id(),
    # Keyed hashes: of caller and key, and of the request itself.
    Column("key_digest", LargeBinary, primary_key=True),
    Column("request_digest", LargeBinary, nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", Text, nullable=False),  # as it was sent: jsonb would put the fields into another order
    moment("created_at", now=True),
)

Index("ix_idempotency_answers_time", idempotency_answers.c.organisation_id, idempotency_answers.c.created_at)
