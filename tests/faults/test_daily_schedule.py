"""The daily work's turn has come: of several workers one plans it, once."""

import time
from pathlib import Path

from app.settings import Settings
from tests.faults.conftest import StartWorker
from tests.support.databases import Sql
from tests.support.service import Process, environment
from tests.support.world import World

_DAILY = "WHERE entrypoint = 'daily_work'"
_PLANNED = "SELECT count(*) FROM pgqueuer_log WHERE entrypoint = 'daily_work' AND status::text = 'queued'"


def test_workers_that_start_when_it_is_due_plan_it_once(
    api: World, faults_settings: Settings, start_worker: StartWorker, tmp_path: Path
) -> None:
    sql: Sql = api.sql
    start_worker().stop()
    assert sql.value(_PLANNED) == 0, "a new schedule waits for its hour"
    assert sql.run(f"UPDATE pgqueuer_schedules SET next_run = now() - interval '5 hours' {_DAILY}") == "UPDATE 1"
    workers = [Process(["worker"], environment(faults_settings), tmp_path / f"worker-{one}.log") for one in range(3)]
    try:
        deadline = time.monotonic() + 20
        while sql.value(_PLANNED) == 0:
            assert time.monotonic() < deadline, "missed hours are made up for"
            time.sleep(0.05)
        for worker in workers:
            worker.wait_for_line("worker ready")
        time.sleep(1)
        assert sql.value(_PLANNED) == 1
        assert sql.value(f"SELECT next_run > now() FROM pgqueuer_schedules {_DAILY}") is True
    finally:
        for worker in workers:
            worker.stop()
