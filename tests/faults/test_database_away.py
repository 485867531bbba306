"""PostgreSQL is gone, silent or busy: callers are told soon, and the service is well again by itself."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

import httpx
import pytest

from app.database import Database, patiently
from app.errors import TemporarilyUnavailable
from app.ids import new_id
from app.session_tokens import new_session_token
from app.settings import Settings
from tests.api.expect import problem
from tests.journeys.test_races import at_once
from tests.support.databases import Sql
from tests.support.mail import Mailbox
from tests.support.proxy import Proxy
from tests.support.service import api_process
from tests.support.world import PASSWORD, Client, Customer, Utility, World

SOON = 8.0  # two seconds, and what a busy machine adds
AGAIN = 30.0
SETTINGS = "/organisation/portal-settings"


@pytest.fixture(scope="module")
def proxy(faults_settings: Settings) -> Iterator[Proxy]:
    """The way to PostgreSQL."""
    with Proxy(str(faults_settings.database_url)) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def far(faults_settings: Settings, proxy: Proxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An API that reaches PostgreSQL by way of the proxy, over a few connections only."""
    variables = {"PORTAL_DATABASE_URL": proxy.url, "PORTAL_DATABASE_POOL_SIZE": "3"}
    log = tmp_path_factory.mktemp("far") / "log"
    with (
        api_process(faults_settings, log, "--no-worker", **variables) as (url, _),
        httpx.Client(timeout=20, limits=httpx.Limits(max_connections=None)) as http,
    ):
        yield World(url, faults_settings, Sql(str(faults_settings.database_url)), Mailbox(), http)


def told_soon(call: Callable[[], httpx.Response]) -> None:
    """That it does not work at the moment, and when to try again."""
    started = time.monotonic()
    answer = call()
    took = time.monotonic() - started
    problem(answer, 503, "TEMPORARILY_UNAVAILABLE")
    assert int(answer.headers["Retry-After"]) >= 1
    assert took < SOON


def everybody_is_told_soon(utility: Utility, visitor: Client) -> None:
    """More callers at once than there are connections, and those who come after them."""
    calls: list[Callable[[], httpx.Response]] = [
        lambda: utility.employee().get(SETTINGS),
        lambda: utility.portal.post("/portal/sessions", {"email": "jan@example.com", "password": PASSWORD}),
        lambda: utility.portal.post("/portal/password-resets", {"email": "jan@example.com"}),
        lambda: visitor.get("/portal/me"),
        lambda: utility.world.http.get(f"{utility.world.url}/readyz"),
    ]
    for _ in range(2):
        at_once([lambda call=call: told_soon(call) for call in calls * 3])  # type: ignore[misc]
    assert utility.world.http.get(f"{utility.world.url}/healthz").status_code == 200


def nobody(utility: Utility) -> Client:
    """Somebody with what looks like a session: whether it is one, the database alone knows."""
    return Client(utility.world, {"Authorization": f"Bearer {new_session_token(utility.organisation, new_id())[0]}"})


def until_well(utility: Utility) -> None:
    """Until everything works again."""
    deadline = time.monotonic() + AGAIN
    while utility.employee().get(SETTINGS).status_code != 200:
        assert time.monotonic() < deadline, "it did not recover"
    assert utility.world.http.get(f"{utility.world.url}/readyz").status_code == 200


@pytest.mark.asvs("16.5.2")
def test_a_silent_database_is_given_up_soon_and_found_again(far: World, proxy: Proxy) -> None:
    utility = far.utility()
    at_once([lambda: utility.employee().get(SETTINGS)] * 3)  # all connections are there, and will be silent
    proxy.hold()
    everybody_is_told_soon(utility, nobody(utility))
    proxy.pass_on()
    until_well(utility)


def test_a_lost_database_is_told_at_once_and_found_again(far: World, proxy: Proxy) -> None:
    utility = far.utility()
    proxy.cut()
    everybody_is_told_soon(utility, nobody(utility))
    proxy.pass_on()
    until_well(utility)


def test_whoever_waits_for_a_lock_or_a_connection_waits_no_longer(far: World) -> None:
    utility = far.utility()
    with far.sql.holding("LOCK TABLE organisations IN ACCESS EXCLUSIVE MODE"):
        at_once([lambda: told_soon(lambda: utility.employee().get(SETTINGS))] * 12)
        assert far.http.get(f"{far.url}/healthz").status_code == 200
    until_well(utility)


def test_what_was_cut_off_is_there_whole_or_not_at_all(far: World, proxy: Proxy) -> None:
    utility = far.utility()
    customers = [utility.customer() for _ in range(6)]

    def invite(customer: Customer) -> int:
        return utility.employee().post(f"{customer.path}/invitations").status_code

    def cut_in_the_middle() -> int:
        time.sleep(0.1)
        proxy.cut()
        return 503

    for _ in range(4):
        proxy.delay(0.02)
        until_well(utility)
        statuses = at_once([*(partial(invite, customer) for customer in customers), cut_in_the_middle])
        assert set(statuses) <= {201, 503}
    proxy.pass_on()
    until_well(utility)
    for customer in customers:
        written = [far.sql.value(counted, customer.id) for counted in WRITTEN]
        assert len(set(written)) == 1, written


# What an invitation consists of.
WRITTEN = (
    "SELECT count(*) FROM tokens WHERE customer_id = $1",
    "SELECT count(*) FROM communications WHERE customer_id = $1",
    "SELECT count(*) FROM activities WHERE customer_id = $1 AND type = 'PortalInvitationSent'",
    """SELECT count(*) FROM communications AS mail JOIN pgqueuer
    ON convert_from(payload, 'UTF8')::jsonb ->> 'communicationId' = mail.id::text WHERE customer_id = $1""",
)


def on_database(settings: Settings, work: Callable[[Database], Awaitable[None]]) -> None:
    async def connected() -> None:
        database = await Database.connect(str(settings.database_url), settings)
        await work(database)
        await database.close()

    asyncio.run(asyncio.wait_for(connected(), 20))


async def nap(database: Database, seconds: float) -> None:
    async with database.transaction(None) as connection:
        await connection.queue(lambda driver: driver.execute(f"SELECT pg_sleep({seconds}) /* nap */"))


def test_an_answer_that_takes_too_long_is_given_up_on_the_server_too(faults_settings: Settings) -> None:
    sql = Sql(str(faults_settings.database_url))
    napping = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%/* nap */' AND state = 'active'"

    async def work(database: Database) -> None:
        with pytest.raises(TemporarilyUnavailable):
            await nap(database, 15)
        for _ in range(200):
            if not await asyncio.to_thread(sql.value, f"{napping} AND pid <> pg_backend_pid()"):
                break
            await asyncio.sleep(0.02)
        else:
            pytest.fail("the server works on, though nobody waits")
        await nap(database, 0)

    on_database(faults_settings.model_copy(update={"database_pool_size": 1, "database_wait_seconds": 0.5}), work)


def test_jobs_have_the_time_that_callers_have_not(faults_settings: Settings) -> None:
    async def work(database: Database) -> None:
        with patiently():
            await nap(database, 1)
        with pytest.raises(TemporarilyUnavailable):
            await nap(database, 1)

    on_database(faults_settings.model_copy(update={"database_wait_seconds": 0.5}), work)
