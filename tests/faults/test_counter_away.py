"""The server of the shared counters is away: calls go on, each process counts for itself, and the log says so."""

from pathlib import Path

import httpx

from app.settings import Settings
from tests.support.databases import Sql
from tests.support.mail import Mailbox
from tests.support.service import Process, environment, free_port, wait_until_ready
from tests.support.world import World


def test_calls_go_on_to_a_limit_without_the_shared_counter(faults_settings: Settings, tmp_path: Path) -> None:
    port, nobody = free_port(), free_port()
    variables = environment(
        faults_settings,
        PORTAL_RATE_LIMIT_URL=f"redis://:geheim@127.0.0.1:{nobody}/0",
        PORTAL_ERROR_REPORTS_PER_MINUTE="3",
    )
    process = Process(["serve", "--port", str(port), "--no-worker"], variables, tmp_path / "log")
    try:
        wait_until_ready(f"http://127.0.0.1:{port}")
        with httpx.Client(timeout=20) as http:
            world = World(
                f"http://127.0.0.1:{port}", faults_settings, Sql(str(faults_settings.database_url)), Mailbox(), http
            )
            portal = world.utility().portal
            statuses = [portal.post("/portal/error-reports", {"page": "/a"}).status_code for _ in range(5)]
        assert statuses == [202, 202, 202, 429, 429]
        assert process.output.count("shared counter away") == 1, "told once in a while, not for every call"
        assert "geheim" not in process.output
    finally:
        process.stop()
