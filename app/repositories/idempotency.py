"""First answers to repeated requests. Lives in the use case's own transaction: nothing to clean up after a kill."""

from datetime import timedelta

from sqlalchemy import Interval, LargeBinary, bindparam, delete, func, literal, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.types import BigInteger

from app.database import Connection, Statement
from app.domain.idempotency import Answer, Once, Replay
from app.errors import IdempotencyInProgress, IdempotencyKeyReused
from app.models import idempotency_answers as answers
from app.repositories.rows import ORGANISATION

KEPT = literal(timedelta(hours=24), Interval())
_KEY = bindparam("key_digest", type_=LargeBinary())

# Two statements: one alone would read from a moment before its lock, and miss an answer given in between.
_LOCK = Statement(
    select(func.pg_try_advisory_xact_lock(bindparam("lock", type_=BigInteger())).label("free")).where(
        ORGANISATION.is_not(None)
    )
)
_FIND = Statement(
    select(answers.c.request_digest, answers.c.status, answers.c.body).where(
        answers.c.organisation_id == ORGANISATION,
        answers.c.key_digest == _KEY,
        answers.c.created_at > func.now() - KEPT,
    )
)

_insert = insert(answers).values(
    organisation_id=ORGANISATION,
    key_digest=_KEY,
    request_digest=bindparam("request_digest"),
    status=bindparam("status"),
    body=bindparam("body"),
)
_REMEMBER = Statement(
    _insert.on_conflict_do_update(
        constraint="pk_idempotency_answers",
        set_={name: _insert.excluded[name] for name in ("request_digest", "status", "body")}
        | {"created_at": func.now()},
        where=answers.c.created_at <= func.now() - KEPT,
    ).returning(text("true AS remembered"))
)

# Each new answer takes a few outdated ones with it, so that the table stays as large as a day.
_outdated = (
    select(answers.c.key_digest)
    .where(answers.c.organisation_id == ORGANISATION, answers.c.created_at <= func.now() - KEPT)
    .limit(10)
    .with_for_update(skip_locked=True)
)
_FORGET = Statement(
    delete(answers).where(answers.c.organisation_id == ORGANISATION, answers.c.key_digest.in_(_outdated))
)


class Idempotency:
    """What requests with an Idempotency-Key were answered, in one organisation."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def claim(self, once: Once) -> None:
        """Take the key for this transaction.

        Raises: Replay, with the first answer; IdempotencyKeyReused; IdempotencyInProgress.
        """
        lock = int.from_bytes(once.key_digest[:8], "big", signed=True)
        claimed = await self._connection.one(_LOCK, lock=lock)
        row = await self._connection.row(_FIND, key_digest=once.key_digest)
        if row is not None:
            if row["request_digest"] != once.request_digest:
                raise IdempotencyKeyReused
            raise Replay(Answer(row["status"], row["body"]))
        if not claimed["free"]:
            raise IdempotencyInProgress

    async def remember(self, once: Once, answer: Answer) -> None:
        """Keep the first answer beside the deed.

        Raises: IdempotencyInProgress, should the row be there already; a repetition then finds the answer.
        """
        row = await self._connection.row(
            _REMEMBER,
            key_digest=once.key_digest,
            request_digest=once.request_digest,
            status=answer.status,
            body=answer.body,
        )
        if row is None:
            raise IdempotencyInProgress
        await self._connection.row(_FORGET)
