"""The service itself, listening on loopback: in a thread of the test's process, or as processes of its own."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from app import logs
from app.clock import Clock, utc_now
from app.main import create_app
from app.routers.explorer import Demonstration
from app.serving import options
from app.settings import Settings, load_settings

_PAGE = os.sysconf("SC_PAGE_SIZE")
SECRET = "a-secret-of-the-tests-0123456789-abcdefghij"
PORTAL_ACCESS = str(Path(sys.executable).parent / "portal-access")


# All tests come from one address, and some for one account more often than anybody would.
_UNLIMITED = dict.fromkeys(
    (
        "failed_logins_per_account",
        "failed_logins_per_address",
        "forgotten_passwords_per_minute",
        "confirmations_again_per_minute",
        "inspections_per_minute",
        "registrations_per_minute",
        "redemptions_per_minute",
        "error_reports_per_minute",
        "back_office_calls_per_minute",
    ),
    1_000_000,
)
REAL_LIMITS = {name: Settings.model_fields[name].default for name in _UNLIMITED}
REAL_LIMIT_VARIABLES = {f"PORTAL_{name.upper()}": str(value) for name, value in REAL_LIMITS.items()}


def test_settings(**given: Any) -> Settings:
    """Settings that do not look at this machine's environment, nor make it call portals that are nowhere. The limits
    of callers are raised, and the database has more time: a crowd of callers may live in the service's own process."""
    known = {"_env_file": None, "secret_keys": (SECRET,), "worker_look_seconds": 0.5, "check_portals": False}
    return load_settings(**known | _UNLIMITED | {"database_wait_seconds": 5} | given)


test_settings.__test__ = False  # type: ignore[attr-defined]


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def listening(
    settings: Settings, demonstration: Demonstration | None = None, *, clock: Clock = utc_now
) -> Iterator[tuple[str, FastAPI]]:
    """The API and its worker in a thread; its address and the application."""
    logs.configure("error")
    app = create_app(settings, clock=clock, demonstration=demonstration)
    server = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="on", **options(settings)))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert thread.is_alive(), "the service did not start"
        assert time.monotonic() < deadline, "the service did not start in time"
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}", app
    finally:
        server.should_exit = True
        thread.join(20)


def environment(settings: Settings, **more: str) -> dict[str, str]:
    """The environment variables that make these settings, without this machine's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
    return kept | {
        "PORTAL_DATABASE_URL": str(settings.database_url),
        "PORTAL_SECRET_KEYS": ",".join(settings.secret_keys),
        "PORTAL_DATA_DIR": str(settings.data_dir),
        "PORTAL_WORKER_LOOK_SECONDS": str(settings.worker_look_seconds),
        "PORTAL_CHECK_PORTALS": str(settings.check_portals),
        **{f"PORTAL_{name.upper()}": str(getattr(settings, name)) for name in _UNLIMITED},
        "PORTAL_WEBHOOK_ALLOWED_NETWORKS": ",".join(settings.webhook_allowed_networks),
        **(
            {"PORTAL_PLATFORM_WEBHOOK_SECRET": settings.platform_webhook_secret}
            if settings.platform_webhook_secret
            else {}
        ),
        **({"PORTAL_SMTP_URL": settings.smtp_url} if settings.smtp_url else {}),
        **more,
    }


class Process:
    """A `portal-access` process of its own, or one of another program."""

    def __init__(
        self, arguments: list[str], variables: dict[str, str], log: Path, program: Sequence[str] = (PORTAL_ACCESS,)
    ) -> None:
        self._log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [*program, *arguments], env=variables, stdout=output, stderr=subprocess.STDOUT
            )

    @property
    def pid(self) -> int:
        """By which the system knows it."""
        return self._process.pid

    @property
    def output(self) -> str:
        return self._log.read_text()

    @property
    def most_memory(self) -> int:
        """The most bytes of memory that it has had (Linux)."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:"))

    @property
    def memory(self) -> int:
        """The bytes of memory that it has now (Linux)."""
        return int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]) * _PAGE

    def wait_for_line(self, text: str, seconds: float = 20) -> None:
        """Until the process has printed this."""
        deadline = time.monotonic() + seconds
        while text not in self.output:
            assert self._process.poll() is None, f"it ended: {self.output}"
            assert time.monotonic() < deadline, f"it never printed {text!r}: {self.output}"
            time.sleep(0.02)

    def kill(self) -> None:
        """End it at once, without a chance to clean up."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)

    def stop(self) -> int:
        """Ask it to end, and wait."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        return self._process.wait(30)


@contextmanager
def api_process(settings: Settings, log: Path, *arguments: str, **variables: str) -> Iterator[tuple[str, Process]]:
    """An API process, its settings overridden by variables; its address and the process."""
    port = free_port()
    process = Process(["serve", "--port", str(port), *arguments], environment(settings, **variables), log)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(url, seconds=40)
        yield url, process
    finally:
        process.stop()


@contextmanager
def api_processes(settings: Settings, folder: Path, count: int, *arguments: str) -> Iterator[list[str]]:
    """Several API processes that start side by side; their addresses."""
    ports = [free_port() for _ in range(count)]
    variables = environment(settings)
    processes = [
        Process(["serve", "--port", str(port), *arguments], variables, folder / f"node-{port}.log") for port in ports
    ]
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    try:
        for url in urls:
            wait_until_ready(url)
        yield urls
    finally:
        for process in processes:
            process.stop()


def wait_until_ready(url: str, seconds: float = 60) -> None:
    """Until the service can do its work."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if httpx.get(f"{url}/readyz", timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline, "the service did not become ready"
        time.sleep(0.05)
