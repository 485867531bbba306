"""The daily work: what has been kept long enough goes, of this organisation and of no other."""

import asyncio
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from uuid import UUID

import httpx
import pytest

from app.ids import new_id
from app.main import running
from app.repositories.unit_of_work import Transactions
from app.seal_keys import SealSigner
from app.services.daily_work import DailyWork
from tests.journeys.reading import wait_for_jobs
from tests.journeys.sealing import enqueue, old_entries, seal
from tests.support.databases import Sql, drop, fresh_copy
from tests.support.mail import Mailbox
from tests.support.service import listening, test_settings
from tests.support.world import Customer, Utility, World


def tend(utility: Utility) -> None:
    """Let the organisation's daily work be done, when the log has been sealed."""
    seal(utility)
    enqueue(utility.world.sql, "tend_organisation", {"organisationId": str(utility.organisation)})
    wait_for_jobs(utility)


def old_left(utility: Utility) -> int:
    return int(
        utility.world.sql.value(
            "SELECT count(*) FROM activities WHERE organisation_id = $1 AND correlation_id = 'old'",
            utility.organisation,
        )
    )


def test_the_log_is_kept_for_the_organisations_period(utility: Utility) -> None:
    utility.change_settings(retentionDays=30)
    old_entries(utility, timedelta(days=29, hours=23))
    old_entries(utility, timedelta(days=30, hours=1), 3)
    tend(utility)
    assert old_left(utility) == 1
    types = [entry["type"] for entry in utility.employee().get("/organisation/activities").json()["results"]]
    assert types.count("PortalSettingsChanged") == 2, "and nothing newer was touched"


def test_without_a_period_the_log_is_kept_for_ever(utility: Utility) -> None:
    old_entries(utility, timedelta(days=36_500))
    tend(utility)
    assert old_left(utility) == 1


def test_another_organisation_keeps_its_own(utility: Utility) -> None:
    sister = Utility(utility.world, utility.tenant, new_id())
    sister.change_settings()
    stranger = utility.world.utility(retentionDays=60)
    utility.change_settings(retentionDays=30)
    for one in (utility, sister, stranger):
        old_entries(one, timedelta(days=45))
    tend(utility)
    assert [old_left(one) for one in (utility, sister, stranger)] == [0, 1, 1]
    tend(stranger)
    assert old_left(stranger) == 1


def test_much_goes_in_small_transactions_until_nothing_is_left(utility: Utility) -> None:
    utility.change_settings(retentionDays=30)
    old_entries(utility, timedelta(days=31), 12_001)
    tend(utility)
    assert old_left(utility) == 0


def test_the_log_still_refuses_everyone_else(utility: Utility) -> None:
    old_entries(utility, timedelta(days=31))
    with pytest.raises(Exception, match="append-only"):
        utility.world.sql.run("DELETE FROM activities WHERE organisation_id = $1", utility.organisation)


def test_answers_of_yesterday_go_and_those_of_today_stay(customer: Customer) -> None:
    utility = customer.utility

    def invite(key: str) -> bool:
        answer = utility.employee().post(f"{customer.path}/invitations", headers={"Idempotency-Key": key})
        assert answer.status_code == 201
        return "Idempotency-Replayed" in answer.headers

    def kept() -> int:
        return int(
            utility.world.sql.value(
                "SELECT count(*) FROM idempotency_answers WHERE organisation_id = $1", utility.organisation
            )
        )

    assert [invite("yesterday"), invite("today")] == [False, False]
    utility.world.sql.run(
        "UPDATE idempotency_answers SET created_at = created_at - interval '25 hours' WHERE organisation_id = $1"
        " AND created_at = (SELECT min(created_at) FROM idempotency_answers WHERE organisation_id = $1)",
        utility.organisation,
    )
    tend(utility)
    assert kept() == 1
    assert invite("today") is True
    assert invite("yesterday") is False


