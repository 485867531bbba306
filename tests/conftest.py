"""One migrated template database, a copy and a running service for each test worker, a new utility for each test."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.databases import Sql, drop, fresh_copy, server_url
from tests.support.mail import SmtpServer
from tests.support.service import listening, test_settings
from tests.support.world import Customer, Utility, World


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all test workers of this run share."""
    base = tmp_path_factory.getbasetemp()
    return base if worker_id == "master" else base.parent


@pytest.fixture(scope="session")
def server(shared_folder: Path) -> str:
    """The PostgreSQL server."""
    return server_url(shared_folder)


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
