"""How PostgreSQL goes about the reads when there is much: by an index, and never by sorting all that a customer has.

Judged are plans made for all arguments alike, over 20,000 customers and 120,000 entries in the log.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import asyncpg
import httpx
import pytest

from app.database import Database
from benchmarks.growth import Stage
from tests.support.databases import Sql, drop, fresh_copy, run
from tests.support.mail import SmtpServer
from tests.support.service import listening, test_settings
from tests.support.world import World

Plan = dict[str, Any]


@pytest.fixture(scope="module")
def plans(
    server: str, worker_id: str, smtp: SmtpServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, list[Plan]]]:
    """The plans of each read's statements."""
    name = f"portal_plans_{worker_id}"
    url = fresh_copy(server, name)
    settings = test_settings(database_url=url, smtp_url=smtp.url, data_dir=tmp_path_factory.mktemp("data"))
    with listening(settings) as (address, _), httpx.Client(timeout=20) as http:
        world = World(address, settings, Sql(url), smtp.mailbox, http)
        stage = Stage.at(world, customers=20_000, activities=100_000, of_one=20_000)
        world.sql.run("ANALYZE")
    alone = settings.model_copy(update={"run_worker": False})
    with listening(alone) as (address, app), httpx.Client(timeout=20) as http:
        watched = stage.asking(replace(world, url=address, http=http))
        yield run(url, lambda connection: _explained(connection, _statements(watched, app.state.database)))
    drop(server, name)


def _statements(stage: Stage, database: Database) -> dict[str, list[str]]:
    """What each read says to the database."""
    said: list[str] = []
    database.watchers.append(said.append)
    found = {}
    for name, read in stage.reads():
        said.clear()
        assert read().status_code == 200
        stage.utility.world.http.get(f"{stage.utility.world.url}/healthz")  # by now the last one has been told too
        found[name] = [one for one in said if "organisation_id" in one]
    return found


async def _explained(connection: asyncpg.Connection, statements: dict[str, list[str]]) -> dict[str, list[Plan]]:
    # An index is taken wherever there is one that can serve, however small the table.
    for setting in ("plan_cache_mode = force_generic_plan", "enable_seqscan = off"):
        await connection.execute(f"SET {setting}")
    found: dict[str, list[Plan]] = {}
    for name, texts in statements.items():
        found[name] = []
        for text in texts:
            nulls = ", ".join(["NULL"] * len(set(re.findall(r"\$\d+", text))))
            await connection.execute(f"PREPARE asked AS {text}")
            explained = await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE asked({nulls})")
            await connection.execute("DEALLOCATE asked")
            found[name].append(json.loads(explained)[0]["Plan"])
    return found


def _nodes(plan: Plan) -> Iterator[Plan]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)


def _unlimited(plan: Plan) -> Iterator[Plan]:
    """The nodes below that read on until there is no more."""
    for part in plan.get("Plans", ()):
        if part["Node Type"] != "Limit":
            yield part
            yield from _unlimited(part)


def test_no_read_walks_through_a_whole_table(plans: dict[str, list[Plan]]) -> None:
    walked = {
        (name, node["Relation Name"])
        for name, found in plans.items()
        for plan in found
        for node in _nodes(plan)
        if node["Node Type"] == "Seq Scan"
    }
    assert walked == set()


def test_no_read_sorts_all_that_happened_to_a_customer(plans: dict[str, list[Plan]]) -> None:
    sorted_ = {
        name
        for name, found in plans.items()
        for plan in found
        for node in _nodes(plan)
        if node["Node Type"] == "Sort" and any(below.get("Relation Name") == "activities" for below in _unlimited(node))
    }
    assert sorted_ == set()


def test_every_read_of_the_log_was_looked_at(plans: dict[str, list[Plan]]) -> None:
    assert all(plans.values()), [name for name, found in plans.items() if not found]
    assert len(plans) > 15
