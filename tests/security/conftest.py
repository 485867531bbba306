"""Several real API processes on the database of the tests' service."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import httpx
import pytest

from tests.support.service import api_processes
from tests.support.world import World

NODES = 3


@pytest.fixture(scope="session")
def nodes(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[World]]:
    """The same world as it is seen through each of three nodes; jobs are left to the tests' own worker."""
    folder = tmp_path_factory.mktemp("nodes")
    with ExitStack() as stack:
        urls = stack.enter_context(api_processes(world.settings, folder, NODES, "--no-worker"))
        yield [replace(world, url=url, http=stack.enter_context(httpx.Client(timeout=20))) for url in urls]
