"""What lists and figures across customers cost: `python -m benchmarks.across_customers --customers 1000000`.

Starts a PostgreSQL and an API process of its own in a temporary folder, and ends them. Of the customers nine tenths
were invited and six tenths have an account, a tenth of these not confirmed. Prints the median of what it measured.
"""

import argparse
import statistics
import time

from benchmarks.service import staged
from tests.support.world import Utility

_CUSTOMERS = (
    "INSERT INTO customers (organisation_id, id, account_number, display_name, email, created_at)"
    " SELECT $1, gen_random_uuid(), (20000000 + n)::text, 'Jan ' || md5(n::text), 'jan.' || n || '@example.com',"
    " now() - n * '1 minute'::interval FROM generate_series(1, $2::int) AS n"
)
_INVITATIONS = (
    "INSERT INTO tokens (organisation_id, id, purpose, customer_id, email, language, state, created_by_type,"
    " created_by_id, created_at, expires_at, ended_at) SELECT organisation_id, gen_random_uuid(), 'invitation', id,"
    " email, 'en-GB', 'expired', 'system', 'benchmark', created_at, created_at, created_at FROM customers"
    " WHERE organisation_id = $1 AND account_number::int % 10 < 9"
)
_ACCOUNTS = (
    "INSERT INTO accounts (organisation_id, id, customer_id, state, generation, email, registered_at, last_active_at,"
    " email_confirmed_at) SELECT organisation_id, gen_random_uuid(), id, 'live', 1, email, created_at, created_at,"
    " CASE WHEN account_number::int % 100 >= 6 THEN created_at END FROM customers"
    " WHERE organisation_id = $1 AND account_number::int % 10 < 6"
)
_ASKED = (
    "/organisation/statistics",
    "/organisation/statistics?weeks=104",
    "/organisation/portal-accounts",
    "/organisation/portal-accounts?portalStatus=notconfirmed",
    "/organisation/portal-accounts?portalStatus=active",
    "/organisation/portal-accounts?portalStatus=noaccount",
    "/organisation/portal-accounts?portalStatus=noaccount&invitedBefore={old}",
    "/organisation/portal-accounts?portalStatus=active&lastActiveBefore={old}",
    "/organisation/portal-accounts?q=20123456",
    "/organisation/portal-accounts?q=abc",
    "/organisation/portal-accounts?q=jan",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=100_000)
    count = parser.parse_args().customers
    with staged("--no-worker") as stage:
        measure(stage.world.utility(), count)


def measure(utility: Utility, count: int) -> None:
    sql = utility.world.sql
    sql.run(_CUSTOMERS, utility.organisation, count)
    sql.run(_INVITATIONS, utility.organisation)
    sql.run(_ACCOUNTS, utility.organisation)
    sql.run("VACUUM ANALYZE")
    old = sql.value("SELECT to_char(min(created_at) + '10 days', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM customers")
    for path in _ASKED:
        seconds = []
        for _ in range(9):
            started = time.perf_counter()
            answer = utility.employee().get(path.format(old=old))
            seconds.append(time.perf_counter() - started)
            assert answer.status_code == 200, answer.text
        print(f"{path}: {statistics.median(seconds) * 1e3:.0f} ms, {max(seconds) * 1e3:.0f} ms at most")


if __name__ == "__main__":
    main()
