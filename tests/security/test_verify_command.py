"""`portal-access verify`: what it says, how it ends, and how little it takes."""

import json
import os
import pty
import re
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from app.ids import new_id
from app.repositories.unit_of_work import Transactions
from app.seal_keys import SealSigner
from app.services.log_verification import LogVerification
from tests.journeys.sealing import (
    behind_its_back,
    enqueue,
    entry,
    old_entries,
    remove,
    seal,
    verification,
    with_transactions,
)
from tests.support.databases import Sql, drop, fresh_copy
from tests.support.mail import Mailbox
from tests.support.service import SECRET, environment, listening, test_settings
from tests.support.world import Customer, Utility, World

pytestmark = pytest.mark.usefixtures("unplanned")

_COMMAND = str(Path(sys.executable).parent / "portal-access")
_OTHER = "another-key-of-the-tests-0123456789-abcdefg"


def verify(utility: Utility, *arguments: str, everyone: bool = False, **variables: str) -> tuple[int, str, str]:
    """Exit status, output and complaints."""
    only = [] if everyone else ["--organisation", str(utility.organisation)]
    done = subprocess.run(
        [_COMMAND, "verify", *only, *arguments],
        env=environment(utility.world.settings, **variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def head(utility: Utility) -> str:
    """The newest seal's name, as somebody wrote it down."""
    status, output, _ = verify(utility, "--json")
    assert status == 0
    return str(json.loads(output)[0]["head"])


@pytest.fixture
def sealed(customer: Customer) -> Utility:
    """An organisation with some sealed entries."""
    customer.invite()
    seal(customer.utility)
    return customer.utility


def test_a_sound_log_is_status_0_and_nothing_on_standard_error(sealed: Utility) -> None:
    status, output, errors = verify(sealed)
    assert (status, errors) == (0, "")
    assert f"{sealed.organisation}  complete and unchanged" in output
    assert head(sealed) in output


@pytest.mark.asvs("16.4.2")
def test_tampering_is_status_1_and_named(sealed: Utility) -> None:
    removed = entry(sealed)
    remove(sealed, removed)
    status, output, errors = verify(sealed)
    assert (status, errors) == (1, "")
    assert "NOT AS IT WAS SEALED" in output
    assert re.search(rf"removed \(seal \d\) {removed} ", output)


def test_for_programs_it_says_what_the_api_says(sealed: Utility) -> None:
    remove(sealed, entry(sealed))
    status, output, _ = verify(sealed, "--json")
    (told,) = json.loads(output)
    assert status == 1
    assert told.items() >= verification(sealed).items()
    assert told["organisationId"] == str(sealed.organisation)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--organisation", "noise"),
        ("--public-key", "noise"),
        ("--public-key", "AAAA"),
        ("--expect-head", "noise"),
        ("--noise", "noise"),
    ],
)
def test_a_wrong_option_is_status_2(utility: Utility, option: str, value: str) -> None:
    status, output, errors = verify(utility, option, value)
    assert (status, output) == (2, "")
    assert option in errors


def test_a_weak_key_is_status_2_and_said_in_one_line(utility: Utility) -> None:
    status, output, errors = verify(utility, PORTAL_SEAL_KEY="too short")
    assert (status, output) == (2, "")
    assert "PORTAL_SEAL_KEY" in errors
    assert len(errors.strip().splitlines()) == 1


