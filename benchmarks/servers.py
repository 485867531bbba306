"""The servers that are compared: the product and its twins, one process each, all on the first core that we may use.

PostgreSQL and the load generator have the second core for themselves.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.settings import Settings
from tests.support.service import PORTAL_ACCESS, Process, environment, free_port, wait_until_ready

PRODUCT, FASTAPI, ASGI = "product", "FastAPI", "ASGI"
_CORES = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []
_TICKS = os.sysconf("SC_CLK_TCK")
_UVICORN = (sys.executable, "-m", "uvicorn", "--no-access-log", "--log-level", "warning")
_PROGRAMS = {
    PRODUCT: (PORTAL_ACCESS, "serve", "--no-worker"),  # the worker has a process of its own in production too
    FASTAPI: (*_UVICORN, "benchmarks.twins.plain_fastapi:app"),
    ASGI: (*_UVICORN, "benchmarks.twins.plain_asgi:app"),
}


@dataclass(frozen=True)
class Server:
    """A running server."""

    name: str
    url: str
    process: Process

    @property
    def cpu_seconds(self) -> float:
        """How long it has worked, in the kernel too."""
        after_name = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(after_name[11]) + int(after_name[12])) / _TICKS


def use_second_core() -> None:
    """Run there, with PostgreSQL and all else that is started from here."""
    if len(_CORES) < 2:
        raise SystemExit("The benchmarks pin processes to cores: they need Linux and two cores.")
    os.sched_setaffinity(0, {_CORES[1]})


def on_first_core(*program: str) -> tuple[str, ...]:
    """The program, to be started there."""
    return ("taskset", "-c", str(_CORES[0]), *program)


@contextmanager
def running(settings: Settings, folder: Path) -> Iterator[dict[str, Server]]:
    """The product and its twins, by their names."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(_server(name, settings, folder)) for name in _PROGRAMS}


@contextmanager
def _server(name: str, settings: Settings, folder: Path) -> Iterator[Server]:
    port = free_port()
    program = on_first_core(*_PROGRAMS[name])
    process = Process(["--port", str(port)], environment(settings), folder / f"{name}.log", program)
    try:
        server = Server(name, f"http://127.0.0.1:{port}", process)
        try:
            wait_until_ready(server.url, seconds=20)
        except AssertionError:
            raise SystemExit(f"The {name} server did not start: {process.output}") from None
        yield server
    finally:
        process.stop()
