"""More than one process of the service."""

from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from tests.journeys.test_races import MANY
from tests.support.service import api_process
from tests.support.world import World


@pytest.fixture(scope="module")
def nodes(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[World]]:
    """Two processes beside the tests' own service, on the same database."""
    log = tmp_path_factory.mktemp("nodes")
    with (
        api_process(world.settings, log / "first.log", "--no-worker") as (first, _),
        api_process(world.settings, log / "second.log", "--no-worker") as (second, _),
        httpx.Client(timeout=20, limits=httpx.Limits(max_connections=MANY)) as http,
    ):
        yield [replace(world, url=url, http=http) for url in (first, second)]
