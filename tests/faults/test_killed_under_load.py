"""Processes are killed without warning while customers and employees work: nothing is half done and nothing is lost.

`PORTAL_TEST_KILLS=500` makes it long, and different at each run.
"""

import os
import random
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest

from app.settings import Settings
from tests.faults.crowd import Crowd
from tests.faults.ledger import problems
from tests.faults.load import Load
from tests.journeys.reading import wait_for_jobs
from tests.support.databases import Sql
from tests.support.mail import Mailbox, SmtpServer
from tests.support.world import World

KILLS = int(os.environ.get("PORTAL_TEST_KILLS", "6"))
TAKEOVER = 90  # seconds; a killed worker's heartbeat is missed after ten
MAILS_AT_ONCE = 10  # of one worker, so at most as many can be in the air when it is killed


def repeated(mailbox: Mailbox) -> int:
    """How many mails came again, each with the Message-ID and the links of the first time."""
    first = {}
    again = 0
    for mail in mailbox.mails:
        key = mail.message["X-Portal-Communication-Id"]
        seen = (mail.to, mail.message["Message-ID"], mail.tokens)
        again += key in first
        assert first.setdefault(key, seen) == seen
    return again


@pytest.mark.asvs("2.3.3")
def test_killed_at_any_moment_nothing_is_half_done_and_nothing_is_lost(
    settings_of_its_own: Settings, tmp_path: Path
) -> None:
    chance = random.Random() if "PORTAL_TEST_KILLS" in os.environ else random.Random(20019188)
    killed: Counter[str] = Counter()
    with (
        SmtpServer() as smtp,
        Crowd(settings_of_its_own, smtp.url, tmp_path).running() as crowd,
        httpx.Client() as http,
    ):
        sql = Sql(str(settings_of_its_own.database_url))
        loads = [Load(World(node.url, settings_of_its_own, sql, smtp.mailbox, http).utility()) for node in crowd.nodes]
        with loads[0].running(2), loads[1].running(2):
            while killed.total() < KILLS:
                time.sleep(chance.uniform(0.1, 1.5))
                member = crowd.anyone(chance)
                crowd.kill_and_restart(member)
                killed[member.name.split()[0]] += 1
        crowd.wait_until_ready()
        for load in loads:
            wait_for_jobs(load.utility, TAKEOVER)
        assert problems(sql) == []
        mails = sql.rows("SELECT id, status FROM communications")
        assert {row["status"] for row in mails} <= {"successful", "skipped"}
        arrived = {mail.message["X-Portal-Communication-Id"] for mail in smtp.mailbox.mails}
        assert {str(row["id"]) for row in mails if row["status"] == "successful"} <= arrived
        assert repeated(smtp.mailbox) <= killed["worker"] * MAILS_AT_ONCE
    told = sum((load.answers for load in loads), Counter())
    print(f"{dict(killed)} killed; {len(mails)} mails, {repeated(smtp.mailbox)} repeated; {dict(sorted(told.items()))}")
    for deed in ("invitation 201", "registration 201", "confirmation 200", "login 201"):
        assert told[deed] > 0, told
