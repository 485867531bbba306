"""Whether anybody has to wait while old entries are deleted: `python -m benchmarks.retention`.

An organisation keeps its log for a month, and has many older entries. Cards and pages of the log are read, and
invitations sent, first while nothing else happens, then while the worker seals what is new, then while it deletes.
"""

import argparse
import statistics
import time
from collections.abc import Callable

from benchmarks.data import Data
from benchmarks.service import Stage, staged
from tests.journeys.sealing import enqueue, unsealed
from tests.support.service import Process, environment
from tests.support.world import Utility

_OLD = (
    "SELECT count(*) FROM activities WHERE organisation_id = $1 AND occurred_at < now() - interval '30 days'"
    " AND type = 'PortalLoginSucceeded'"
)


def sample(utility: Utility, paths: list[str], going_on: Callable[[int], bool]) -> list[float]:
    """Milliseconds of calls in turns, for as long as something goes on."""
    clerk = utility.employee()
    found: list[float] = []
    while going_on(len(found)):
        path = paths[len(found) % len(paths)]
        begun = time.perf_counter()
        calls = clerk.get(path), clerk.get(f"{path}/activities?pageSize=50"), clerk.post(f"{path}/invitations")
        found.append((time.perf_counter() - begun) * 1e3)
        assert all(call.is_success for call in calls), [call.text for call in calls if not call.is_success]
    return found


def tell(what: str, found: list[float]) -> None:
    """Print a line of the table."""
    ordered = sorted(found)
    cells = statistics.median(ordered), ordered[len(ordered) * 99 // 100], ordered[-1]
    print(f"| {what} | {len(found)} | " + " | ".join(f"{cell:.1f}" for cell in cells) + " |", flush=True)


def measure(stage: Stage, entries: int) -> None:
    """The three tables' lines."""
    utility = stage.world.utility()
    utility.change_settings(retentionDays=30)
    data, sql = Data(utility), stage.world.sql
    data.load(entries // 1_000, members=1_000, invited=500)
    data.settle()
    paths = [f"/customers/{row['customer']}/portal" for row in data.rows("I")]
    print("| while | rounds | p50 ms | p99 ms | longest ms |\n|---|--:|--:|--:|--:|")
    sample(utility, paths, lambda count: count < 200)  # warms up
    tell("nothing else happens", sample(utility, paths, lambda count: count < 1_000))
    worker = Process(["worker"], environment(stage.world.settings), stage.folder / "worker.log")
    try:
        enqueue(sql, "seal_activities", {"organisationId": str(utility.organisation)})
        tell("the log is sealed", sample(utility, paths, lambda count: count % 50 != 0 or unsealed(utility) > 5_000))
        old = int(sql.value(_OLD, utility.organisation))
        begun = time.perf_counter()
        enqueue(sql, "tend_organisation", {"organisationId": str(utility.organisation)})
        tell(
            f"{old:,} entries are deleted",
            sample(utility, paths, lambda count: count % 50 != 0 or sql.value(_OLD, utility.organisation) > 0),
        )
        print(f"\n{old / (time.perf_counter() - begun):,.0f} entries deleted a second")
    finally:
        worker.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=300_000, help="of the log (300000)")
    given = parser.parse_args()
    with staged("--no-worker") as stage:
        measure(stage, given.entries)


if __name__ == "__main__":
    main()
