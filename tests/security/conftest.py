"""Real API processes on the database of the tests' service."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import httpx
import pytest

from tests.support.service import Process, api_process, api_processes
from tests.support.world import World

NODES = 3


@pytest.fixture(scope="session")
def nodes(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[World]]:
    """The same world as it is seen through each of three nodes; jobs are left to the tests' own worker."""
    folder = tmp_path_factory.mktemp("nodes")
    with ExitStack() as stack:
        urls = stack.enter_context(api_processes(world.settings, folder, NODES, "--no-worker"))
        yield [replace(world, url=url, http=stack.enter_context(httpx.Client(timeout=20))) for url in urls]


@pytest.fixture(scope="session")
def real(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Process]]:
    """A process that counts no caller and has time on a busy machine, and the world as it is seen there."""
    log, variables = tmp_path_factory.mktemp("real") / "log", {"PORTAL_DATABASE_WAIT_SECONDS": "10"}
    with api_process(world.settings, log, "--no-worker", **variables) as (url, process):
        yield replace(world, url=url), process


@pytest.fixture
def unplanned(world: World) -> None:
    """No log is sealed but when the test says so."""
    later = "UPDATE pgqueuer_schedules SET next_run = now() + interval '1 hour' WHERE entrypoint = 'plan_seals'"
    world.sql.wait_until("SELECT count(*) FROM pgqueuer_schedules WHERE entrypoint = 'plan_seals'", bool)
    assert world.sql.run(later) == "UPDATE 1"
