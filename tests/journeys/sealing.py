"""Work that the clock leaves to the workers, done now; the log's seals, and what is done behind their back."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from app.database import Database
from app.repositories.unit_of_work import Transactions
from app.seal_keys import SealSigner
from app.services.daily_work import DailyWork
from app.services.sealing import Sealing
from app.settings import Settings
from tests.journeys.reading import wait_for_jobs
from tests.support.databases import Sql
from tests.support.world import Utility

T = TypeVar("T")

_UNSEALED = """
SELECT count(*) FROM activities a WHERE a.organisation_id = $1 AND (a.transaction, a.id) >= coalesce(
    (SELECT ROW(s.ends_transaction, s.ends_id) FROM activity_seals s WHERE s.organisation_id = $1
     ORDER BY s.sequence DESC LIMIT 1),
    ROW('0'::xid8, '00000000-0000-0000-0000-000000000000'::uuid))
"""


def enqueue(sql: Sql, job: str, payload: dict[str, str]) -> None:
    """Put a job into the queue, as the schedule would."""
    sql.run(
        "INSERT INTO pgqueuer (priority, entrypoint, payload, status) VALUES (0, $1, convert_to($2, 'UTF8'), 'queued')",
        job,
        json.dumps(payload),
    )


def seal_what_can_be(utility: Utility) -> None:
    """One turn of the job."""
    enqueue(utility.world.sql, "seal_activities", {"organisationId": str(utility.organisation)})
    wait_for_jobs(utility)


def seal(utility: Utility) -> None:
    """Seal all that is there, once no transaction of this server is older than it."""
    deadline = time.monotonic() + 40
    while True:
        seal_what_can_be(utility)
        if not unsealed(utility):
            return
        assert time.monotonic() < deadline, "something older keeps running"
        time.sleep(0.1)


def unsealed(utility: Utility) -> int:
    """How many entries stand behind the newest seal."""
    return int(utility.world.sql.value(_UNSEALED, utility.organisation))


def with_transactions(settings: Settings, work: Callable[[Transactions], Awaitable[T]]) -> T:
    """What a process of its own would do on this database."""

    async def connected() -> T:
        database = await Database.connect(str(settings.database_url), settings)
        try:
            return await work(Transactions(database))
        finally:
            await database.close()

    return asyncio.run(connected())


def seal_alone(utility: Utility) -> None:
    """One turn of the job, in this thread."""
    settings = utility.world.settings

    async def work(transaction: Transactions) -> None:
        await Sealing(transaction, SealSigner(settings.secret_keys)).seal(utility.organisation)

    with_transactions(settings, work)


def tend_alone(utility: Utility) -> None:
    """One turn of the organisation's daily work, in this thread."""
    settings = utility.world.settings

    async def work(transaction: Transactions) -> None:
        daily_work = DailyWork(transaction, SealSigner(settings.secret_keys), check_portals=False)
        await daily_work.tend(utility.organisation)

    with_transactions(settings, work)


def old_entries(utility: Utility, age: timedelta, count: int = 1) -> None:
    """Entries of the log as they stood long ago; the log itself cannot be aged, it refuses every change."""
    utility.world.sql.run(
        "INSERT INTO activities (organisation_id, id, type, occurred_at, actor_type, actor_id, subject_type,"
        " subject_id, correlation_id) SELECT $1, gen_random_uuid(), 'PortalLoginFailed', now() - $2::interval,"
        " 'system', 'test', 'organisation', $1, 'old' FROM generate_series(1, $3)",
        utility.organisation,
        age,
        count,
    )


def behind_its_back(sql: Sql, statement: str, *arguments: object) -> None:
    """A change of one row that no trigger sees."""
    status = sql.unseen(statement, *arguments)
    assert status.endswith(" 1"), f"{status}: the test changed something else than it meant to"


def entry(utility: Utility, kind: str = "PortalInvitationSent") -> UUID:
    """The id of the newest entry of a kind."""
    return UUID(utility.log(kind)[-1]["id"])


def remove(utility: Utility, activity_id: UUID) -> None:
    """Make an entry disappear."""
    delete = "DELETE FROM activities WHERE organisation_id = $1 AND id = $2"
    behind_its_back(utility.world.sql, delete, utility.organisation, activity_id)


# Where somebody could make an entry stand in the log's order, but for where new ones stand.
TRANSACTIONS = ("transaction", "'0'", "'3'", "'9223372036854775807'", "'18446744073709551615'")
_INSERT = """
INSERT INTO activities (organisation_id, id, type, occurred_at, actor_type, actor_id, subject_type, subject_id,
    correlation_id, transaction)
SELECT organisation_id, $3, 'PortalAccountReset', occurred_at, actor_type, actor_id, subject_type, subject_id,
    'forged', CAST({} AS xid8) FROM activities WHERE organisation_id = $1 AND id = $2
"""


def insert(utility: Utility, model: UUID, forged: UUID, transaction: str) -> None:
    """Make an entry appear, as if it had been written when the model was."""
    statement = _INSERT.format(transaction)
    behind_its_back(utility.world.sql, statement, utility.organisation, model, forged)


def verification(utility: Utility) -> dict[str, Any]:
    """What the API says of the log."""
    answer = utility.employee().get("/organisation/activities/verification")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def problems(utility: Utility) -> list[tuple[str, str | None]]:
    """The kind of each problem, and the entry that has it."""
    found = verification(utility)
    assert found["verified"] is (found["problems"] == [])
    return [(one["kind"], one["activityId"]) for one in found["problems"]]
