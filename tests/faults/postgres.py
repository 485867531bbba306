"""A PostgreSQL of a test's own, which can be killed, stopped, frozen and started again."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from app.embedded import EmbeddedPostgres, start
from app.migrating import migrate


class OwnPostgres:
    """The server in one folder; its address stays the same."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._hold: EmbeddedPostgres | None = None

    @property
    def url(self) -> str:
        assert self._hold is not None
        return self._hold.url

    def start(self) -> None:
        """Come up, after a crash with its recovery."""
        self.let_go()
        self._hold = start(self._folder)

    def kill(self) -> None:
        """Crash: every process of it is gone at once."""
        self._signal(signal.SIGKILL)
        self._until_gone()

    def restart(self) -> None:
        """What an administrator does: clients are sent away."""
        os.kill(self._postmaster(), signal.SIGINT)
        self._until_gone()
        self.start()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It takes connections and never answers, until the block ends."""
        self._signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT)

    def let_go(self) -> None:
        """Give up the hold; the server ends with the last one."""
        if self._hold is not None:
            self._hold.stop()
            self._hold = None

    def _postmaster(self) -> int:
        return int((self._folder / "cluster" / "postmaster.pid").read_text().splitlines()[0])

    def _processes(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            try:
                if process.name().startswith("postgres") and process.cwd() == str(self._folder.resolve() / "cluster"):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def _signal(self, number: int) -> None:
        for process in self._processes():
            try:
                process.send_signal(number)
            except psutil.Error:
                continue

    def _until_gone(self) -> None:
        deadline = time.monotonic() + 20
        while self._processes():
            assert time.monotonic() < deadline, "PostgreSQL did not end"
            time.sleep(0.02)


@contextmanager
def own_postgres(folder: Path) -> Iterator[OwnPostgres]:
    """A migrated server in the folder, until the block ends."""
    server = OwnPostgres(folder)
    server.start()
    try:
        migrate(server.url)
        yield server
    finally:
        server.let_go()
