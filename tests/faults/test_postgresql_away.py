"""PostgreSQL is killed, restarted, silent: calls are told to come back, nothing is half committed, and work goes on."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.faults.crowd import Crowd
from tests.faults.ledger import problems
from tests.faults.load import Load
from tests.faults.postgres import OwnPostgres, own_postgres
from tests.journeys.reading import links_to, refusal, wait_for_jobs
from tests.journeys.test_races import at_once
from tests.support.databases import Sql
from tests.support.mail import SmtpServer
from tests.support.service import free_port, test_settings
from tests.support.world import Client, Customer, Utility, World

BOUND = 10  # seconds: several times of what it takes, for the machine may be busy


@pytest.fixture(scope="module")
def postgres(shared_folder: Path) -> Iterator[OwnPostgres]:
    """Not under pytest's folder, which is closed to the user that PostgreSQL runs as."""
    with own_postgres(shared_folder / f"away-{free_port()}") as server:
        yield server


@pytest.fixture(scope="module")
def utility(postgres: OwnPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Utility]:
    """An organisation of a whole installation on that server."""
    folder = tmp_path_factory.mktemp("away")
    settings = test_settings(database_url=postgres.url, data_dir=folder)
    with SmtpServer() as smtp, Crowd(settings, smtp.url, folder).running() as crowd, httpx.Client(timeout=20) as http:
        yield World(crowd.nodes[0].url, settings, Sql(postgres.url), smtp.mailbox, http).utility()


def status(utility: Utility, path: str) -> int:
    return utility.world.http.get(f"{utility.world.url}{path}").status_code


def until_ready(utility: Utility) -> None:
    deadline = time.monotonic() + BOUND
    while status(utility, "/readyz") != 200:
        assert time.monotonic() < deadline, "the service did not come back"
        time.sleep(0.05)


def is_told_to_come_back(call: Callable[[], httpx.Response]) -> None:
    started = time.monotonic()
    answer = call()
    assert refusal(answer) == (503, "TEMPORARILY_UNAVAILABLE")
    assert int(answer.headers["Retry-After"]) >= 1
    assert time.monotonic() - started < BOUND


def everyone_is_told_to_come_back(customer: Customer, own: Client, **headers: str) -> None:
    """What callers hear while the database does not answer: nobody waits for long, and nobody gets in."""
    utility = customer.utility
    calls: list[Callable[[], httpx.Response]] = [
        lambda: utility.employee().get(customer.path),
        lambda: utility.employee().post(f"{customer.path}/password-resets", headers=headers),
        customer.log_in,
        lambda: own.get("/portal/me"),
    ]
    at_once([partial(is_told_to_come_back, call) for call in calls])
    assert (status(utility, "/healthz"), status(utility, "/readyz")) == (200, 503)


def work_goes_on(customer: Customer, own: Client) -> None:
    """The session of before is one again, and the workers that lived through it send the next mail."""
    until_ready(customer.utility)
    assert own.get("/portal/me").status_code == 200
    assert customer.utility.customer().active().card()["portalStatus"] == "active"


@pytest.mark.asvs("16.5.2")
def test_while_postgresql_is_dead_everyone_is_told_to_come_back(utility: Utility, postgres: OwnPostgres) -> None:
    customer = utility.customer().active()
    own = customer.logged_in()
    postgres.kill()
    everyone_is_told_to_come_back(customer, own)
    postgres.start()
    work_goes_on(customer, own)


@pytest.mark.asvs("16.5.2")
def test_while_postgresql_is_frozen_everyone_is_told_and_then_nothing_is_lost_or_done_twice(
    utility: Utility, postgres: OwnPostgres
) -> None:
    customer = utility.customer().active()
    own = customer.logged_in()
    invited = [utility.customer() for _ in range(5)]
    for one in invited:  # their mails are with the workers when everything stands still
        one.invite()
    once = {"Idempotency-Key": str(customer.id)}
    with postgres.frozen():
        everyone_is_told_to_come_back(customer, own, **once)
    work_goes_on(customer, own)
    again = [customer.send_reset(**once) for _ in range(2)]
    assert [answer.status_code for answer in again] == [201, 201]
    assert customer.log().count("PortalPasswordResetSent") == 1
    wait_for_jobs(utility, 60)
    for one in invited:
        assert len({mail.message["Message-ID"] for mail in utility.world.mailbox.to(one.email)}) == 1
    assert len(links_to(utility, customer.email, "reset-password")) == 1
    assert problems(utility.world.sql) == []


@pytest.mark.asvs("2.3.3", "16.5.3")
def test_a_crash_under_load_leaves_nothing_half_done(utility: Utility, postgres: OwnPostgres) -> None:
    load = Load(utility)
    with load.running(3):
        for crash in (postgres.kill, postgres.restart, postgres.kill):
            time.sleep(1.5)
            crash()
            postgres.start()
            until_ready(utility)
        time.sleep(1)
    wait_for_jobs(utility, 60)
    assert problems(utility.world.sql) == []
    mails = utility.world.sql.rows("SELECT status FROM communications")
    assert {row["status"] for row in mails} <= {"successful", "skipped"}
    for deed in ("registration 201", "login 201"):
        assert load.answers[deed] > 0, load.answers
