"""How fast and how small the upload of many customers is: `python -m benchmarks.bulk_upsert --lines 20000`.

Starts a PostgreSQL and an API process of its own in a temporary folder, and ends them. Prints what it measured.
"""

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from app.ids import new_id
from tests.support.databases import Sql, drop, fresh_copy, postgres
from tests.support.mail import SmtpServer
from tests.support.service import Process, api_process, test_settings
from tests.support.world import Utility, World


def body(count: int, first: str) -> list[bytes]:
    """Lines as a billing system sends them: a contract and a document each."""
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
            | {"customerId": str(new_id()), "accountNumber": f"{first}{n}", "email": f"jan.{first}{n}@example.com"}
        ).encode()
        + b"\n"
        for n in range(count)
    ]


def pieces(lines: list[bytes]) -> Iterator[bytes]:
    """The body as a client streams it."""
    for start in range(0, len(lines), 200):
        yield b"".join(lines[start : start + 200])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=20_000)
    count = parser.parse_args().lines
    folder = Path(tempfile.mkdtemp(prefix="portal-access-benchmark-"))
    try:
        with postgres(folder) as server, SmtpServer() as smtp, httpx.Client(timeout=600) as http:
            url = fresh_copy(server, "portal_benchmark")
            settings = test_settings(database_url=url, smtp_url=smtp.url, data_dir=folder / "data")
            with api_process(settings, folder / "log", "--no-worker") as (address, process):
                measure(World(address, settings, Sql(url), smtp.mailbox, http), process, count)
            drop(server, "portal_benchmark")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure(world: World, process: Process, count: int) -> None:
    """Create, replace, and meet taken numbers."""
    utility = world.utility()
    new, other = body(count, "N"), body(min(count, 2_000), "N")
    upload(utility, process, "warming up", body(1_000, "W"))
    upload(utility, process, "created", new)
    upload(utility, process, "replaced", new)
    upload(utility, process, "refused: every number is taken", other)


def upload(utility: Utility, process: Process, what: str, lines: list[bytes]) -> None:
    headers = utility.bearer() | {"Content-Type": "application/x-ndjson"}
    started = time.perf_counter()
    answer = utility.world.http.put(
        f"{utility.world.url}/api/portal/v1/customers", content=pieces(lines), headers=headers
    )
    seconds = time.perf_counter() - started
    assert answer.status_code == 200, answer.text
    statuses = [json.loads(line)["status"] for line in answer.text.splitlines()]
    found = ", ".join(f"{statuses.count(status)} {status}" for status in sorted(set(statuses)))
    print(
        f"{what}: {len(lines)} lines ({sum(map(len, lines)) / 1e6:.1f} MB) in {seconds:.2f} s,"
        f" {len(lines) / seconds:.0f} lines/s; {found};"
        f" the process at {process.most_memory / 1e6:.1f} MB at most so far"
    )


if __name__ == "__main__":
    main()
