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

_KEPT = literal(timedelta(hours=24), Interval())
_KEY = bindparam("key_digest", type_=LargeBinary())

_one = select(func.pg_try_advisory_xact_lock(bindparam("lock", type_=BigInteger())).label("free")).subquery("claim")
_CLAIM = Statement(
    select(_one.c.free, answers.c.request_digest, answers.c.status, answers.c.body).select_from(
        _one.outerjoin(
            answers,
            (answers.c.organisation_id == ORGANISATION)
            & (answers.c.key_digest == _KEY)
            & (answers.c.created_at > func.now() - _KEPT),
        )
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
        where=answers.c.created_at <= func.now() - _KEPT,
    ).returning(text("true AS remembered"))
)

# Each new answer takes a few outdated ones with it, so that the table stays as large as a day.
_outdated = (
    select(answers.c.key_digest)
    .where(answers.c.organisation_id == ORGANISATION, answers.c.created_at <= func.now() - _KEPT)
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
        row = await self._connection.one(_CLAIM, key_digest=once.key_digest, lock=lock)
        if row["request_digest"] is not None:
            if row["request_digest"] != once.request_digest:
                raise IdempotencyKeyReused
            raise Replay(Answer(row["status"], row["body"]))
        if not row["free"]:
            raise IdempotencyInProgress

    async def remember(self, once: Once, answer: Answer) -> None:
        """Keep the first answer beside the deed.

        A request that committed between our claim's snapshot and our lock shows here as a row that is there
        already.

        Raises: IdempotencyInProgress; a repetition then finds the answer.
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
