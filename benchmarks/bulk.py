"""Many rows at once, beside the least that PostgreSQL takes for them: `python -m benchmarks.bulk`.

Uploads customers, invites them in a batch, exports the log as CSV. Beside it, in the same run: the rows that the upload
and the batch left behind, copied into empty tables with the same indexes and triggers by COPY, one connection; and the
log read by a bare cursor and written by Python's csv. Prints rows a second, ratios, and the process's most memory.
"""

import argparse
import asyncio
import csv
import io
import json
import time
from collections.abc import Iterator

import asyncpg

from app.ids import new_id
from benchmarks.service import Stage, staged
from tests.journeys.batches import crowd, finished, start
from tests.support.mail import SmtpServer
from tests.support.world import Utility

_INVITED = ("communications", "tokens", "activities", "invitation_batches", "invitation_batch_items")
_MORE_TIME = 3600  # seconds
_NO_PACE = 60_000  # invitations a minute
_LOG = (
    "INSERT INTO activities (organisation_id, id, type, occurred_at, customer_id, account_number, account_generation,"
    " actor_type, actor_id, actor_name, subject_type, subject_id, ip_address, user_agent, correlation_id, payload)"
    " SELECT organisation_id, gen_random_uuid(), 'PortalLoginSucceeded', now() - n * interval '7 minutes', id,"
    " account_number, 1, 'customer', id::text, display_name, 'session', gen_random_uuid(), '192.0.2.7',"
    " 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', md5(n::text), '{}'"
    " FROM (SELECT *, row_number() OVER () AS place FROM customers WHERE organisation_id = $1) AS one"
    " JOIN generate_series(1, $2::int) AS n ON n % 1000 + 1 = place"
)


def lines(count: int, letter: str) -> list[bytes]:
    """As a billing system sends them: a contract and a document each."""
    record = {
        "displayName": "Jan Peeters",
        "language": "nl-BE",
        "contracts": [{"contractId": str(new_id()), "contractNumber": "C-1001", "status": "signed", "invoiceCount": 3}],
        "documents": [
            {
                "documentId": str(new_id()),
                "name": "Welcome letter",
                "visibility": "portal",
                "createdDateTime": "2026-01-02T03:04:05Z",
            }
        ],
    }
    return [
        json.dumps(
            record
            | {"customerId": str(new_id()), "accountNumber": f"{letter}{n}", "email": f"jan.{letter}{n}@example.com"}
        ).encode()
        + b"\n"
        for n in range(count)
    ]


def pieces(body: list[bytes]) -> Iterator[bytes]:
    """The body as a client streams it."""
    for begun in range(0, len(body), 200):
        yield b"".join(body[begun : begun + 200])


def upload(utility: Utility, body: list[bytes]) -> float:
    """How many seconds it takes."""
    headers = utility.bearer() | {"Content-Type": "application/x-ndjson"}
    url = f"{utility.world.url}/api/portal/v1/customers"
    begun = time.perf_counter()
    answer = utility.world.http.put(url, content=pieces(body), headers=headers)
    seconds = time.perf_counter() - begun
    assert answer.status_code == 200, answer.text
    statuses = {json.loads(line)["status"] for line in answer.text.splitlines()}
    assert statuses <= {"created", "updated"}, statuses
    return seconds


def invite(utility: Utility) -> float:
    """How many seconds a batch takes that invites everybody; the worker sends the mails meanwhile."""
    begun = time.perf_counter()
    ended = finished(utility, start(utility, {"filter": {}})["id"], seconds=_MORE_TIME)
    assert ended["counts"]["failed"] == 0, ended
    return time.perf_counter() - begun


def export(utility: Utility) -> float:
    """How many seconds the organisation's log takes as CSV."""
    begun = time.perf_counter()
    url = f"{utility.world.url}/api/portal/v1/organisation/activities"
    headers = utility.bearer() | {"Accept": "text/csv"}
    with utility.world.http.stream("GET", url, headers=headers) as answer:
        assert answer.status_code == 200
        rows = sum(part.count(b"\n") for part in answer.iter_raw())
    assert rows > 1, "nothing was exported"
    return time.perf_counter() - begun


def copied(stage: Stage, tables: tuple[str, ...]) -> float:
    """Seconds that COPY takes for all rows of these tables."""
    other = stage.another_database()

    async def work() -> float:
        source = await asyncpg.connect(str(stage.world.settings.database_url))
        target = await asyncpg.connect(other)
        await target.execute("SET session_replication_role = replica")  # foreign keys to tables that stay empty
        seconds = 0.0
        for table in tables:
            rows = io.BytesIO()
            await source.copy_from_table(table, output=rows, format="binary")
            rows.seek(0)
            begun = time.perf_counter()
            await target.copy_to_table(table, source=rows, format="binary")
            seconds += time.perf_counter() - begun
        await source.close()
        await target.close()
        return seconds

    return asyncio.run(work())


def by_cursor(stage: Stage, utility: Utility) -> float:
    """Seconds to read the log through a cursor and to write it as CSV."""

    async def work() -> float:
        connection = await asyncpg.connect(str(stage.world.settings.database_url))
        begun = time.perf_counter()
        sink = csv.writer(io.StringIO())
        async with connection.transaction():
            asked = "SELECT * FROM activities WHERE organisation_id = $1 ORDER BY occurred_at DESC, id DESC"
            async for row in connection.cursor(asked, utility.organisation, prefetch=1000):
                sink.writerow(row.values())
        seconds = time.perf_counter() - begun
        await connection.close()
        return seconds

    return asyncio.run(work())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000, help="customers to upload (20000)")
    parser.add_argument("--invitations", type=int, default=2_000, help="customers to invite (2000)")
    parser.add_argument("--entries", type=int, default=200_000, help="of the log to export (200000)")
    given = parser.parse_args()
    print("| what | rows | rows/s | the least | ratio | most memory, MB |\n|---|--:|--:|--:|--:|--:|")
    with SmtpServer() as smtp, staged(smtp_url=smtp.url, batch_invitations_per_minute=_NO_PACE) as stage:

        def tell(what: str, rows: int, seconds: float, least: float) -> None:
            print(
                f"| {what} | {rows:,} | {rows / seconds:,.0f} | {rows / least:,.0f} | {least / seconds:.2f} |"
                f" {stage.process.most_memory / 1e6:.0f} |",
                flush=True,
            )

        body = lines(given.rows, "N")
        utility = stage.world.utility()
        upload(utility, lines(1_000, "W"))  # warms up
        created = upload(utility, body)
        least = copied(stage, ("customers",))
        tell("customers created, beside COPY", given.rows, created, least)
        tell("customers replaced, beside COPY", given.rows, upload(utility, body), least)
        invited = stage.world.utility()
        crowd(invited, given.invitations)
        seconds = invite(invited)
        tell("customers invited, beside COPY", given.invitations, seconds, copied(stage, _INVITED))
        read = stage.world.utility()
        crowd(read, 1_000)
        stage.world.sql.run(_LOG, read.organisation, given.entries)
        seconds = export(read)
        tell("entries exported as CSV, beside a cursor", given.entries, seconds, by_cursor(stage, read))


if __name__ == "__main__":
    main()