@pytest.mark.parametrize("column", ["ended_at", "expires_at"])
def test_sessions_that_ended_long_ago_go(active: Customer, column: str) -> None:
    sql = active.utility.world.sql

    def end(days: int) -> None:
        active.logged_in().delete("/portal/sessions/current")
        sql.run(
            "UPDATE sessions SET ended_at = CASE WHEN $3 = 'ended_at' THEN now() - $2::interval END,"
            " expires_at = now() - $2::interval WHERE customer_id = $1 AND ended_at > now() - interval '1 day'",
            active.id,
            timedelta(days=days),
            column,
        )

    end(91)
    end(89)
    living = active.logged_in()
    tend(active.utility)
    assert sql.value("SELECT count(*) FROM sessions WHERE customer_id = $1", active.id) == 2
    assert living.get("/portal/me").status_code == 200
    assert "PortalLoginSucceeded" in active.log(), "the log tells of them all the same"


def test_links_are_kept(customer: Customer) -> None:
    invitation = customer.invite()
    customer.utility.world.sql.run(
        "UPDATE tokens SET created_at = now() - interval '2 years', expires_at = now() - interval '2 years'"
        " WHERE id = $1",
        UUID(invitation["id"]),
    )
    tend(customer.utility)
    answer = customer.utility.employee().get(f"{customer.path}/invitations").json()
    assert [one["status"] for one in answer["results"]] == ["expired"]


@pytest.fixture(scope="module")
def quiet(server: str, worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A service on a database of its own, for what reaches every organisation there."""
    name = f"portal_plan_{worker_id}"
    url = fresh_copy(server, name)
    settings = test_settings(
        database_url=url, data_dir=tmp_path_factory.mktemp("data"), check_portals=True, portal_check_seconds=2
    )
    with listening(settings) as (address, _), httpx.Client(timeout=20) as http:
        yield World(address, settings, Sql(url), Mailbox(), http)
    drop(server, name)


def plan(world: World) -> None:
    """The schedule's turn has come."""
    enqueue(world.sql, "daily_work", {})
    deadline = time.monotonic() + 30
    while world.sql.value("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'daily_work'"):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_plan_reaches_every_organisation(quiet: World) -> None:
    utilities = [quiet.utility(retentionDays=30) for _ in range(3)]
    for utility in utilities:
        old_entries(utility, timedelta(days=31))
        seal(utility)
    plan(quiet)
    for utility in utilities:
        wait_for_jobs(utility)
        assert old_left(utility) == 0


def test_what_is_left_after_so_many_transactions_waits_its_turn(quiet: World) -> None:
    utility = quiet.utility(retentionDays=30)
    old_entries(utility, timedelta(days=31), 11_000)
    old_entries(utility, timedelta(days=40))
    seal(utility)

    async def tend_until_done() -> list[int]:
        left = [await asyncio.to_thread(old_left, utility)]
        async with running(quiet.settings) as parts:
            signer = SealSigner(quiet.settings.secret_keys)
            work = DailyWork(Transactions(parts.database), signer, check_portals=False, batches=1)
            while await work.tend(utility.organisation) is not None:
                left.append(await asyncio.to_thread(old_left, utility))
        return left

    left = asyncio.run(tend_until_done())
    assert len(left) >= 2
    for before, after in pairwise(left):
        assert 0 < before - after < 10_000
    assert old_left(utility) == 0


def test_work_for_an_unknown_organisation_is_simply_done(world: World) -> None:
    nobody = Utility(world, new_id(), new_id())
    tend(nobody)
    held = "SELECT count(*) FROM pgqueuer_log WHERE entrypoint = 'tend_organisation' AND status::text = 'exception'"
    assert world.sql.value(held) == 0


def test_the_schedules_are_known_to_the_queue(world: World) -> None:
    rows = world.sql.rows("SELECT entrypoint, expression FROM pgqueuer_schedules")
    assert {row["entrypoint"]: row["expression"] for row in rows} == {
        "daily_work": "0 3 * * *",
        "plan_seals": "*/5 * * * *",
    }
    assert world.sql.value("SELECT next_run > now() FROM pgqueuer_schedules WHERE entrypoint = 'daily_work'")
