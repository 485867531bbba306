"""A whole installation of its own: two API processes and two workers on one database, each of which can be killed."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.settings import Settings
from tests.support.service import Process, environment, free_port, wait_until_ready


@dataclass
class Member:
    """One process, which can be started again as it was."""

    name: str
    arguments: list[str]
    variables: dict[str, str]
    log: Path
    port: int | None
    process: Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and do not wait."""
        self.process = Process(self.arguments, self.variables, self.log)

    def kill(self) -> None:
        """End it at once."""
        assert self.process is not None
        self.process.kill()

    def stop(self) -> int:
        """Ask it to end, and wait."""
        assert self.process is not None
        return self.process.stop()


class Crowd:
    """The processes of an installation."""

    def __init__(self, settings: Settings, smtp_url: str, folder: Path) -> None:
        variables = environment(settings, PORTAL_SMTP_URL=smtp_url, PORTAL_MAIL_RETRY_SECONDS="0.2")
        ports = [free_port(), free_port()]
        self.nodes = [
            Member(
                f"node {port}", ["serve", "--no-worker", "--port", str(port)], variables, folder / f"{port}.log", port
            )
            for port in ports
        ]
        self.workers = [
            Member(f"worker {number}", ["worker"], variables, folder / f"worker-{number}.log", None)
            for number in range(2)
        ]

    @contextmanager
    def running(self) -> Iterator["Crowd"]:
        """All of them, until the block ends."""
        everyone = self.nodes + self.workers
        for member in everyone:
            member.start()
        try:
            self.wait_until_ready()
            yield self
        finally:
            for member in everyone:
                member.stop()

    def wait_until_ready(self) -> None:
        """Until every node answers."""
        for node in self.nodes:
            wait_until_ready(node.url, seconds=60)

    def kill_and_restart(self, member: Member) -> None:
        """Without warning, and at once again."""
        member.kill()
        member.start()

    def anyone(self, chance: random.Random) -> Member:
        """Whoever it hits."""
        return chance.choice(self.nodes + self.workers)
