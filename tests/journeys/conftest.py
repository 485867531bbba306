"""More than one process of the service, and one that may ask the platform."""

from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from tests.journeys.test_races import MANY
from tests.support.databases import Sql, drop, fresh_copy
from tests.support.mail import SmtpServer
from tests.support.platform import Platform
from tests.support.service import api_process, listening, test_settings
from tests.support.world import Utility, World


@pytest.fixture(scope="module")
def nodes(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[World]]:
    """Two processes beside the tests' own service, on the same database."""
    log = tmp_path_factory.mktemp("nodes")
    with (
        api_process(world.settings, log / "first.log", "--no-worker") as (first, _),
        api_process(world.settings, log / "second.log", "--no-worker") as (second, _),
        httpx.Client(timeout=20, limits=httpx.Limits(max_connections=MANY)) as http,
    ):
        yield [replace(world, url=url, http=http) for url in (first, second)]


@pytest.fixture
def platform() -> Iterator[Platform]:
    """The platform, up and well."""
    with Platform().running() as running:
        yield running


@pytest.fixture(scope="session")
def ours(server: str, worker_id: str) -> Iterator[str]:
    """A database of its own: the other services' workers cannot ask this platform."""
    name = f"portal_platform_{worker_id}"
    yield fresh_copy(server, name)
    drop(server, name)


@pytest.fixture
def asking(
    ours: str, platform: Platform, smtp: SmtpServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Utility]:
    """A utility whose service may ask the platform."""
    settings = test_settings(
        database_url=ours,
        smtp_url=smtp.url,
        data_dir=tmp_path_factory.mktemp("data"),
        platform_timeout_seconds=3,
        **platform.settings,
    )
    with listening(settings) as (url, _), httpx.Client(timeout=20) as http:
        yield World(url, settings, Sql(ours), smtp.mailbox, http).utility()
    Sql(ours).run("DELETE FROM pgqueuer")  # nobody waits for the next test's platform


@pytest.fixture(scope="session")
def slow_world(
    server: str, worker_id: str, smtp: SmtpServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """A service whose batches invite one customer every half minute, and that two clients may watch."""
    name = f"portal_slow_{worker_id}"
    settings = test_settings(
        database_url=fresh_copy(server, name),
        smtp_url=smtp.url,
        data_dir=tmp_path_factory.mktemp("slow"),
        batch_invitations_per_minute=2,
        event_streams=2,
    )
    with listening(settings) as (url, _), httpx.Client(timeout=20) as http:
        yield World(url, settings, Sql(str(settings.database_url)), smtp.mailbox, http)
    drop(server, name)


@pytest.fixture
def slow(slow_world: World) -> Utility:
    """A new organisation of that service."""
    return slow_world.utility()
