"""PgBouncer, in transaction mode, before a database of the tests."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests.support.proxy import Proxy
from tests.support.service import free_port

PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

_NOBODY = 65534
_SETTINGS = """
[databases]
* = {target}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {connections}
max_client_conn = 500
"""


@contextmanager
def pooled(url: str, *, connections: int) -> Iterator[str]:
    """The database by way of a pooler that has so many connections to it."""
    assert PGBOUNCER is not None
    # By way of a proxy: the user that it runs as may not reach the socket of embedded PostgreSQL.
    with Proxy(url) as way:
        parts = urlsplit(way.url)
        server = {"host": parts.hostname, "port": parts.port, "user": unquote(parts.username or "postgres")}
        if parts.password:
            server["password"] = unquote(parts.password)
        target = " ".join(f"{name}={value}" for name, value in server.items())
        with _running(target, connections) as port:
            yield f"postgresql://anybody@127.0.0.1:{port}{parts.path}"


@contextmanager
def _running(target: str, connections: int) -> Iterator[int]:
    port = free_port()
    folder = Path(tempfile.mkdtemp(prefix="portal-pooler-"))
    try:
        settings = folder / "pgbouncer.ini"
        settings.write_text(_SETTINGS.format(target=target, port=port, connections=connections))
        user = _NOBODY if os.geteuid() == 0 else None  # it refuses root
        if user:
            for path in (folder, settings):
                os.chown(path, user, -1)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([PGBOUNCER, str(settings)], stdout=log, stderr=log, user=user)
        try:
            _wait(port, process, folder / "log")
            yield port
        finally:
            process.terminate()
            process.wait(10)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 20
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
