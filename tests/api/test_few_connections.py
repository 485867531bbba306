"""A database that gives the service few connections: everybody has a turn, directly and behind PgBouncer."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import pytest

from tests.journeys.batches import counts, crowd, finished, start
from tests.support.databases import Sql, drop, fresh_copy
from tests.support.mail import SmtpServer
from tests.support.pooler import PGBOUNCER, pooled
from tests.support.service import listening, test_settings
from tests.support.world import NEW_PASSWORD, Customer, World

_FEW, _CROWD = 5, 16


@pytest.fixture(
    scope="module",
    params=[
        "a pool of 5",
        pytest.param(
            "PgBouncer", marks=pytest.mark.skipif(PGBOUNCER is None, reason="pgbouncer is not installed (apt-get)")
        ),
    ],
)
def crowded(
    request: pytest.FixtureRequest,
    server: str,
    worker_id: str,
    smtp: SmtpServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    """A service with five connections, its own or PgBouncer's."""
    name = f"portal_few_{worker_id}"
    with ExitStack() as stack:
        direct = fresh_copy(server, name)
        stack.callback(drop, server, name)
        given = {"database_url": direct, "database_pool_size": _FEW}
        if request.param == "PgBouncer":
            given = {
                "database_url": stack.enter_context(pooled(direct, connections=_FEW)),
                "database_direct_url": direct,
                "database_pooled": True,
                "database_pool_size": 40,
            }
        settings = test_settings(
            smtp_url=smtp.url, data_dir=tmp_path_factory.mktemp("few"), batch_invitations_per_minute=6000, **given
        )
        url, _ = stack.enter_context(listening(settings))
        http = stack.enter_context(httpx.Client(timeout=60, limits=httpx.Limits(max_connections=_CROWD)))
        yield World(url, settings, Sql(direct), smtp.mailbox, http)


def _whole_life(customer: Customer) -> list[str]:
    """All that can happen between a customer and the portal; what the log says of it."""
    customer.active()
    portal = customer.logged_in()
    assert portal.get("/portal/me").status_code == 200
    by_employee = customer.impersonated(customer.utility.employee(subject=f"employee-{customer.number}"))
    assert by_employee.get("/portal/me").status_code == 200
    sent = customer.send_reset()
    assert sent.status_code == 201
    token = customer.utility.world.mailbox.of(sent.json()["communication"]["id"]).token
    assert customer.choose_password(token).status_code == 200
    assert portal.get("/portal/me").status_code == 401
    assert customer.log_in(password=NEW_PASSWORD).status_code == 201
    employee = customer.utility.employee()
    key = {"Idempotency-Key": str(customer.id)}
    for _ in range(2):
        assert employee.post(f"{customer.path}/reset", {"reason": "Wrong person"}, headers=key).status_code == 200
    assert customer.card()["portalStatus"] == "noaccount"
    return customer.log()


def test_a_crowd_has_its_turns(crowded: World) -> None:
    utility = crowded.utility()
    customers = [utility.customer() for _ in range(_CROWD)]
    with ThreadPoolExecutor(_CROWD) as threads:
        logs = list(threads.map(_whole_life, customers))
    assert all(log == logs[0] for log in logs)


def test_a_batch_comes_to_its_end(crowded: World) -> None:
    utility = crowded.utility()
    crowd(utility, 120)
    batch = start(utility, {"filter": {}})["id"]
    assert finished(utility, batch, seconds=60)["counts"] == counts(invited=120)


def test_nobody_waits_long_for_what_another_one_holds(crowded: World) -> None:
    customer = crowded.utility().customer()
    with crowded.sql.holding("UPDATE customers SET display_name = 'Jan' WHERE id = $1", customer.id):
        started = time.monotonic()
        refused = customer.utility.employee().post(f"{customer.path}/invitations")
        assert time.monotonic() - started < 20, "PostgreSQL itself would wait without end"
    assert (refused.status_code, refused.json()["key"]) == (503, "TEMPORARILY_UNAVAILABLE")
    assert customer.invite(), "and the next one finds the connection as it was"
