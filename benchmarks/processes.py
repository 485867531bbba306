"""What a process takes: `python -m benchmarks.processes`.

Prints how long it takes from its start on an existing database until it is ready, and its memory when it is ready, and
after each part of the requests: cards, pages of the log, links looked at and invitations, in turns.
"""

import argparse
import statistics
import time
from compileall import compile_dir
from pathlib import Path

from benchmarks.data import Data
from benchmarks.load import run
from benchmarks.operations import OPERATIONS
from benchmarks.servers import Server, on_first_core, use_second_core
from benchmarks.service import Stage, staged
from tests.support.service import PORTAL_ACCESS, Process, environment, free_port, wait_until_ready

_MIX = ("getCard", "listActivities", "inspectToken", "sendInvitation")
_PARTS = 5


def seconds_to_ready(stage: Stage, log: Path) -> float:
    """From the start of a process until it says that it can do its work."""
    port = free_port()
    begun = time.perf_counter()
    process = Process(
        ["serve", "--port", str(port)], environment(stage.world.settings), log, on_first_core(PORTAL_ACCESS)
    )
    try:
        wait_until_ready(f"http://127.0.0.1:{port}")
        return time.perf_counter() - begun
    finally:
        process.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=100_000, help="how many, in all (100000)")
    parser.add_argument("--starts", type=int, default=5, help="how often the start is timed (5)")
    given = parser.parse_args()
    use_second_core()
    compile_dir("app", quiet=1)  # as the image has it; elsewhere the first start does it
    with staged("--no-worker") as stage:
        times = [seconds_to_ready(stage, stage.folder / "start.log") for _ in range(given.starts)]
        print(f"ready after {statistics.median(times):.2f} s (median of {given.starts}, {max(times):.2f} at most)")
        data = Data(stage.world.utility())
        data.load(60, members=2_000, invited=2_000)
        data.settle()
        server = Server("product", stage.world.url, stage.process)
        print(f"{stage.process.memory / 1e6:.1f} MB when ready")
        sent = 0
        chosen = [(operation, list(operation.requests(data))) for operation in OPERATIONS if operation.name in _MIX]
        for part in range(1, _PARTS + 1):
            while sent < given.requests * part / _PARTS:
                for _operation, requests in chosen:
                    measured = run(server, requests, 2, once=False)
                    sent += round(measured.rate * 2)
            print(f"{stage.process.memory / 1e6:.1f} MB after {sent:,} requests", flush=True)


if __name__ == "__main__":
    main()
