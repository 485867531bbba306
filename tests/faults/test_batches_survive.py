"""Workers are killed in the middle of a batch, or work on it together: nobody is left out, nobody is invited twice.

`PORTAL_TEST_BATCH=10000` makes the first of them long.
"""

import os
import time

from tests.faults.batches import FAST, forget_heartbeats, killed_on_the_way
from tests.faults.conftest import StartWorker
from tests.faults.mail_servers import MovableSmtpServer
from tests.journeys.batches import counts, crowd, look, start
from tests.support.world import Utility

SIZE = int(os.environ.get("PORTAL_TEST_BATCH", "400"))
KILLS = 3


def test_a_batch_survives_three_kills(
    branch: Utility, mail_server: MovableSmtpServer, start_worker: StartWorker
) -> None:
    mail_server.start()
    survived = killed_on_the_way(branch, start_worker, size=SIZE, kills=KILLS)
    print(
        f"{SIZE:,} customers, the worker killed after {survived.invited_at_kills} invitations; everybody invited once,"
        f" {SIZE:,} mails and {survived.repeated} of them again, in {survived.seconds:.0f} s"
    )


def test_two_workers_at_one_batch_invite_nobody_twice(branch: Utility, start_worker: StartWorker) -> None:
    """A worker that was only slow to say that it lives goes on while another takes its job over."""
    ids = crowd(branch, 300)
    batch_id = start(branch, {"filter": {}})["id"]
    for _ in range(2):
        start_worker(**FAST)
    deadline = time.monotonic() + 120
    while look(branch, batch_id)["status"] == "running":
        forget_heartbeats(branch, "run_invitation_batch")
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert look(branch, batch_id)["counts"] == counts(invited=300)
    rows = branch.world.sql.rows(
        "SELECT customer_id, count(*) AS n FROM tokens WHERE organisation_id = $1 GROUP BY customer_id",
        branch.organisation,
    )
    assert {row["customer_id"]: row["n"] for row in rows} == dict.fromkeys(ids, 1)
    assert len(branch.log("PortalInvitationBatchFinished")) == 1


def test_a_batchs_mails_go_after_those_that_somebody_waits_for(branch: Utility, start_worker: StartWorker) -> None:
    """The mail server is down, so all of them wait."""
    batch_id = start(branch, {"customerIds": [str(branch.customer().id)]})["id"]
    start_worker()
    deadline = time.monotonic() + 20
    while look(branch, batch_id)["status"] == "running":
        assert time.monotonic() < deadline
        time.sleep(0.03)
    branch.customer().invite()
    waiting = branch.world.sql.rows(
        "SELECT automatic, priority FROM pgqueuer JOIN communications"
        " ON position(convert_to(communications.id::text, 'UTF8') in payload) > 0 WHERE organisation_id = $1",
        branch.organisation,
    )
    assert {row["automatic"]: row["priority"] for row in waiting} == {True: -1, False: 0}
