"""A process of the service as it is by itself, but that it counts no caller, and has time on a busy machine."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.support.service import Process, api_process
from tests.support.world import World


@pytest.fixture(scope="session")
def real(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Process]]:
    """The process, and the world as it is seen there."""
    log, variables = tmp_path_factory.mktemp("real") / "log", {"PORTAL_DATABASE_WAIT_SECONDS": "10"}
    with api_process(world.settings, log, "--no-worker", **variables) as (url, process):
        yield replace(world, url=url), process
