"""How fast the product is beside bare twins of it: `make bench`.

Each operation is sent to the product and to its twins in turns, one server process each on one core, PostgreSQL and
the load on another. Prints a Markdown table with the medians of all rounds. Takes Linux, two cores that do nothing
else, and wrk.
"""

import argparse
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import httpx

from benchmarks.data import MEMBERS, Data
from benchmarks.load import Measured, check_wrk, run
from benchmarks.operations import OPERATIONS, Operation
from benchmarks.results import RESULTS, Results, as_json, as_table, medians, write
from benchmarks.servers import Server, running, use_second_core
from tests.support.databases import Sql, drop, fresh_copy, postgres
from tests.support.mail import Mailbox
from tests.support.service import test_settings
from tests.support.world import World

_WARM_UP = 2  # seconds


def main() -> None:
    arguments = _arguments()
    chosen = [operation for operation in OPERATIONS if operation.name in (arguments.only or _NAMES)]
    check_wrk()
    use_second_core()
    with compared(chosen, arguments.rounds, arguments.seconds, arguments.entries) as (data, servers):
        results = {}
        for operation in chosen:
            results[operation.name] = measure(operation, data, servers, arguments.rounds, arguments.seconds)
            print(as_table({operation.name: results[operation.name]}, head=operation is chosen[0]), flush=True)
    if arguments.json:
        print(as_json(results))
    if arguments.write:
        entries = arguments.entries * MEMBERS
        write(
            results, f"Medians of {arguments.rounds} rounds of {arguments.seconds} s; {entries:,} entries in the log."
        )


_NAMES = [operation.name for operation in OPERATIONS]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=_NAMES, metavar="OPERATION", help="of " + ", ".join(_NAMES))
    parser.add_argument("--rounds", type=int, default=3, help="how often each server has its turn (3)")
    parser.add_argument("--seconds", type=int, default=3, help="how long a turn takes (3)")
    parser.add_argument("--entries", type=int, default=60, help="of the log for each of 10,000 customers (60)")
    parser.add_argument("--json", action="store_true", help="print every figure as JSON as well")
    parser.add_argument("--write", action="store_true", help=f"write the table into {RESULTS}")
    return parser.parse_args()


@contextmanager
def compared(
    chosen: list[Operation], rounds: int, seconds: int, entries: int
) -> Iterator[tuple[Data, dict[str, Server]]]:
    """The product and its twins, at work on the same data."""
    folder = Path(tempfile.mkdtemp(prefix="portal-access-benchmark-"))
    try:
        with postgres(folder) as server, httpx.Client(timeout=60) as http:
            url = fresh_copy(server, "portal_benchmark")
            settings = test_settings(database_url=url, data_dir=folder / "data")
            with running(settings, folder) as servers:
                world = World(servers["product"].url, settings, Sql(url), Mailbox(), http)
                data = Data(world.utility())
                data.load(entries)
                for operation in chosen:
                    operation.prepare(data, len(servers) * operation.spent * (rounds * seconds + _WARM_UP))
                data.settle()
                yield data, servers
            drop(server, "portal_benchmark")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure(operation: Operation, data: Data, servers: dict[str, Server], rounds: int, seconds: int) -> Results:
    """The servers in turns, after each has warmed up."""
    supply = operation.requests(data)
    repeated = [] if operation.spent else list(supply)

    def turn(server: Server, length: int) -> Measured:
        fresh = list(islice(supply, operation.spent * length)) if operation.spent else repeated
        return run(server, fresh, length, once=bool(operation.spent))

    for server in servers.values():
        turn(server, _WARM_UP)
    turns = [{name: turn(server, seconds) for name, server in servers.items()} for _ in range(rounds)]
    return {name: medians([one[name] for one in turns]) for name in servers}


if __name__ == "__main__":
    main()
