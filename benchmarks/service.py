"""The product with a PostgreSQL of its own, for as long as a benchmark takes."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.support.databases import Sql, drop, fresh_copy, postgres
from tests.support.mail import Mailbox
from tests.support.service import Process, api_process, test_settings
from tests.support.world import World

_NAME = "portal_benchmark"


@dataclass(frozen=True)
class Stage:
    """The service, and what it stands on."""

    world: World
    process: Process
    server: str
    folder: Path

    def another_database(self) -> str:
        """An empty one with the same tables; its URL."""
        return fresh_copy(self.server, f"{_NAME}_other")


@contextmanager
def staged(*arguments: str, **settings: Any) -> Iterator[Stage]:
    """The API in a process of its own, started with these arguments and settings."""
    folder = Path(tempfile.mkdtemp(prefix="portal-access-benchmark-"))
    try:
        with postgres(folder) as server, httpx.Client(timeout=600) as http:
            url = fresh_copy(server, _NAME)
            made = test_settings(database_url=url, data_dir=folder / "data", **settings)
            variables = {f"PORTAL_{name.upper()}": str(value) for name, value in settings.items()}
            with api_process(made, folder / "log", *arguments, **variables) as (address, process):
                yield Stage(World(address, made, Sql(url), Mailbox(), http), process, server, folder)
            drop(server, _NAME)
            drop(server, f"{_NAME}_other")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
