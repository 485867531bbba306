"""A service that may call loopback and waits two seconds at most for a receiver."""

from collections.abc import Iterator

import httpx
import pytest

from tests.support.databases import Sql, drop, fresh_copy
from tests.support.mail import SmtpServer
from tests.support.receivers import Receiver, receiver
from tests.support.service import listening, test_settings
from tests.support.world import Utility, World


@pytest.fixture(scope="session")
def posting(server: str, worker_id: str, smtp: SmtpServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The running service."""
    name = f"portal_webhooks_{worker_id}"
    url = fresh_copy(server, name)
    settings = test_settings(
        database_url=url,
        smtp_url=smtp.url,
        data_dir=tmp_path_factory.mktemp("data"),
        webhook_allowed_networks="127.0.0.0/8",
        webhook_timeout_seconds=2,
    )
    with listening(settings) as (address, _), httpx.Client(timeout=20) as http:
        yield World(address, settings, Sql(url), smtp.mailbox, http)
    drop(server, name)


@pytest.fixture
def shop(posting: World) -> Utility:
    """A new organisation of that service."""
    return posting.utility()


@pytest.fixture
def inbox() -> Iterator[Receiver]:
    """A partner's receiver."""
    with receiver() as server:
        yield server
