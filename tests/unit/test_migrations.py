"""Migrations on a database of their own, and the log that nobody changes."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import pytest
from alembic import command

from app.domain.seals import Verification
from app.ids import new_id
from app.migrating import config, head, migrate
from app.repositories.unit_of_work import Transactions
from app.seal_keys import SealSigner
from app.services.log_verification import LogVerification
from app.services.sealing import Sealing
from tests.journeys.sealing import with_transactions
from tests.support.databases import Sql, drop, fresh_copy, named, run
from tests.support.service import test_settings

_THINGS = """
SELECT 'table ' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable
       || ' ' || coalesce(column_default, '') AS thing
  FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'constraint ' || conname || ' ' || pg_get_constraintdef(oid)
  FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'type ' || typname FROM pg_type
  WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'd')
ORDER BY 1
"""


@pytest.fixture
def empty(server: str, worker_id: str) -> Iterator[str]:
    """An empty database."""
    name = f"portal_migrations_{worker_id}"

    async def make(connection: asyncpg.Connection) -> None:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await connection.execute(f'CREATE DATABASE "{name}"')

    run(server, make)
    yield named(server, name)
    drop(server, name)


@pytest.fixture
def sql(server: str, worker_id: str) -> Iterator[Sql]:
    """A migrated database with one activity."""
    name = f"portal_log_{worker_id}"
    made = Sql(fresh_copy(server, name))
    made.run(
        "INSERT INTO activities (organisation_id, id, type, actor_type, actor_id, subject_type, subject_id,"
        " correlation_id) SELECT gen_random_uuid(), gen_random_uuid(), 'PortalLoggedOut', 'system', 'test',"
        " 'session', gen_random_uuid(), 'test' FROM generate_series(1, 3)"
    )
    yield made
    drop(server, name)


def _things(url: str) -> list[str]:
    return [row["thing"] for row in Sql(url).rows(_THINGS) if "alembic_version" not in row["thing"]]


def test_up_down_and_up_again_makes_the_same(empty: str) -> None:
    before = _things(empty)
    migrate(empty)
    first = _things(empty)
    assert len(first) > 100
    assert Sql(empty).value("SELECT version_num FROM alembic_version") == head()
    command.downgrade(config(empty), "base")
    assert _things(empty) == before, "nothing stays behind"
    migrate(empty)
    assert _things(empty) == first


def test_each_step_goes_down_and_up(empty: str) -> None:
    migrate(empty)
    whole = _things(empty)
    while Sql(empty).value("SELECT count(*) FROM alembic_version"):
        command.downgrade(config(empty), "-1")
    migrate(empty)
    assert _things(empty) == whole


def test_the_tables_are_those_of_the_models(empty: str) -> None:
    migrate(empty)
    command.check(config(empty))


def test_migrating_twice_changes_nothing(empty: str) -> None:
    migrate(empty)
    before = _things(empty)
    migrate(empty)
    assert _things(empty) == before


_WRITE = """
INSERT INTO activities (organisation_id, id, type, actor_type, actor_id, subject_type, subject_id, correlation_id)
SELECT $1, gen_random_uuid(), 'PortalLoggedOut', 'system', 'test', 'organisation', $1, 'test'
"""
_BUILDING = """
SELECT pid FROM pg_stat_activity WHERE datname = current_database()
   AND query LIKE 'CREATE INDEX CONCURRENTLY%' AND wait_event_type = 'Lock'
