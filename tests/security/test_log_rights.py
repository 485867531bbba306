"""The database's own rights: who answers requests cannot touch the log, who works on jobs can seal it and no more."""

from collections.abc import Iterator
from datetime import timedelta

import asyncpg
import httpx
import pytest

from tests.journeys.sealing import old_entries, problems, seal_alone, tend_alone, unsealed
from tests.support.databases import Sql, drop, fresh_copy
from tests.support.mail import Mailbox
from tests.support.service import listening, test_settings
from tests.support.world import World

# As the README has it.
_RIGHTS = """
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {api}, {worker};
REVOKE UPDATE, DELETE, TRUNCATE ON activities FROM {api};
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON activity_seals, sealed_entries FROM {api};
REVOKE UPDATE, TRUNCATE ON activities, sealed_entries FROM {worker};
REVOKE UPDATE, DELETE, TRUNCATE ON activity_seals FROM {worker};
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {api}, {worker};
"""
_SEAL = "INSERT INTO {} SELECT * FROM {} WHERE false"


def acting_as(url: str, role: str) -> str:
    """The same database with the rights of this role alone."""
    return f"{url}{'&' if '?' in url else '?'}role={role}"


@pytest.fixture(scope="module")
def url(server: str, worker_id: str) -> Iterator[str]:
    """A database with two roles of its own."""
    name, roles = f"portal_rights_{worker_id}", {who: f"portal_{who}_{worker_id}" for who in ("api", "worker")}
    url = fresh_copy(server, name)
    Sql(url).run("".join(f"DROP ROLE IF EXISTS {role}; CREATE ROLE {role};" for role in roles.values()))
    Sql(url).run(_RIGHTS.format(**roles))
    yield url
    drop(server, name)
    Sql(server).run("".join(f"DROP ROLE {role};" for role in roles.values()))


@pytest.mark.asvs("16.4.2")
def test_the_log_is_written_sealed_verified_and_shortened_by_those_who_cannot_change_it(
    url: str, worker_id: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("data")
    answering = test_settings(database_url=acting_as(url, f"portal_api_{worker_id}"), data_dir=folder, run_worker=False)
    working = test_settings(database_url=acting_as(url, f"portal_worker_{worker_id}"), data_dir=folder)
    with listening(answering) as (address, _), httpx.Client(timeout=20) as http:
        utility = World(address, working, Sql(url), Mailbox(), http).utility(retentionDays=30)
        old_entries(utility, timedelta(days=31), 3)
        count = "SELECT count(*) FROM activities WHERE organisation_id = $1"
        before = utility.world.sql.value(count, utility.organisation)
        utility.world.sql.wait_until(
            "SELECT count(*) FROM activity_seals WHERE organisation_id = $1",
            lambda _: unsealed(utility) == 0,
            utility.organisation,
            doing=lambda: seal_alone(utility),
        )
        assert problems(utility) == []
        tend_alone(utility)
        assert problems(utility) == []
        assert utility.world.sql.value(count, utility.organisation) == before - 3


@pytest.mark.parametrize(
    ("who", "change"),
    [
        ("api", "UPDATE activities SET payload = '{}'"),
        ("api", "DELETE FROM activities"),
        ("api", "TRUNCATE activities"),
        ("api", _SEAL.format("activity_seals", "activity_seals")),
        ("api", _SEAL.format("sealed_entries", "sealed_entries")),
        ("api", "DELETE FROM sealed_entries"),
        ("worker", "UPDATE activities SET payload = '{}'"),
        ("worker", "TRUNCATE activities"),
        ("worker", "UPDATE activity_seals SET signature = ''"),
        ("worker", "DELETE FROM activity_seals"),
        ("worker", "UPDATE sealed_entries SET list = ''"),
        ("worker", "ALTER TABLE activities DISABLE TRIGGER ALL"),
    ],
)
@pytest.mark.asvs("16.4.2")
def test_a_role_of_the_service_has_no_right_to(url: str, worker_id: str, who: str, change: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        Sql(acting_as(url, f"portal_{who}_{worker_id}")).run(change)
