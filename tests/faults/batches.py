"""Batches whose workers are killed, and whether everything adds up afterwards."""

import time
from collections import Counter
from dataclasses import dataclass
from uuid import UUID

from tests.faults.conftest import StartWorker
from tests.journeys.batches import counts, crowd, look, start
from tests.support.world import Utility

AT_ONCE = 20  # mails that a worker has in hand
FAST = {"PORTAL_BATCH_INVITATIONS_PER_MINUTE": "100000"}


@dataclass(frozen=True)
class Survived:
    """What is left to tell of a batch that went through kills."""

    invited_at_kills: list[int]
    seconds: float
    repeated: int


def forget_heartbeats(utility: Utility, entrypoint: str = "%") -> None:
    """Let so much time pass that a worker which does not tell that it lives counts as dead."""
    utility.world.sql.run(
        "UPDATE pgqueuer SET heartbeat = now() - interval '1 minute'"
        " WHERE status::text = 'picked' AND entrypoint LIKE $1",
        entrypoint,
    )


def killed_on_the_way(utility: Utility, start_worker: StartWorker, *, size: int, kills: int) -> Survived:
    """A batch of so many customers, its worker killed so often, evenly over the way; checked to the last customer."""
    ids = crowd(utility, size)
    began = time.monotonic()
    batch_id = start(utility, {"filter": {}})["id"]
    invited_at_kills = []
    for kill in range(1, kills + 1):
        worker = start_worker(**FAST)
        invited_at_kills.append(_wait_for_invited(utility, batch_id, size * kill // (kills + 1)))
        worker.kill()
        forget_heartbeats(utility)
    start_worker(**FAST)
    _wait_for_invited(utility, batch_id, size)
    _wait_for_mails(utility, size)
    seconds = time.monotonic() - began
    assert all(0 < invited < size for invited in invited_at_kills), "each kill met the batch at work"
    _check(utility, batch_id, ids)
    return Survived(invited_at_kills, seconds, _repeated(utility, size, kills))


def _wait_for_invited(utility: Utility, batch_id: str, least: int) -> int:
    deadline = time.monotonic() + 60 + least
    while (invited := int(look(utility, batch_id)["counts"]["invited"])) < least:
        assert time.monotonic() < deadline, invited
        time.sleep(0.02)
    return invited


def _wait_for_mails(utility: Utility, size: int) -> None:
    """Until every mail has come to its end."""
    open_mails = "SELECT count(*) FROM communications WHERE organisation_id = $1 AND status IN ('queued', 'sending')"
    deadline = time.monotonic() + 60 + size
    while left := utility.world.sql.value(open_mails, utility.organisation):
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def _check(utility: Utility, batch_id: str, ids: list[UUID]) -> None:
    """Nobody was left out, nobody was invited twice, and nothing tells otherwise."""
    batch = look(utility, batch_id)
    assert (batch["status"], batch["counts"]) == ("finished", counts(invited=len(ids)))
    of_customers = {
        "tokens": "SELECT customer_id, count(*) AS n FROM tokens WHERE organisation_id = $1 AND state = 'pending'",
        "mails": "SELECT customer_id, count(*) AS n FROM communications"
        " WHERE organisation_id = $1 AND status = 'successful'",
        "log": "SELECT customer_id, count(*) AS n FROM activities"
        " WHERE organisation_id = $1 AND type = 'PortalInvitationSent'",
        "sent": "SELECT customer_id, count(*) AS n FROM activities"
        " WHERE organisation_id = $1 AND type = 'PortalCommunicationSent'",
        "items": "SELECT customer_id, count(*) AS n FROM invitation_batch_items"
        " WHERE organisation_id = $1 AND outcome = 'invited' AND key IS NULL",
    }
    for name, sql in of_customers.items():
        rows = utility.world.sql.rows(f"{sql} GROUP BY customer_id", utility.organisation)
        assert {row["customer_id"]: row["n"] for row in rows} == dict.fromkeys(ids, 1), name
    for table in ("tokens", "communications"):
        sql = f"SELECT count(*) FROM {table} WHERE organisation_id = $1"
        assert utility.world.sql.value(sql, utility.organisation) == len(ids), table
    assert len(utility.log("PortalInvitationBatchStarted")) == 1
    assert len(utility.log("PortalInvitationBatchFinished")) == 1


def _repeated(utility: Utility, size: int, kills: int) -> int:
    """How many mails came again: only those in hand at a kill, each with the Message-ID and the link it had."""
    mails = list(utility.world.mailbox.mails)
    by_address = Counter(mail.to for mail in mails)
    assert len(by_address) == size
    assert len({(mail.to, mail.message["Message-ID"], mail.token) for mail in mails}) == size
    repeated = len(mails) - size
    assert repeated <= kills * AT_ONCE
    return repeated
