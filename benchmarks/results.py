"""The figures as a table, as JSON, and as the page that is kept."""

import json
import os
import platform
import subprocess
from dataclasses import asdict, fields
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from benchmarks.load import CONNECTIONS, Measured
from benchmarks.operations import OPERATIONS, Kind
from benchmarks.servers import ASGI, FASTAPI, PRODUCT

RESULTS = "benchmarks/RESULTS.md"
Results = dict[str, Measured]

# Of the twins' requests a second, by what the operation costs most.
GOALS = {Kind.READ: (0.8, 0.4), Kind.WRITE: (0.8, 0.5), Kind.HASH: (0.9, 0.9)}
_BEGIN, _END = "<!-- written by make bench -->", "<!-- until here -->"
_KINDS = {operation.name: operation.kind for operation in OPERATIONS}
_HEAD = (
    "| operation | requests/s | p50 ms | p99 ms | CPU µs | FastAPI/s | CPU µs | ratio | ASGI/s | CPU µs | ratio |\n"
    "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
)


def medians(rounds: list[Measured]) -> Measured:
    """The median of each figure."""
    return Measured(*(median(getattr(one, field.name) for one in rounds) for field in fields(Measured)))


def as_table(results: dict[str, Results], *, head: bool = True) -> str:
    """A Markdown table. A ratio below its goal is bold."""
    lines = [_HEAD] if head else []
    for name, found in results.items():
        own = found[PRODUCT]
        cells = [name, f"{own.rate:,.0f}", f"{own.p50 * 1e3:.1f}", f"{own.p99 * 1e3:.1f}", f"{own.cpu * 1e6:.0f}"]
        for twin, goal in zip((FASTAPI, ASGI), GOALS[_KINDS[name]], strict=True):
            ratio = own.rate / found[twin].rate
            shown = f"{ratio:.2f}" if ratio >= goal else f"**{ratio:.2f}**"
            cells += [f"{found[twin].rate:,.0f}", f"{found[twin].cpu * 1e6:.0f}", shown]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def as_json(results: dict[str, Results]) -> str:
    """Every figure of every server."""
    return json.dumps(
        {name: {server: asdict(one) for server, one in found.items()} for name, found in results.items()}, indent=2
    )


def write(results: dict[str, Results], described: str) -> None:
    """Put the table into the page, in place of the one before; what people wrote around it stays."""
    page = Path(RESULTS)
    before, _, rest = page.read_text().partition(_BEGIN)
    _, _, after = rest.partition(_END)
    page.write_text(f"{before}{_BEGIN}\n{_origin()} {described}\n\n{as_table(results)}\n{_END}{after}")


def _origin() -> str:
    """Of which commit the figures are, and from what machine."""
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], check=True, capture_output=True, text=True)
    model = next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name"))
    return (
        f"Commit {commit.stdout.strip()}, {datetime.now(UTC):%d %B %Y}, {model.partition(':')[2].strip()},"
        f" {os.cpu_count()} cores, Python {platform.python_version()}, {CONNECTIONS} connections."
    )
