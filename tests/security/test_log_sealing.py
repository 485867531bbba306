"""How the log is sealed: behind the writers' back, by several at once, whatever is killed and whoever commits late."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from app.domain.seals import START, Moment, Place
from app.ids import new_id
from app.repositories.unit_of_work import Transactions
from app.seal_keys import SealSigner
from app.services.sealing import Sealing
from tests.journeys.reading import wait_for_jobs
from tests.journeys.sealing import (
    TRANSACTIONS,
    entry,
    insert,
    old_entries,
    problems,
    remove,
    seal,
    seal_alone,
    seal_what_can_be,
    tend_alone,
    unsealed,
    verification,
    with_transactions,
)
from tests.journeys.test_races import at_once
from tests.support.world import Customer, Utility

pytestmark = pytest.mark.usefixtures("unplanned")

_WRITE = """
INSERT INTO activities (organisation_id, id, type, actor_type, actor_id, subject_type, subject_id, correlation_id)
VALUES ($1, gen_random_uuid(), 'PortalLoginFailed', 'system', 'test', 'organisation', $1, 'late')
"""
_OVER = """
SELECT transaction < pg_snapshot_xmin(pg_current_snapshot()) FROM activities WHERE organisation_id = $1
ORDER BY transaction DESC LIMIT 1
"""
_COUNT = "SELECT count(*) FROM activities WHERE organisation_id = $1"
_SEALED = "SELECT coalesce(sum(entries), 0) FROM activity_seals WHERE organisation_id = $1 AND kind = $2"


def sealed_entries(utility: Utility, kind: str = "entries") -> int:
    return int(utility.world.sql.value(_SEALED, utility.organisation, kind))


def written(utility: Utility) -> int:
    return int(utility.world.sql.value(_COUNT, utility.organisation))


@pytest.mark.asvs("16.4.2")
def test_what_is_committed_late_never_looks_inserted(customer: Customer) -> None:
    utility = customer.utility
    seal(utility)
    before = written(utility)
    with utility.world.sql.holding(_WRITE, utility.organisation):
        customer.invite()  # a younger transaction, that is over earlier
        seal_what_can_be(utility)
        assert (sealed_entries(utility), problems(utility)) == (before, [])
        assert written(utility) > before
    assert problems(utility) == []
    seal(utility)
    assert problems(utility) == []
    assert sealed_entries(utility) == written(utility)


@pytest.mark.asvs("16.4.2")
def test_a_transaction_that_began_long_ago_and_writes_now_is_not_suspected(customer: Customer) -> None:
    utility = customer.utility
    with utility.world.sql.holding("SELECT now()", isolation="REPEATABLE READ"):
        customer.invite()
        seal(utility)
    utility.world.sql.run(
        _WRITE.replace("correlation_id)", "correlation_id, occurred_at)").replace(
            "'late')", "'late', clock_timestamp() - interval '30 seconds')"
        ),
        utility.organisation,
    )
    seal(utility)
    assert problems(utility) == []


def test_what_was_rolled_back_is_not_missed(customer: Customer) -> None:
    utility = customer.utility
    utility.world.sql.run("BEGIN;" + _WRITE.replace("$1", f"'{utility.organisation}'") + "; ROLLBACK")
    seal(utility)
    assert problems(utility) == []
    assert sealed_entries(utility) == written(utility)


def test_several_sealers_at_once_make_one_chain(utility: Utility) -> None:
    old_entries(utility, timedelta(hours=1), 5_000)
    signer = SealSigner(utility.world.settings.secret_keys)

    async def work(transaction: Transactions) -> None:
        await asyncio.gather(*(Sealing(transaction, signer, batches=3).seal(utility.organisation) for _ in range(4)))

    with_transactions(utility.world.settings, work)
    seal(utility)
    assert problems(utility) == []
    assert sealed_entries(utility) == written(utility) == verification(utility)["checkedEntries"]


def test_sealing_and_retention_at_once_make_one_chain(utility: Utility) -> None:
    utility.change_settings(retentionDays=30)
    old_entries(utility, timedelta(days=31), 3_000)
    old_entries(utility, timedelta(days=29), 3_000)
    at_once([lambda: seal_alone(utility), lambda: tend_alone(utility), lambda: tend_alone(utility)])
    seal(utility)
    tend_alone(utility)
    assert problems(utility) == []
    assert sealed_entries(utility, "removal") == 3_000
    assert sealed_entries(utility) - 3_000 == written(utility) == verification(utility)["checkedEntries"]


@pytest.fixture
def ageing(customer: Customer) -> Utility:
    """An organisation of whose sealed entries most are too old, and whose newest has no seal yet but could have one."""
    utility = customer.utility
    utility.change_settings(retentionDays=30)
    old_entries(utility, timedelta(days=31), 1_500)  # so that one list names nothing else
    seal(utility)
    customer.invite()
    wait_for_jobs(utility)
    utility.world.sql.wait_until(_OVER, bool, utility.organisation)
    return utility


@pytest.mark.parametrize("table", ["activities", "activity_seals", "sealed_entries"])
@pytest.mark.parametrize("work", [seal_alone, tend_alone])
def test_killed_in_between_nothing_is_half_done_and_writers_never_waited(
    ageing: Utility, work: Callable[[Utility], None], table: str
) -> None:
    sql = ageing.world.sql
    before = (sealed_entries(ageing), sealed_entries(ageing, "removal"))
    # Its next statement that touches the table waits; there its connection is cut, as when the process dies.
    lock = "ACCESS EXCLUSIVE" if table == "activities" else "EXCLUSIVE"
    with ThreadPoolExecutor(1) as threads, sql.holding(f"LOCK TABLE {table} IN {lock} MODE"):
        killed = threads.submit(work, ageing)
        sql.wait_for_waiting(1)
        if table != "activities":
            ageing.customer().invite()
        sql.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND wait_event_type = 'Lock'"
        )
        assert killed.exception(20) is not None
    assert (sealed_entries(ageing), sealed_entries(ageing, "removal")) == before
    assert problems(ageing) == []
    seal(ageing)
    tend_alone(ageing)
    assert problems(ageing) == []
    assert sealed_entries(ageing, "removal") == 1_500
    assert sealed_entries(ageing) - 1_500 == written(ageing)


@pytest.mark.asvs("16.4.2")
def test_retention_leaves_proof_of_what_it_removed(utility: Utility) -> None:
    utility.change_settings(retentionDays=30)
    old_entries(utility, timedelta(days=31), 1_500)
    old_entries(utility, timedelta(days=29), 2)
    seal(utility)
    before = verification(utility)
    tend_alone(utility)
    after = verification(utility)
    assert (after["verified"], after["checkedEntries"]) == (True, before["checkedEntries"] - 1_500)
    (proof,) = utility.world.sql.rows(
        "SELECT entries, first_at, last_at, removed_before, now() - removed_before AS age FROM activity_seals"
        " WHERE organisation_id = $1 AND kind = 'removal'",
        utility.organisation,
    )
    assert proof["entries"] == 1_500
    assert proof["first_at"] <= proof["last_at"] < proof["removed_before"]
    assert timedelta(days=30) <= proof["age"] < timedelta(days=30, hours=1)
    lists = "SELECT count(*) FROM sealed_entries WHERE organisation_id = $1"
    assert utility.world.sql.value(lists, utility.organisation) < 3, "lists of what is gone are gone"
    tend_alone(utility)
    assert sealed_entries(utility, "removal") == 1_500, "and nothing more was to be removed"


@pytest.mark.asvs("16.4.2")
def test_retention_is_no_excuse_for_what_it_did_not_remove(utility: Utility) -> None:
    utility.change_settings(retentionDays=30)
    old_entries(utility, timedelta(days=31), 3)
    old_entries(utility, timedelta(days=29), 3)
    seal(utility)
    tend_alone(utility)
    (kept, *_) = (UUID(one["id"]) for one in utility.log("PortalLoginFailed"))
    remove(utility, kept)
    assert problems(utility) == [("removed", str(kept))]


@pytest.mark.asvs("16.4.2")
def test_what_is_removed_before_retention_does_is_missed_when_all_that_old_is_gone(utility: Utility) -> None:
    utility.change_settings(retentionDays=30)
    old_entries(utility, timedelta(days=31), 3)
    seal(utility)
    early = entry(utility, "PortalLoginFailed")
    remove(utility, early)
    assert problems(utility) == [("removed", str(early))]
    tend_alone(utility)
    assert [kind for kind, _ in problems(utility)] == ["removed"]
    assert "would have removed" in verification(utility)["problems"][0]["message"]


def test_unsealed_entries_wait_for_their_seal_before_retention_removes_them(utility: Utility) -> None:
    utility.change_settings(retentionDays=30)
    seal(utility)
    old_entries(utility, timedelta(days=31), 3)
    before = written(utility)
    assert unsealed(utility) == 3
    tend_alone(utility)
    assert written(utility) == before
    seal(utility)
    tend_alone(utility)
    assert written(utility) == before - 3


_HIGH = 10**15


@pytest.mark.asvs("16.4.2")
def test_a_log_that_was_restored_on_a_younger_server_goes_on(utility: Utility) -> None:
    """Its transactions' numbers are higher than any of the new server's."""
    sql, organisation = utility.world.sql, utility.organisation
    sql.unseen(f"UPDATE activities SET transaction = '{_HIGH}' WHERE organisation_id = $1", organisation)
    signer = SealSigner(utility.world.settings.secret_keys)

    async def seal_there(transaction: Transactions) -> None:
        async with transaction(organisation) as uow:
            head, here = await uow.seals.head(), await uow.seals.moment()
            entries = [one for _, one in await uow.seals.unsealed(START, _HIGH + 1, 1_000)]
            made = head.with_entries(entries, Place.first_of(_HIGH + 1), Moment(_HIGH + 1, _HIGH + 1, here.now))
            await uow.seals.append(replace(made, signature=signer.sign(made.content())), entries)

    with_transactions(utility.world.settings, seal_there)
    old = written(utility)
    assert problems(utility) == []
    utility.customer().invite()
    assert problems(utility) == [], "restored, and not sealed here yet"
    sealed = "SELECT sum(entries) FROM activity_seals WHERE organisation_id = $1"
    wait_for_jobs(utility)  # the mail's outcome is an entry too
    everything = written(utility)
    sql.wait_until(sealed, lambda count: count == everything, organisation, doing=lambda: seal_what_can_be(utility))
    kinds = "SELECT string_agg(kind, ' ' ORDER BY sequence) FROM activity_seals WHERE organisation_id = $1"
    assert sql.value(kinds, organisation).startswith("entries restart entries")
    assert problems(utility) == []
    assert everything > old
    oldest = entry(utility, "PortalSettingsChanged")
    for transaction in (*TRANSACTIONS, "pg_current_xact_id()"):
        forged = new_id()
        insert(utility, oldest, forged, transaction)
        assert problems(utility) == [("inserted", str(forged))]
        remove(utility, forged)
    remove(utility, oldest)
    assert problems(utility) == [("removed", str(oldest))]
