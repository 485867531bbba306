"""Whether reads stay as fast as the log grows: `python -m benchmarks.growth`.

Two databases on one PostgreSQL, each with an API process of its own: one with 1,000 customers and 10,000 activities,
one with as many as asked for and a small neighbour organisation. The same reads go to both in turn, for customers with
nothing in the log, one entry, and many. Prints medians, their ratios (1.2 is the goal), and what rows and indexes take.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx

from app.permissions import Permission
from tests.support.databases import Sql, drop, fresh_copy, postgres
from tests.support.mail import SmtpServer
from tests.support.service import api_process, test_settings
from tests.support.world import Customer, Utility, World

_CUSTOMERS = (
    "INSERT INTO customers (organisation_id, id, account_number, display_name, email, created_at)"
    " SELECT $1, gen_random_uuid(), 'N' || n, 'Jan ' || md5(n::text), 'jan.' || n || '@example.com',"
    " now() - n * '1 minute'::interval FROM generate_series(1, $2::int) AS n"
)
_ACCOUNTS = (
    "INSERT INTO accounts (organisation_id, id, customer_id, state, generation, email, registered_at, last_active_at,"
    " email_confirmed_at) SELECT organisation_id, gen_random_uuid(), id, 'live', 1, email, created_at, created_at,"
    " created_at FROM customers WHERE organisation_id = $1 AND account_number LIKE 'N%'"
    " AND right(account_number, 1) < '6'"
)
_COLUMNS = (
    "(organisation_id, id, type, occurred_at, customer_id, account_number, actor_type, actor_id, subject_type,"
    " subject_id, ip_address, user_agent, correlation_id, payload)"
)
_ENTRY = (
    " gen_random_uuid(), (ARRAY['PortalLoginSucceeded', 'PortalInvitationSent', 'PortalLoginFailed',"
    " 'PortalPasswordChanged'])[1 + n % 4], now() - n * '31 seconds'::interval,"
)
_REST = (
    " 'customer', 'benchmark', 'account', gen_random_uuid(), '192.0.2.10', 'Mozilla/5.0', md5(n::text), '{}'"
    " FROM generate_series(1, $2::int) AS n"
)
# Everybody else's: spread over all that were generated.
_ACTIVITIES = (
    f"INSERT INTO activities {_COLUMNS} SELECT $1, {_ENTRY} everyone.ids[1 + n % cardinality(everyone.ids)], NULL,"
    f"{_REST}, (SELECT array_agg(id) AS ids FROM customers WHERE organisation_id = $1"
    " AND account_number LIKE 'N%') AS everyone"
)
_OF_ONE = f"INSERT INTO activities {_COLUMNS} SELECT $1, {_ENTRY} $3, NULL,{_REST}"
_SIZES = (
    "SELECT relname, pg_relation_size(oid) AS heap, pg_indexes_size(oid) AS indexes, greatest(reltuples, 1) AS rows"
    " FROM pg_class WHERE relname IN ('activities', 'customers', 'accounts') ORDER BY 1"
)

Read = Callable[[], httpx.Response]


@dataclass(frozen=True)
class Stage:
    """An organisation with a customer of each kind; what is read there, by name."""

    utility: Utility
    none: Customer
    one: Customer
    many: Customer

    @classmethod
    def at(cls, world: World, customers: int, activities: int, of_one: int) -> "Stage":
        utility = world.utility()
        none, one, many = utility.customer(), utility.customer(), utility.customer().active()
        sql = utility.world.sql
        sql.run(_CUSTOMERS, utility.organisation, customers)
        sql.run(_ACCOUNTS, utility.organisation)
        for begun in range(0, activities, 1_000_000):
            sql.run(_ACTIVITIES, utility.organisation, min(1_000_000, activities - begun))
        sql.run(_OF_ONE, utility.organisation, 1, one.id)
        sql.run(_OF_ONE, utility.organisation, of_one, many.id)
        return cls(utility, none, one, many)

    def reads(self) -> Iterator[tuple[str, Read]]:
        clerk = self.utility.employee()
        for kind, customer in (("none", self.none), ("one", self.one), ("many", self.many)):
            for name, path in (
                ("card", ""),
                ("activities", "/activities?pageSize=50"),
                ("activities of a type", "/activities?pageSize=50&type=PortalImpersonationStarted"),
                ("diagnosis", "/diagnosis"),
                ("invitations", "/invitations"),
            ):
                yield f"{name}, {kind}", partial(clerk.get, customer.path + path)
        path = f"{self.many.path}/activities?pageSize=50"
        for _ in range(20):
            path = f"{self.many.path}/activities?pageSize=50&continuationToken=" + str(
                clerk.get(path).json()["nextPageToken"]
            )
        yield "activities, 20 pages back, many", lambda: clerk.get(path)
        yield "organisation's activities", lambda: clerk.get("/organisation/activities?pageSize=50")
        rare = "/organisation/activities?pageSize=50&type=PortalImpersonationStarted"
        yield "organisation's activities of a type", lambda: clerk.get(rare)
        yield "organisation's accounts", lambda: clerk.get("/organisation/portal-accounts?pageSize=50")
        session = self.many.logged_in()
        yield "me", lambda: session.get("/portal/me")
        service = self.utility.employee(None, Permission.PORTAL_INTROSPECT)
        token = session.headers["Authorization"].removeprefix("Bearer ")
        world, headers = self.utility.world, service.headers
        url = f"{world.url}/api/portal/v1/portal/sessions/introspect"
        yield "introspection", lambda: world.http.post(url, data={"token": token}, headers=headers)


def measure(small: Stage, large: Stage, samples: int) -> None:
    """Each read in turn on both, and the table of it."""
    print("| read | small, ms | large, ms | ratio |\n|---|---|---|---|")
    for (name, first), (_, second) in zip(small.reads(), large.reads(), strict=True):
        seconds: tuple[list[float], list[float]] = ([], [])
        for _ in range(samples):
            for read, into in zip((first, second), seconds, strict=True):
                started = time.perf_counter()
                answer = read()
                into.append(time.perf_counter() - started)
                assert answer.status_code == 200, answer.text
        before, after = (statistics.median(part) * 1e3 for part in seconds)
        print(f"| {name} | {before:.2f} | {after:.2f} | {after / before:.2f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--activities", type=int, default=10_000_000)
    parser.add_argument("--of-one", type=int, default=100_000, help="entries of the customer who has many")
    parser.add_argument("--samples", type=int, default=200, help="of each read, on each side")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="portal-access-benchmark-"))
    try:
        with ExitStack() as stack:
            server = stack.enter_context(postgres(folder))
            smtp = stack.enter_context(SmtpServer())
            http = stack.enter_context(httpx.Client(timeout=60))
            worlds = []
            for name in ("portal_small", "portal_large"):
                url = fresh_copy(server, name)
                stack.callback(drop, server, name)
                settings = test_settings(
                    database_url=url, smtp_url=smtp.url, data_dir=folder / name, database_wait_seconds=30
                )
                address, _ = stack.enter_context(api_process(settings, folder / f"{name}.log"))
                worlds.append(World(address, settings, Sql(url), smtp.mailbox, http))
            small, large = worlds
            before = Stage.at(small, 1_000, 10_000, 1_100)
            started = time.perf_counter()
            after = Stage.at(large, given.customers, given.activities, given.of_one)
            neighbour = Stage.at(large, 100, 1_000, 1_100)
            for world in worlds:
                world.sql.run("VACUUM ANALYZE")
            print(f"loaded in {time.perf_counter() - started:.0f} s\n", flush=True)
            measure(before, after, given.samples)
            print("\nThe neighbour of 100 customers, beside the large one:\n")
            measure(before, neighbour, given.samples)
            print("\n| table | bytes a row | bytes of indexes a row |\n|---|---|---|")
            for row in large.sql.rows(_SIZES):
                print(f"| {row['relname']} | {row['heap'] / row['rows']:.0f} | {row['indexes'] / row['rows']:.0f} |")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
