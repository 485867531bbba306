"""Load by wrk, on a core of its own, and what the server's process took for it."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_DONE = """
done = function(summary, latency)
  io.write(string.format("RESULT %d %d %d %d %d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), summary.errors.status))
end
"""


@dataclass(frozen=True)
class Request:
    """One of the requests that an operation's load goes through in turn."""

    method: str
    path: str
    headers: dict[str, str]
    body: str = ""


@dataclass(frozen=True)
class Measured:
    """What one round showed."""

    per_second: float
    p50: float  # milliseconds
    p99: float  # milliseconds
    cpu: float  # microseconds of the server's process for each request


def need_wrk() -> None:
    """Stop where there is none."""
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is missing: on Debian and Ubuntu 'apt-get install wrk'")


def pin(pid: int, core: int) -> None:
    """All of a process's threads, and the processes it will start, on one core."""
    for thread in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(thread), {core})


@contextmanager
def here(core: int) -> Iterator[None]:
    """What is started meanwhile runs on that core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def load(url: str, pid: int, requests: Sequence[Request], seconds: int, connections: int, folder: Path) -> Measured:
    """Go through the requests, again and again."""
    script = folder / "load.lua"
    script.write_text(_lua(requests))
    before = _cpu(pid)
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(script), url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    used = _cpu(pid) - before
    found = re.search(r"^RESULT (\d+) (\d+) (\d+) (\d+) (\d+)$", said, re.MULTILINE)
    if found is None:
        raise SystemExit(f"wrk said nothing that can be read:\n{said}")
    count, micros, p50, p99, refused = (int(part) for part in found.groups())
    if refused or not count:
        raise SystemExit(f"{refused} of {count} requests were refused:\n{said}")
    return Measured(count / micros * 1e6, p50 / 1e3, p99 / 1e3, used / count * 1e6)


def _lua(requests: Sequence[Request]) -> str:
    lines = ["local made, turn = {}, 0", "init = function()"]
    for one in requests:
        headers = ", ".join(f"[{json.dumps(name)}]={json.dumps(value)}" for name, value in one.headers.items())
        body = json.dumps(one.body) if one.body else "nil"
        lines.append(f"  made[#made + 1] = wrk.format({one.method!r}, {one.path!r}, {{{headers}}}, {body})")
    lines += ["end", "request = function()", "  turn = turn % #made + 1", "  return made[turn]", "end", _DONE]
    return "\n".join(lines)


def _cpu(pid: int) -> float:
    """Seconds of CPU that the process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