"""
_INVALID = "SELECT indexrelid::regclass::text AS name FROM pg_index WHERE NOT indisvalid"


def test_a_run_that_was_interrupted_while_it_made_an_index_is_repeated(empty: str) -> None:
    migrate(empty)
    whole, sql = _things(empty), Sql(empty)
    command.downgrade(config(empty), "a94d1e60b3f7")  # the next one begins with that index
    reader = sql.holding("SELECT count(*) FROM customers", isolation="REPEATABLE READ")
    with ThreadPoolExecutor(1) as threads, reader:
        migrating = threads.submit(migrate, empty)
        process = sql.wait_until(_BUILDING, bool)
        assert sql.value("SELECT pg_terminate_backend($1)", process)
        with pytest.raises(Exception):  # noqa: B017, PT011 - whatever the driver says of a lost connection
            migrating.result(20)
    assert sql.value("SELECT version_num FROM alembic_version") != head()
    assert sql.rows(_INVALID) == [{"name": "ix_customers_email"}]
    migrate(empty)
    assert sql.value("SELECT version_num FROM alembic_version") == head()
    assert sql.rows(_INVALID) == []
    assert _things(empty) == whole


def test_a_big_log_gets_its_seals_without_a_rewrite_and_while_others_write(empty: str) -> None:
    migrate(empty)
    sql, organisation = Sql(empty), new_id()
    command.downgrade(config(empty), "6f1c8a52e9d4")  # before the seals
    sql.run(f"{_WRITE} FROM generate_series(1, 1500)", organisation)
    file = sql.value("SELECT pg_relation_filenode('activities')")
    with ThreadPoolExecutor(1) as threads:
        with sql.holding("SELECT count(*) FROM customers", isolation="REPEATABLE READ"):
            migrating = threads.submit(migrate, empty)
            sql.wait_until(_BUILDING, bool)
            sql.run(_WRITE, organisation)
        migrating.result(20)
    assert sql.value("SELECT pg_relation_filenode('activities')") == file
    assert sql.value("SELECT count(*) FROM activities WHERE transaction = '0'") == 1500
    settings = test_settings(database_url=empty)
    signer = SealSigner(settings.secret_keys)

    async def seal_and_verify(transaction: Transactions) -> Verification:
        await Sealing(transaction, signer).seal(organisation)
        return await LogVerification(transaction, signer.verifier).verify(organisation)

    found = with_transactions(settings, seal_and_verify)
    assert (found.verified, found.checked) == (True, 1501)


def test_of_several_migrations_at_once_one_works_and_the_others_wait(empty: str) -> None:
    program = f"from app.migrating import migrate; migrate({empty!r})"
    processes = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert Sql(empty).value("SELECT version_num FROM alembic_version") == head()
    assert Sql(empty).rows(_INVALID) == []


def test_the_organisation_leads_every_key_and_index(empty: str) -> None:
    migrate(empty)
    rows = Sql(empty).rows(
        "SELECT t.relname AS of, i.relname AS name, a.attname AS first FROM pg_index x"
        " JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid"
        " JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = x.indkey[0]"
        " WHERE t.relnamespace = 'public'::regnamespace"
        " AND t.relname NOT LIKE 'pgqueuer%' AND t.relname <> 'alembic_version'"
    )
    assert len(rows) > 15
    # A portal's URL leads to its organisation, so nothing else can lead there.
    assert [row["name"] for row in rows if row["first"] != "organisation_id"] == ["ix_portal_addresses_address"]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE activities SET payload = '{}'",
        "UPDATE activities SET occurred_at = now()",
        "DELETE FROM activities",
        "TRUNCATE activities",
        "TRUNCATE activities CASCADE",
    ],
)
def test_the_log_refuses_every_change(sql: Sql, change: str) -> None:
    with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
        sql.run(change)
    assert sql.value("SELECT count(*) FROM activities") == 3


@pytest.mark.parametrize("setting", ["off", "", "true", "1", "ON"])
def test_only_the_exact_word_opens_it(sql: Sql, setting: str) -> None:
    with pytest.raises(asyncpg.RestrictViolationError):
        sql.run(f"BEGIN; SET LOCAL portal.retention = '{setting}'; DELETE FROM activities; COMMIT")
    assert sql.value("SELECT count(*) FROM activities") == 3


def test_retention_opens_it_for_its_own_transaction_and_for_deleting_only(sql: Sql) -> None:
    opened = "BEGIN; SET LOCAL portal.retention = 'on';"
    for change in ("UPDATE activities SET type = 'x'", "TRUNCATE activities"):
        with pytest.raises(asyncpg.RestrictViolationError):
            sql.run(f"{opened} {change}; COMMIT")

    async def work(connection: asyncpg.Connection) -> None:
        async with connection.transaction():
            await connection.execute("SET LOCAL portal.retention = 'on'")
            await connection.execute("DELETE FROM activities WHERE id = (SELECT id FROM activities LIMIT 1)")
        with pytest.raises(asyncpg.RestrictViolationError):
            await connection.execute("DELETE FROM activities")

    run(sql._url, work)
    assert sql.value("SELECT count(*) FROM activities") == 2
