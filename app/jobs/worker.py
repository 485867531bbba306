"""The job worker: pgqueuer on a small pool of its own, restarted when PostgreSQL was away.

Several workers share the queue. A killed worker's jobs are taken over once its heartbeat is missed; a job may
therefore run twice, and every job can bear that.
"""

import asyncio
import json
import signal
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
import structlog
from pgqueuer import PgQueuer
from pgqueuer.errors import RetryRequested
from pgqueuer.models import Job as QueuedJob
from pgqueuer.models import Schedule
from pgqueuer.queries import Queries

from app.database import FAULTS, patiently
from app.errors import TemporarilyUnavailable

Handler = Callable[[dict[str, Any]], Awaitable[timedelta | None]]
"""Does a job; answers how long to wait before the next try, or None when there is nothing left to do."""

_log = structlog.get_logger(__name__)

_HEARTBEAT = timedelta(seconds=10)  # a killed worker's jobs are taken over about this long after its death
_LONGEST_PAUSE = 10.0
_LAST_SECONDS = 8.0  # for the jobs at hand, once a worker is told to stop; containers are killed after ten
_ANSWER_SECONDS = 10.0  # a queue that says nothing for so long is looked for anew
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=5), timedelta(hours=1)  # after a fault of a job

_TIDY_SECONDS = 3600
_LOG_KEPT = timedelta(days=7)
_SHORTEN_BATCH = 10_000
_SHORTEN_LOG = f"""
WITH outdated AS (
    DELETE FROM pgqueuer_log WHERE id = ANY(ARRAY(
        SELECT id FROM pgqueuer_log WHERE created < now() - $1::interval LIMIT {_SHORTEN_BATCH}
        FOR UPDATE SKIP LOCKED))
    RETURNING 1)
SELECT count(*) FROM outdated
"""  # noqa: S608 - a constant of ours
_TAKE_UP_SECONDS = 10
# One job of a key may wait at a time: another one that waits does for both.
_GIVE_BACK = """
UPDATE pgqueuer AS held SET status = 'queued', execute_after = now(), updated = now(), queue_manager_id = NULL
WHERE held.status = 'failed' AND NOT EXISTS (
    SELECT FROM pgqueuer AS other
    WHERE other.dedupe_key = held.dedupe_key AND other.id <> held.id
        AND (other.status IN ('queued', 'picked') OR other.status = 'failed' AND other.id < held.id))
"""


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """How many jobs are taken at a time, how often the queue is looked at beside its notifications."""

    batch: int = 10
    look: timedelta = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Regular:
    """A job that is put into the queue by the clock: at the times of a cron expression, in UTC."""

    job: str
    cron: str