def test_a_database_that_was_never_migrated_is_status_2_and_said_in_one_line(
    world: World, server: str, worker_id: str
) -> None:
    name = f"portal_bare_{worker_id}"
    url = fresh_copy(server, name)
    Sql(url).run("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    status, output, errors = verify(Utility(world, new_id(), new_id()), PORTAL_DATABASE_URL=url)
    drop(server, name)
    assert (status, output) == (2, "")
    assert "portal-access migrate" in errors
    assert len(errors.strip().splitlines()) == 1


@pytest.mark.asvs("16.4.2")
def test_a_wrong_key_is_told_from_tampering_with_entries(sealed: Utility) -> None:
    status, output, _ = verify(sealed, PORTAL_SEAL_KEY=_OTHER)
    assert status == 1
    assert "made under another PORTAL_SEAL_KEY" in output
    assert "sealbroken (seal 1)" in output


def test_keys_rotate(sealed: Utility) -> None:
    assert verify(sealed, PORTAL_SEAL_KEY=f"{_OTHER},{SECRET}", PORTAL_SECRET_KEYS=_OTHER[::-1])[0] == 0


def test_an_auditor_needs_the_public_key_alone(sealed: Utility) -> None:
    (key,) = SealSigner([SECRET]).verifier.public_keys
    assert verify(sealed, "--public-key", key, PORTAL_SECRET_KEYS=_OTHER)[0] == 0
    assert key in verify(sealed)[1]


@pytest.mark.asvs("16.4.2")
def test_newest_seals_that_were_taken_away_are_missed_by_who_kept_a_head(sealed: Utility) -> None:
    first = head(sealed)
    sealed.customer().invite()
    seal(sealed)
    newest = head(sealed)
    assert verify(sealed, "--expect-head", first)[0] == 0
    sequence = int(newest.split(":")[1])
    for table in ("activity_seals", "sealed_entries"):
        delete = f"DELETE FROM {table} WHERE organisation_id = $1 AND sequence = $2"
        behind_its_back(sealed.world.sql, delete, sealed.organisation, sequence)
    assert verify(sealed)[0] == 0, "the database alone cannot tell"
    status, output, _ = verify(sealed, "--expect-head", newest)
    assert status == 1
    assert newest in output
    seal(sealed)
    assert verify(sealed, "--expect-head", newest)[0] == 1, "nor is it the same seal again"


@pytest.fixture(scope="module")
def quiet(server: str, worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A service on a database of its own, whose logs are all sound."""
    name = f"portal_verify_{worker_id}"
    settings = test_settings(database_url=fresh_copy(server, name), data_dir=tmp_path_factory.mktemp("data"))
    with listening(settings) as (address, _), httpx.Client(timeout=20) as http:
        yield World(address, settings, Sql(str(settings.database_url)), Mailbox(), http)
    drop(server, name)


def test_without_an_option_all_organisations_are_verified(quiet: World) -> None:
    utilities = [quiet.utility() for _ in range(3)]
    enqueue(quiet.sql, "plan_seals", {})
    for utility in utilities:
        count = "SELECT count(*) FROM activity_seals WHERE organisation_id = $1"
        quiet.sql.wait_until(count, bool, utility.organisation, doing=lambda: enqueue(quiet.sql, "plan_seals", {}))
    status, output, _ = verify(utilities[0], "--json", everyone=True)
    assert status == 0
    assert {one["organisationId"] for one in json.loads(output)} >= {str(one.organisation) for one in utilities}
    remove(utilities[1], entry(utilities[1], "PortalSettingsChanged"))
    status, output, _ = verify(utilities[0], "--json", everyone=True)
    assert status == 1
    wrong = [one["organisationId"] for one in json.loads(output) if not one["verified"]]
    assert wrong == [str(utilities[1].organisation)]


def test_on_a_terminal_its_progress_is_shown(sealed: Utility) -> None:
    old_entries(sealed, timedelta(seconds=1), 3_000)
    seal(sealed)
    ours, its = pty.openpty()
    process = subprocess.Popen(
        [_COMMAND, "verify", "--organisation", str(sealed.organisation)],
        env=environment(sealed.world.settings, TERM="xterm", COLUMNS="160"),
        stdout=subprocess.PIPE,
        stderr=its,
    )
    os.close(its)
    output, _ = process.communicate(timeout=60)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert process.returncode == 0
    assert str(sealed.organisation) in shown
    assert "100%" in shown
    assert b"complete and unchanged" in output
    assert b"100%" not in output


def test_its_memory_does_not_grow_with_the_log(utility: Utility) -> None:
    def peak() -> int:
        async def work(transaction: Transactions) -> int:
            verifier = SealSigner(utility.world.settings.secret_keys).verifier
            found = await LogVerification(transaction, verifier).verify(utility.organisation)
            assert found.verified
            tracemalloc.reset_peak()
            await LogVerification(transaction, verifier).verify(utility.organisation)
            return tracemalloc.get_traced_memory()[1]

        tracemalloc.start()
        try:
            return with_transactions(utility.world.settings, work)
        finally:
            tracemalloc.stop()

    old_entries(utility, timedelta(seconds=1), 3_000)
    seal(utility)
    small = peak()
    old_entries(utility, timedelta(seconds=1), 12_000)
    seal(utility)
    assert verification(utility)["checkedEntries"] > 15_000
    assert peak() < small * 1.3
