"""Everything that takes long, one after the other; what it measured is written into docs/soak.md as it was.

`make soak`, on a machine that does nothing else. `make soak ONLY=kills` runs one part and replaces what was told of it.
"""

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[2]
REPORT = ROOT / "docs" / "soak.md"
_NOISE = re.compile(r"^(\.+|[.sFE]+ *\[ *\d+%\]|\d+ (passed|failed).*|=+.*|-+.*|)$")


@dataclass(frozen=True)
class Part:
    """Some tests of the suite with larger numbers, or some that are not in it."""

    name: str
    what: str
    tests: str
    numbers: dict[str, str]


PARTS = (
    Part(
        "kills",
        "Processes killed under load: the changes, the log and the mails add up",
        "tests/faults/test_killed_under_load.py",
        {"PORTAL_TEST_KILLS": "500"},
    ),
    Part(
        "batch",
        "A batch of 10,000 invitations, its worker killed three times: nobody left out, nobody invited twice",
        "tests/faults/test_batches_survive.py::test_a_batch_survives_three_kills",
        {"PORTAL_TEST_BATCH": "10000"},
    ),
    Part(
        "rounds",
        "Rounds of one link redeemed 51 times at once over three nodes: one is let in",
        "tests/security/test_many_nodes.py::test_one_of_many_registrations_over_three_nodes_makes_the_account",
        {"PORTAL_TEST_ROUNDS": "1000"},
    ),
    Part(
        "walks",
        "Random walks of 10,000 steps",
        "tests/security/test_portal_walk.py tests/security/test_impersonation_walk.py",
        {"PORTAL_TEST_WALK_STEPS": "10000"},
    ),
    Part(
        "document",
        "The whole document as each kind of caller, twenty examples of everything",
        "tests/security/test_document.py",
        {"PORTAL_TEST_EXAMPLES": "20"},
    ),
    Part("timing", "Time of answers for known and unknown addresses", "tests/soak/timing.py", {}),
)


def _told(output: str) -> str:
    """What the tests printed, without what pytest says around it."""
    return "\n".join(line.rstrip() for line in output.splitlines() if not _NOISE.match(line.strip())) or "(nothing)"


def _sections() -> dict[str, str]:
    """What the report tells of each part so far, by its heading."""
    text = REPORT.read_text() if REPORT.exists() else ""
    return {section.partition("\n")[0]: section.rstrip() for section in text.split("\n## ")[1:]}


def _write(sections: dict[str, str]) -> None:
    """The report, in the order of the parts."""
    told = [f"## {sections[part.what]}\n" for part in PARTS if part.what in sections]
    REPORT.write_text("\n".join(["# What takes long\n\nThe last runs of `make soak`, as they were.\n", *told]))


def main() -> int:
    """Run the parts, telling of each as soon as it has ended; 1 if one failed."""
    only = os.environ.get("ONLY")
    if only and only not in {part.name for part in PARTS}:
        print(f"There is no part {only!r}: {', '.join(part.name for part in PARTS)}.", file=sys.stderr)
        return 2
    ask = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(ask, capture_output=True, text=True, check=True, cwd=ROOT).stdout.strip()
    machine = f"{os.cpu_count()} cores, Python {sys.version.split()[0]}"
    failed = False
    for part in PARTS:
        if only and part.name != only:
            continue
        print(f"{part.name}: {part.what} …", flush=True)
        started = time.monotonic()
        ended = subprocess.run(
            [sys.executable, "-m", "pytest", "-n", "0", "-q", "-s", "-r", "N", "--no-header", *part.tests.split()],
            cwd=ROOT,
            env=os.environ | part.numbers,
            capture_output=True,
            text=True,
            check=False,
        )
        failed |= ended.returncode != 0
        word = "green" if ended.returncode == 0 else "FAILED"
        took = f"{word} in {time.monotonic() - started:.0f} s"
        print(f"{_told(ended.stdout)}\n{part.name}: {took}", flush=True)
        numbers = "".join(f", {name}={value}" for name, value in part.numbers.items())
        section = (
            f"{part.what}\n\n{datetime.now(UTC):%Y-%m-%d}, commit {commit}, {machine}: {took}"
            f" (`{part.tests}`{numbers})\n\n"
            f"```\n{_told(ended.stdout)}\n```"
        )
        _write(_sections() | {part.what: section})
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
