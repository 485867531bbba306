"""A migration arrives while customers work and a report reads: it waits for its table, and nobody waits for it."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from alembic import command

from app.migrating import config, head
from app.settings import Settings
from tests.faults.load import Load
from tests.support.databases import Sql
from tests.support.mail import SmtpServer
from tests.support.service import api_process
from tests.support.world import Utility, World

TRIES = 4
PATIENCE = 60.0  # seconds, on a machine with much else to do; whoever waits here waits without end
_NEXT = '''
"""A column of the next version"""
from alembic import op
revision, down_revision, branch_labels, depends_on = "ffffffffffff", {head!r}, None, None

def upgrade():
    op.execute("ALTER TABLE customers ADD COLUMN next text")
'''
_WAITING = """
SELECT query_start FROM pg_stat_activity
 WHERE datname = current_database() AND query LIKE 'ALTER TABLE customers%' AND wait_event_type = 'Lock'
"""


@pytest.fixture
def utility(settings_of_its_own: Settings, tmp_path: Path) -> Iterator[Utility]:
    """An organisation of a service that runs as it would."""
    with (
        SmtpServer() as smtp,
        api_process(settings_of_its_own, tmp_path / "log", PORTAL_SMTP_URL=smtp.url) as (url, _),
        httpx.Client(timeout=20) as http,
    ):
        yield World(url, settings_of_its_own, Sql(str(settings_of_its_own.database_url)), smtp.mailbox, http).utility()


def migrate_to_the_next_version(utility: Utility, folder: Path) -> None:
    """As `portal-access migrate` of that version would."""
    (folder / "next.py").write_text(_NEXT.format(head=head()))
    made = config(str(utility.world.settings.database_url))
    made.set_main_option("path_separator", "os")
    made.set_main_option("version_locations", f"migrations/versions:{folder}")
    command.upgrade(made, "head")


def until_tried(sql: Sql, times: int) -> None:
    """Until the migration has waited for its table so many times."""
    seen = set()
    deadline = time.monotonic() + PATIENCE
    while len(seen) < times:
        assert time.monotonic() < deadline, f"it tried {len(seen)} times"
        seen.add(sql.value(_WAITING))
        seen.discard(None)
        time.sleep(0.05)


def until_answered(load: Load, times: int) -> None:
    """Until so many more calls were answered, while the migration waits for its table."""
    wanted = load.answers.total() + times
    deadline = time.monotonic() + PATIENCE
    while load.answers.total() < wanted:
        assert time.monotonic() < deadline, "customers and employees wait as well"
        time.sleep(0.05)


@pytest.mark.asvs("16.5.2")
def test_a_migration_waits_for_a_long_look_and_nobody_waits_for_it(utility: Utility, tmp_path: Path) -> None:
    sql, load = utility.world.sql, Load(utility)
    with ThreadPoolExecutor(1) as threads, load.running(2):
        with sql.holding("SELECT count(*) FROM customers"):
            migrating = threads.submit(migrate_to_the_next_version, utility, tmp_path)
            until_tried(sql, 1)
            until_answered(load, 10)
            until_tried(sql, TRIES)
            until_answered(load, 10)
            assert not migrating.done()
        migrating.result(PATIENCE)
    assert sql.value("SELECT version_num FROM alembic_version") == "ffffffffffff"
    assert load.answers["registration 201"] > 0
    assert [told for told in load.answers if int(told.rpartition(" ")[2]) >= 500] == []
