"""One data directory, and the server that runs on it."""

import fcntl
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from app.embedded.programs import VERSION, unprivileged_owner
from app.embedded.unavailable import EmbeddedUnavailable

DATABASE = "portal"
PORT = 5432  # only a part of the socket's name: nothing listens on the network
SUPERUSER = "postgres"

_START_SECONDS = 60
_STOP_SECONDS = 60
_LONGEST_SOCKET_PATH = 100  # bytes; the systems allow 103 to 107
_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class _Postmaster(NamedTuple):
    """What PostgreSQL writes about itself into `postmaster.pid`."""

    number: int
    socket_folder: Path
    status: str


class Cluster:
    """The data directory in a folder, and the programs that work on it."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self._folder = folder
        self._data = folder / "cluster"
        self._pid_file = self._data / "postmaster.pid"
        self._log = folder / "postgres.log"
        self._programs = programs
        self._owner = unprivileged_owner(folder, programs) if os.geteuid() == 0 else None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep every other process and thread from starting or stopping this server."""
        with (self._folder / "start.lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def ensure_running(self, *, durable: bool) -> Path:
        """Start the server unless it runs, wait until it answers, and return the folder of its socket."""
        self._ensure_made(durable=durable)
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            processes = self._processes()
            postmaster = self._postmaster(processes)
            if postmaster is not None and postmaster.status == "ready":
                return postmaster.socket_folder
            if processes:  # recovering, stopping, or children of a killed postmaster that are about to notice
                time.sleep(0.05)
                continue
            # PostgreSQL takes any process of the number in a stale file for its server: a stranger, or an unburied one.
            for stale in (self._pid_file, self._data / f".s.PGSQL.{PORT}.lock"):
                stale.unlink(missing_ok=True)
            self._launch(durable=durable, seconds=deadline - time.monotonic())
        raise EmbeddedUnavailable(
            f"Embedded PostgreSQL did not answer within {_START_SECONDS} s; {self._log} tells what it is doing."
        )

    def ensure_database(self, socket_folder: Path) -> None:
        """Make the service's database unless it exists."""
        statement = (
            f"SELECT 'CREATE DATABASE {DATABASE}' "  # noqa: S608  (a constant)
            f"WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{DATABASE}') \\gexec\n"
        )
        options = ["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--username", SUPERUSER]
        self._run("psql", *options, "--host", str(socket_folder), "--port", str(PORT), "postgres", statement=statement)

    def stop_unless_used(self, users: IO[bytes]) -> None:
        """Give up the shared lock of `users`, and stop the server if nobody else has one."""
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        postmaster = self._postmaster(self._processes())
        if postmaster is None or postmaster.status != "ready":  # a long recovery goes on, for the next start to use
            return
        os.kill(postmaster.number, signal.SIGINT)  # its fast shutdown: clients are sent away, the data is written
        deadline = time.monotonic() + _STOP_SECONDS
        while self._processes() and time.monotonic() < deadline:
            time.sleep(0.02)
        if postmaster.socket_folder != self._data:
            shutil.rmtree(postmaster.socket_folder, ignore_errors=True)

    def _ensure_made(self, *, durable: bool) -> None:
        version = self._data / "PG_VERSION"
        if version.exists():
            if (found := version.read_text().strip()) != str(VERSION):
                raise EmbeddedUnavailable(
                    f"{self._data} holds data of PostgreSQL {found}, and this release brings {VERSION}: "
                    "set PORTAL_DATA_DIR to another folder, or dump it with its own release and restore it here."
                )
            return
        draft = self._folder / "cluster.draft"  # renamed when whole, so that a kill leaves no half a cluster
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        self._give(draft)
        self._run(
            "initdb",
            f"--pgdata={draft}",
            f"--username={SUPERUSER}",
            "--auth=trust",  # the socket lies in a folder that only its owner and root may enter
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",  # sorts alike on every system
            "--no-instructions",
            *([] if durable else ["--no-sync"]),
        )
        draft.rename(self._data)

    def _launch(self, *, durable: bool, seconds: float) -> None:
        if self._log.exists():
            self._log.replace(self._log.with_suffix(".log.previous"))
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._socket_folder()),
            "port": str(PORT),
            "max_connections": "200" if durable else "500",
            **({} if durable else _FAST),
        }
        options = shlex.join(part for name, value in settings.items() for part in ("-c", f"{name}={value}"))
        with self._log.open("ab") as log:
            try:
                self._run(
                    "pg_ctl",
                    "start",
                    "--wait",
                    f"--timeout={max(1, round(seconds))}",
                    f"--options={options}",
                    log=log,
                )
            except EmbeddedUnavailable:
                if self._processes():  # it is slow, or another one was quicker: the caller looks again
                    return
                lines = self._log.read_text(errors="replace").splitlines()
                fatal = [line for line in lines if "FATAL:" in line]  # what follows it is pg_ctl's advice
                reason = (fatal or lines or ["it wrote nothing"])[-1]
                raise EmbeddedUnavailable(f"Embedded PostgreSQL did not start ({self._log}): {reason}") from None

    def _socket_folder(self) -> Path:
        path = str(self._data / f".s.PGSQL.{PORT}")
        if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH and not set(path) & set(",\"'"):
            return self._data
        folder = Path(tempfile.mkdtemp(prefix="portal-postgres-"))
        self._give(folder)
        return folder

    def _give(self, folder: Path) -> None:
        if self._owner is not None:
            os.chown(folder, self._owner.pw_uid, self._owner.pw_gid)

    def _processes(self) -> set[str]:
        """The numbers of this cluster's PostgreSQL processes: each has the data directory as its working directory."""
        import psutil  # noqa: PLC0415  (comes with the wheel, so not where only a URL is used)

        found = set()
        for process in psutil.process_iter():
            try:
                if process.name().startswith("postgres") and process.cwd() == str(self._data):
                    found.add(str(process.pid))
            except psutil.Error:  # gone meanwhile, a zombie, or another user's
                continue
        return found

    def _postmaster(self, processes: set[str]) -> _Postmaster | None:
        """The server, if the pid file names a process of this cluster."""
        try:
            lines = self._pid_file.read_text().splitlines()
        except FileNotFoundError:
            return None
        if len(lines) < 5 or lines[0] not in processes:  # written line by line while it starts
            return None
        status = lines[7].strip() if len(lines) > 7 else "starting"
        return _Postmaster(number=int(lines[0]), socket_folder=Path(lines[4]), status=status)

    def _run(self, program: str, *arguments: str, statement: str = "", log: IO[bytes] | None = None) -> None:
        """Run a program of PostgreSQL to its end.

        Raises: EmbeddedUnavailable, with the last line that the program wrote.
        """
        owner = self._owner
        with tempfile.TemporaryFile() as own:  # no pipe: the server keeps what it inherits open
            written = log or own
            try:
                ended = subprocess.run(
                    [self._programs / program, *arguments],
                    check=False,
                    input=statement.encode(),
                    stdout=written,
                    stderr=written,
                    cwd=self._folder,
                    # No PG… variable of the user's may steer it, no language and no time zone either.
                    env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", "PGDATA": str(self._data)},
                    start_new_session=True,
                    user=owner.pw_uid if owner else None,
                    group=owner.pw_gid if owner else None,
                    extra_groups=[] if owner else None,
                )
            except OSError as error:
                raise EmbeddedUnavailable(
                    f"PostgreSQL of the wheel cannot run here ({program}: {error.strerror}): set PORTAL_DATABASE_URL."
                ) from None
            if ended.returncode != 0:
                own.seek(0)
                lines = own.read().decode(errors="replace").splitlines() or [f"exit {ended.returncode}"]
                raise EmbeddedUnavailable(f"Embedded PostgreSQL failed in {self._folder}: {program}: {lines[-1]}")