class Worker:
    """Works on the queue until it is told to stop."""

    def __init__(self, url: str, handlers: Mapping[str, Handler], limits: WorkerLimits, *regular: Regular) -> None:
        self._url = url
        self._handlers = handlers
        self._limits = limits
        self._regular = regular
        self._stopping = asyncio.Event()
        self._queue: PgQueuer | None = None
        self._at_hand: set[asyncio.Timeout] = set()
        self._end: float | None = None

    async def run(self) -> None:
        """Work until `stop`; when the database goes away, wait for it and go on."""
        pause = 0.5
        while not self._stopping.is_set():
            try:
                async with AsyncExitStack() as stack:
                    pool = await asyncpg.create_pool(
                        self._url, min_size=0, max_size=4, timeout=5, command_timeout=_ANSWER_SECONDS
                    )
                    stack.push_async_callback(_close, pool)
                    async with pool.acquire():
                        pass  # the pool itself opens nothing yet
                    self._queue = self._attach(pool)
                    stack.push_async_callback(_cancel, asyncio.create_task(_tidy(pool)))
                    stack.push_async_callback(_cancel, asyncio.create_task(_take_up_held(pool)))
                    if self._stopping.is_set():  # told while it was connecting
                        return
                    _log.info("worker ready")
                    pause = 0.5
                    await self._queue.run(
                        batch_size=self._limits.batch,
                        dequeue_timeout=self._limits.look,
                        heartbeat_timeout=_HEARTBEAT,
                        max_concurrent_tasks=2 * self._limits.batch,
                    )
            except Exception as fault:
                if self._stopping.is_set():
                    return
                _log.warning("worker has no database", fault=type(fault).__name__, pause_seconds=pause)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            finally:
                self._queue = None

    def stop(self) -> None:
        """Finish the jobs at hand and take no more; what is not done in time is left to another worker."""
        self._stopping.set()
        if self._end is None:  # told again, it has no more time than before
            self._end = asyncio.get_running_loop().time() + _LAST_SECONDS
            for one in self._at_hand:
                one.reschedule(self._end)
        if self._queue is not None:
            self._queue.shutdown.set()

    def _attach(self, pool: "asyncpg.Pool[asyncpg.Record]") -> PgQueuer:
        queue = PgQueuer.from_asyncpg_pool(pool)
        for name, handler in self._handlers.items():
            queue.entrypoint(name, on_failure="hold")(self._entrypoint(name, handler))
        for one in self._regular:
            queue.schedule(one.job, one.cron)(_enqueue(one.job, Queries(queue.connection)))
        return queue

    def _entrypoint(self, name: str, handler: Handler) -> Callable[[QueuedJob], Awaitable[None]]:
        async def work(job: QueuedJob) -> None:
            try:
                # Not cancelled from outside: the queue would take that for the job's end.
                async with asyncio.timeout_at(self._end) as ending:
                    self._at_hand.add(ending)
                    try:
                        with patiently():
                            wait = await handler(json.loads(job.payload or b"{}"))
                    finally:
                        self._at_hand.discard(ending)
            except TemporarilyUnavailable:
                raise RetryRequested(delay=timedelta(seconds=2), reason="database unavailable") from None
            except Exception as fault:
                if ending.expired():
                    raise RetryRequested(delay=timedelta(0), reason="the worker ends") from None
                _log.error("job failed", job=name, job_id=int(job.id), fault=type(fault).__name__, exc_info=True)
                # Never given up: waits count as attempts too, and a fault may be mended by the next release.
                wait = min(_FIRST_WAIT * 2 ** min(job.attempts, 20), _LONGEST_WAIT)
            if wait is not None:
                raise RetryRequested(delay=wait, reason="not done yet")

        return work


def _enqueue(job: str, queries: Queries) -> Callable[[Schedule], Awaitable[None]]:
    """Of all workers one is given the turn; the key keeps a turn from being given while the last is not done."""

    async def enqueue(_turn: Schedule) -> None:
        await queries.enqueue(job, None, dedupe_key=job, on_conflict="skip")

    return enqueue


async def _tidy(pool: "asyncpg.Pool[asyncpg.Record]") -> None:
    """Keep the queue's own log, which its library never shortens, as large as a week."""
    while True:
        try:
            while await pool.fetchval(_SHORTEN_LOG, _LOG_KEPT) == _SHORTEN_BATCH:
                pass
        except FAULTS as fault:
            _log.warning("queue's log not shortened", fault=type(fault).__name__)
        await asyncio.sleep(_TIDY_SECONDS)


async def _take_up_held(pool: "asyncpg.Pool[asyncpg.Record]") -> None:
    """Give jobs back to the queue that its library holds for good: the database was away when their end was written."""
    while True:
        try:
            await pool.execute(_GIVE_BACK)
        except FAULTS as fault:
            _log.warning("held jobs not taken up", fault=type(fault).__name__)
        await asyncio.sleep(_TAKE_UP_SECONDS)


async def _cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError, Exception):
        await task


async def _close(pool: "asyncpg.Pool[asyncpg.Record]") -> None:
    try:
        await asyncio.wait_for(pool.close(), 3)
    except Exception:
        pool.terminate()


async def until_told(worker: Worker) -> None:
    """Run a worker as a process's only task, until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, worker.stop)
    await worker.run()
