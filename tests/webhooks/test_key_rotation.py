"""The service's own keys are replaced, and webhooks' secrets stay readable as long as their key is set."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.databases import Sql, drop, fresh_copy
from tests.support.mail import Mailbox
from tests.support.receivers import Receiver
from tests.support.service import SECRET, listening, test_settings
from tests.support.world import Utility, World
from tests.webhooks.partners import Partner, partner

_NEXT = "another-secret-of-the-tests-9876543210-zyxwvu"

Serving = Callable[..., AbstractContextManager[World]]


@pytest.fixture
def serving(server: str, worker_id: str, tmp_path: Path) -> Iterator[Serving]:
    """Runs the service with these keys, one after the other on one database."""
    name = f"portal_keys_{worker_id}"
    url = fresh_copy(server, name)

    @contextmanager
    def serve(*keys: str) -> Iterator[World]:
        settings = test_settings(
            database_url=url, data_dir=tmp_path, webhook_allowed_networks="127.0.0.0/8", secret_keys=keys
        )
        with listening(settings) as (address, _), httpx.Client(timeout=20) as http:
            yield World(address, settings, Sql(url), Mailbox(), http)

    yield serve
    drop(server, name)


def hears(endpoint: Partner, inbox: Receiver, secret: str) -> bool:
    """Whether a test reaches the partner, signed by the secret."""
    sent = endpoint.do("test")["id"]
    endpoint.delivery(lambda one: one["id"] == sent and one["status"] == "delivered")
    return bool(inbox.received[-1].verified(secret))


def test_a_secret_outlives_its_key_as_long_as_the_key_is_set(serving: Serving, inbox: Receiver) -> None:
    with serving(SECRET) as world:
        shop = world.utility()
        old = partner(shop, inbox)
    with serving(_NEXT, SECRET) as world:
        shop = Utility(world, shop.tenant, shop.organisation)
        old = Partner(shop, old.created)
        assert hears(old, inbox, old.secret)
        new = partner(shop, inbox)
    with serving(_NEXT) as world:
        shop = Utility(world, shop.tenant, shop.organisation)
        old, new = Partner(shop, old.created), Partner(shop, new.created)
        assert hears(new, inbox, new.secret)
        waiting = old.do("test")["id"]
        off = old.once(lambda one: one["status"] == "disabled")
        assert "Rotate the secret" in off["disabledReason"]
        rotated = old.do("rotate-secret")["secret"]
        old.do("enable")
        old.delivery(lambda one: one["id"] == waiting and one["status"] == "delivered")
        assert inbox.received[-1].verified(rotated)
