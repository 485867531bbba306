"""An API process without a worker, on a database of its own; workers and mail servers are each test's own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import count
from pathlib import Path

import httpx
import pytest

from app.settings import Settings
from tests.faults.mail_servers import MovableSmtpServer
from tests.support import platform
from tests.support.databases import Sql, drop, fresh_copy
from tests.support.mail import Mailbox
from tests.support.service import Process, api_process, environment, free_port, test_settings
from tests.support.world import Utility, World

StartWorker = Callable[..., Process]


@pytest.fixture(scope="session")
def faults_settings(server: str, worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings of the processes of this test worker."""
    name = f"portal_faults_{worker_id}"
    url = fresh_copy(server, name)
    yield test_settings(
        database_url=url,
        data_dir=tmp_path_factory.mktemp("data"),
        platform_webhook_secret=platform.SECRET,
        webhook_allowed_networks="127.0.0.0/8",
    )
    drop(server, name)


@pytest.fixture(scope="session")
def api(faults_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The API alone: it commits jobs and leaves them to whichever workers there are."""
    log = tmp_path_factory.mktemp("api") / "api.log"
    with api_process(faults_settings, log, "--no-worker") as (url, _), httpx.Client(timeout=20) as http:
        yield World(url, faults_settings, Sql(str(faults_settings.database_url)), Mailbox(), http)


@pytest.fixture
def settings_of_its_own(server: str, worker_id: str, tmp_path: Path) -> Iterator[Settings]:
    """A database in which nobody else writes."""
    name = f"portal_alone_{worker_id}"
    yield test_settings(database_url=fresh_copy(server, name), data_dir=tmp_path)
    drop(server, name)


@pytest.fixture
def mail_server() -> Iterator[MovableSmtpServer]:
    """A mail server that is down until it is started; its port stays its own."""
    with MovableSmtpServer(free_port()) as server:
        yield server


@pytest.fixture
def branch(api: World, mail_server: MovableSmtpServer) -> Utility:
    """A new organisation served by that API, its mails looked for at this test's mail server."""
    api.sql.run("DELETE FROM pgqueuer")  # what an earlier test left behind is nobody's work any more
    return replace(api, mailbox=mail_server.mailbox).utility()


@pytest.fixture
def start_worker(faults_settings: Settings, mail_server: MovableSmtpServer, tmp_path: Path) -> Iterator[StartWorker]:
    """Starts worker processes; variables given override the settings. All are ended with the test."""
    numbers = count()
    with ExitStack() as ending:

        def start(**variables: str) -> Process:
            given = {"PORTAL_SMTP_URL": mail_server.url, "PORTAL_MAIL_RETRY_SECONDS": "0.2"} | variables
            log = tmp_path / f"worker-{next(numbers)}.log"
            process = Process(["worker"], environment(faults_settings, **given), log)
            ending.callback(process.stop)
            process.wait_for_line("worker ready")
            return process

        yield start
