"""The product beside its bare twins: `make bench`, on a machine that does nothing else.

Starts a PostgreSQL, one process of the product and two of its twins (benchmarks/twins.py), each alone on a core while
it is asked, PostgreSQL and the load on another. Rounds take turns; shown are medians. The ratios are what counts.
"""

import argparse
import json
import operator
import pickle
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import httpx

from benchmarks.operations import Operation, Stage, record
from benchmarks.twins import Recording
from benchmarks.wrk import Measured, here, load, need_wrk, pin
from tests.support.databases import Sql, drop, fresh_copy, postgres
from tests.support.mail import SmtpServer
from tests.support.service import api_process, free_port, test_settings
from tests.support.world import World

_POOL = 10
_RESULTS = Path(__file__).parent / "RESULTS.md"
_BEGIN, _END = "<!-- make bench: begin -->", "<!-- make bench: end -->"
_SIDES = ("product", "fastapi", "asgi")
Rounds = dict[str, list[Measured]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", help="operations whose names hold this")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4, help="of each round of each side")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--write", action="store_true", help="keep the table in benchmarks/RESULTS.md")
    given = parser.parse_args()
    need_wrk()
    folder = Path(tempfile.mkdtemp(prefix="portal-access-benchmark-"))
    try:
        with ExitStack() as stack:
            found = _measure(stack, folder, given)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if given.json:
        rows = {one.name: {side: asdict(_median(rounds[side])) for side in _SIDES} for one, rounds in found}
        print(json.dumps(rows, indent=2))
        return
    table = _table(found)
    print(table)
    if given.write:
        _keep(table)


def _measure(stack: ExitStack, folder: Path, given: argparse.Namespace) -> list[tuple[Operation, Rounds]]:
    with here(1):
        server = stack.enter_context(postgres(folder))
        smtp = stack.enter_context(SmtpServer())
    url = fresh_copy(server, "portal_benchmark")
    stack.callback(drop, server, "portal_benchmark")
    settings = test_settings(
        database_url=url, smtp_url=smtp.url, data_dir=folder / "data", database_pool_size=_POOL, log_level="warning"
    )
    http = stack.enter_context(httpx.Client(timeout=60))
    with api_process(settings, folder / "stage.log") as (address, _):
        world = World(address, settings, Sql(url), smtp.mailbox, http)
        stage = Stage(world)
        wanted = [one for one in stage.operations() if given.only is None or given.only in one.name]
    if not wanted:
        raise SystemExit(f"No operation's name holds {given.only!r}.")
    recorded = record(world, stage.utility, wanted)
    recording = folder / "recording"
    recording.write_bytes(pickle.dumps(Recording(url, tuple(settings.secret_keys), _POOL, tuple(recorded))))
    with here(0):
        product, process = stack.enter_context(api_process(settings, folder / "log", "--no-worker"))
        sides = {"product": (product, process.pid)}
        for kind in _SIDES[1:]:
            sides[kind] = stack.enter_context(_twin(kind, recording))
    pin(process.pid, 0)
    found = []
    for one in wanted:
        rounds: Rounds = {side: [] for side in _SIDES}
        for number in range(given.rounds + 1):
            for side, (address, pid) in sides.items():
                with here(1):
                    seconds = given.seconds if number else min(1, given.seconds)
                    measured = load(address, pid, one.requests, seconds, given.connections, folder)
                if number:  # the first one warms up
                    rounds[side].append(measured)
        found.append((one, rounds))
        print(f"{one.name}: {_median(rounds['product']).per_second:,.0f} a second", file=sys.stderr, flush=True)
    return found


@contextmanager
def _twin(kind: str, recording: Path) -> Iterator[tuple[str, int]]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.twins", kind, str(port), str(recording)])
    try:
        transport = httpx.HTTPTransport(retries=8)
        with httpx.Client(transport=transport, timeout=20) as http:
            http.get(f"http://127.0.0.1:{port}/")
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.wait(20)


def _median(rounds: list[Measured]) -> Measured:
    return Measured(*(statistics.median(getattr(one, name) for one in rounds) for name in asdict(rounds[0])))


def _table(found: list[tuple[Operation, Rounds]]) -> str:
    rows = [
        "| operation | a second | p50, ms | p99, ms | CPU, µs | of FastAPI | of ASGI | CPU of ASGI's | goals |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for one, rounds in found:
        product, fastapi, asgi = (_median(rounds[side]) for side in _SIDES)
        ratios = product.per_second / fastapi.per_second, product.per_second / asgi.per_second
        met = "met" if all(map(operator.ge, ratios, one.goals)) else "missed"
        rows.append(
            f"| {one.name} | {product.per_second:,.0f} | {product.p50:.1f} | {product.p99:.1f} | {product.cpu:.0f} |"
            f" {ratios[0]:.2f} | {ratios[1]:.2f} | {product.cpu / asgi.cpu:.1f}× |"
            f" {one.goals[0]} and {one.goals[1]}: {met} |"
        )
    return "\n".join(rows)


def _keep(table: str) -> None:
    """The table in the place of the one before."""
    ask = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip()
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        "unknown",
    )
    said = f"{datetime.now(UTC):%Y-%m-%d}, commit {commit}, {model}, Python {platform.python_version()}"
    before, _, rest = _RESULTS.read_text().partition(_BEGIN)
    _RESULTS.write_text(f"{before}{_BEGIN}\n{said}\n\n{table}\n{_END}{rest.partition(_END)[2]}")


if __name__ == "__main__":
    main()
