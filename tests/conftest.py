"""One migrated template database, a copy and a running service for each test worker, a new utility for each test."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from compileall import compile_dir
from pathlib import Path

import httpx
import pytest

from tests.support import mail_provider, platform
from tests.support.databases import Sql, drop, fresh_copy, postgres
from tests.support.mail import SmtpServer
from tests.support.service import listening, test_settings
from tests.support.world import Customer, Utility, World

_FOLDER = "PORTAL_TEST_FOLDER"


def pytest_configure(config: pytest.Config) -> None:
    """The first process makes the folder that all workers of this run share.

    It does not lie under pytest's own: that is closed to others, and as root PostgreSQL runs as another user.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell starts what runs in the background deaf to Ctrl-C; so would be what the tests start.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if not hasattr(config, "workerinput"):
        compile_dir(config.rootpath / "app", quiet=1)  # once, not by each of the processes that the tests start
        os.environ[_FOLDER] = tempfile.mkdtemp(prefix="portal-access-tests-")


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: half of the tests wait for processes that they have started."""
    return (os.cpu_count() or 1) + 1


def pytest_unconfigure(config: pytest.Config) -> None:
    """And removes it when all have ended."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop(_FOLDER), ignore_errors=True)


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """A folder that all test workers of this run share."""
    return Path(os.environ[_FOLDER])


@pytest.fixture(scope="session")
def server(shared_folder: Path) -> Iterator[str]:
    """The PostgreSQL server."""
    with postgres(shared_folder) as url:
        yield url


@pytest.fixture(scope="session")
def database(server: str, worker_id: str) -> Iterator[str]:
    """This worker's copy of the migrated template."""
    name = f"portal_test_{worker_id}"
    yield fresh_copy(server, name)
    drop(server, name)


@pytest.fixture(scope="session")
def smtp() -> Iterator[SmtpServer]:
    """A real SMTP server."""
    with SmtpServer() as running:
        yield running


@pytest.fixture(scope="session")
def world(database: str, smtp: SmtpServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The running service, its mails going to a real SMTP server."""
    settings = test_settings(
        database_url=database,
        smtp_url=smtp.url,
        data_dir=tmp_path_factory.mktemp("data"),
        mail_retry_seconds=0.2,
        mail_attempts=3,
        batch_invitations_per_minute=100_000,
        mail_events_public_key=mail_provider.PUBLIC_KEY,
        platform_webhook_secret=platform.SECRET,
    )
    with listening(settings) as (url, _), httpx.Client(timeout=20) as http:
        yield World(url, settings, Sql(database), smtp.mailbox, http)


@pytest.fixture
def utility(world: World) -> Utility:
    """A new organisation with its portal switched on."""
    return world.utility()


@pytest.fixture
def customer(utility: Utility) -> Customer:
    """A new customer without an account."""
    return utility.customer()


@pytest.fixture
def active(customer: Customer) -> Customer:
    """A customer with a confirmed account."""
    return customer.active()
