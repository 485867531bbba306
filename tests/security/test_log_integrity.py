"""The log proves itself: what is changed, removed or inserted behind the service's back is found and named.

The tests do what only a superuser of the database can: no trigger sees it.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from app.ids import new_id
from app.permissions import Permission
from tests.api.expect import problem
from tests.journeys.sealing import (
    TRANSACTIONS,
    behind_its_back,
    entry,
    insert,
    old_entries,
    problems,
    remove,
    seal,
    seal_what_can_be,
    verification,
)
from tests.support.world import Customer, Utility, World

pytestmark = pytest.mark.usefixtures("unplanned")

_URL = "/organisation/activities/verification"


@pytest.fixture
def sealed(customer: Customer) -> Utility:
    """An organisation with some sealed entries."""
    customer.invite()
    seal(customer.utility)
    return customer.utility


def test_a_sealed_log_is_complete_and_unchanged(sealed: Utility) -> None:
    found = verification(sealed)
    times = [one["occurredDateTime"] for one in sealed.employee().get("/organisation/activities").json()["results"]]
    assert found == {
        "verified": True,
        "checkedEntries": len(times),
        "firstDateTime": times[-1],
        "lastDateTime": times[0],
        "sealedUntilDateTime": times[0],
        "problems": [],
    }


def test_new_entries_wait_for_their_seal(sealed: Utility) -> None:
    before = verification(sealed)
    sealed.customer().invite()
    after = verification(sealed)
    assert after["checkedEntries"] == before["checkedEntries"]
    assert after["lastDateTime"] > after["sealedUntilDateTime"] == before["sealedUntilDateTime"]
    assert after["verified"] is True
    seal(sealed)
    assert verification(sealed)["checkedEntries"] > before["checkedEntries"]


def test_a_log_without_seals_has_nothing_to_prove(world: World) -> None:
    nobody = Utility(world, new_id(), new_id())
    assert verification(nobody) == {
        "verified": True,
        "checkedEntries": 0,
        "firstDateTime": None,
        "lastDateTime": None,
        "sealedUntilDateTime": None,
        "problems": [],
    }


@pytest.mark.parametrize(
    "change",
    [
        'payload = payload || \'{"email": "x***@example.com"}\'',
        "occurred_at = occurred_at + interval '1 microsecond'",
        "occurred_at = occurred_at - interval '1 year'",
        "occurred_at = now() + interval '1 year'",
        "actor_name = NULL",
        "actor_name = 'null'",
        "actor_id = 'employee-8'",
        "type = 'PortalInvitationViewed'",
        "account_generation = 1",
        "ip_address = '127.0.0.2'",
        "correlation_id = ''",
        "transaction = '0'::xid8",
        "transaction = pg_current_xact_id()",
        "customer_id = NULL",
        "occurred_at = 'infinity'",
        "occurred_at = '30000-01-01'",
        "occurred_at = '4000-01-01 BC'",
        "payload = (repeat('[', 2000) || repeat(']', 2000))::jsonb",
        "payload = jsonb_build_object('a', 10::numeric ^ 5000)",
    ],
)
@pytest.mark.asvs("16.4.2")
def test_a_changed_entry_is_found_and_named(sealed: Utility, change: str) -> None:
    changed = entry(sealed)
    behind_its_back(
        sealed.world.sql,
        f"UPDATE activities SET {change} WHERE organisation_id = $1 AND id = $2",
        sealed.organisation,
        changed,
    )
    assert ("changed", str(changed)) in problems(sealed)
    assert {named for _, named in problems(sealed)} == {str(changed)}, "and nothing else is suspected"


@pytest.mark.asvs("16.4.2")
def test_a_removed_entry_is_found_and_named(sealed: Utility) -> None:
    removed = entry(sealed)
    remove(sealed, removed)
    assert problems(sealed) == [("removed", str(removed))]
    seal(sealed)
    assert problems(sealed) == [("removed", str(removed))], "later seals mend nothing"


@pytest.mark.parametrize("transaction", TRANSACTIONS)
@pytest.mark.parametrize("forged", [UUID(int=0), UUID(int=2**128 - 1), None], ids=["first", "last", "middle"])
@pytest.mark.asvs("16.4.2")
def test_an_inserted_entry_is_found_and_named(sealed: Utility, transaction: str, forged: UUID | None) -> None:
    forged = forged or new_id()
    insert(sealed, entry(sealed), forged, transaction)
    assert problems(sealed) == [("inserted", str(forged))]
    seal_more(sealed)
    assert problems(sealed) == [("inserted", str(forged))], "later seals mend nothing"


@pytest.mark.asvs("16.4.2")
def test_a_new_entry_that_claims_to_be_old_is_found_and_named(sealed: Utility) -> None:
    old_entries(sealed, timedelta(minutes=2))
    forged = str(entry(sealed, "PortalLoginFailed"))
    assert problems(sealed) == [("inserted", forged)]
    seal(sealed)
    assert problems(sealed) == [("inserted", forged)], "its seal does not excuse it"


def seal_more(utility: Utility) -> None:
    """Another seal over newer entries; what is not to be sealed stays unsealed."""
    head = "SELECT max(sequence) FROM activity_seals WHERE organisation_id = $1"
    before = utility.world.sql.value(head, utility.organisation)
    utility.customer().invite()
    utility.world.sql.wait_until(
        head, lambda sequence: sequence > before, utility.organisation, doing=lambda: seal_what_can_be(utility)
    )


def test_of_very_many_problems_some_are_told(utility: Utility) -> None:
    old_entries(utility, timedelta(hours=1), 150)
    seal(utility)
    delete = "DELETE FROM activities WHERE organisation_id = $1 AND correlation_id = 'old'"
    assert utility.world.sql.unseen(delete, utility.organisation) == "DELETE 150"
    assert [kind for kind, _ in problems(utility)] == ["removed"] * 100


@pytest.fixture
def thrice(sealed: Utility) -> Utility:
    """An organisation with three seals."""
    for _ in range(2):
        seal_more(sealed)
    return sealed


_FIRST = "WHERE organisation_id = $1 AND sequence = 1"
_SEAL = "WHERE organisation_id = $1 AND sequence = 2"


@pytest.mark.parametrize(
    "change",
    [
        f"DELETE FROM activity_seals {_SEAL}",
        f"DELETE FROM sealed_entries {_SEAL}",
        f"UPDATE sealed_entries SET list = '' {_SEAL}",
        f"UPDATE sealed_entries SET list = list || list {_SEAL}",
        f"UPDATE sealed_entries SET list = (SELECT list FROM sealed_entries {_FIRST}) {_SEAL}",
        f"UPDATE activity_seals SET signature = '' {_SEAL}",
        f"UPDATE activity_seals SET signature = (SELECT signature FROM activity_seals {_FIRST}) {_SEAL}",
        f"UPDATE activity_seals SET kind = 'removal' {_SEAL}",
        f"UPDATE activity_seals SET form = 0 {_SEAL}",
        f"UPDATE activity_seals SET ends_transaction = begins_transaction {_SEAL}",
        f"UPDATE activity_seals SET removed_before = now() {_SEAL}",
        f"UPDATE activity_seals SET sequence = 20 {_SEAL}",
        f"UPDATE activity_seals SET sequence = 0 {_SEAL}",
    ],
)
@pytest.mark.asvs("16.4.2")
def test_a_seal_that_was_changed_replaced_or_taken_away_is_found(thrice: Utility, change: str) -> None:
    behind_its_back(thrice.world.sql, change, thrice.organisation)
    found = verification(thrice)
    assert found["verified"] is False
    broken = {one["sealSequence"] for one in found["problems"] if one["kind"] == "sealbroken"}
    assert broken & {0, 2, 3, 20}
    assert 1 not in broken


def test_two_seals_that_change_places_are_found(thrice: Utility) -> None:
    moves = ((2, 20), (3, 2), (20, 3))
    for table in ("activity_seals", "sealed_entries"):
        for here, there in moves:
            move = f"UPDATE {table} SET sequence = {there} WHERE organisation_id = $1 AND sequence = {here}"
            behind_its_back(thrice.world.sql, move, thrice.organisation)
    assert {kind for kind, _ in problems(thrice)} == {"sealbroken"}


def test_another_organisations_seals_prove_nothing(sealed: Utility) -> None:
    stranger = sealed.world.utility()
    for table in ("activity_seals", "sealed_entries"):
        move = f"UPDATE {table} SET organisation_id = $2 WHERE organisation_id = $1"
        assert sealed.world.sql.unseen(move, sealed.organisation, stranger.organisation) != "UPDATE 0"
    assert verification(stranger)["verified"] is False


def test_another_organisations_log_is_none_of_its_business(sealed: Utility) -> None:
    stranger = sealed.world.utility()
    seal(stranger)
    remove(sealed, entry(sealed))
    assert problems(sealed) != []
    assert problems(stranger) == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE activity_seals SET signature = ''",
        "DELETE FROM activity_seals",
        "TRUNCATE activity_seals",
        "UPDATE sealed_entries SET list = ''",
        "DELETE FROM sealed_entries",
        "TRUNCATE sealed_entries",
    ],
)
@pytest.mark.asvs("16.4.2")
def test_seals_are_append_only_too(sealed: Utility, change: str) -> None:
    with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
        sealed.world.sql.run(change)
    assert problems(sealed) == []


def test_who_may_read_the_log_may_have_it_verified(sealed: Utility) -> None:
    assert sealed.employee(None, Permission.PORTAL_ACTIVITY_READ).get(_URL).status_code == 200
    without = sealed.employee(None, *(set(Permission) - {Permission.PORTAL_ACTIVITY_READ}))
    problem(without.get(_URL), 403, "PERMISSION_INVALID")
    stranger = sealed.world.utility()
    problem(stranger.employee().get(_URL, headers=sealed.headers), 403, "PERMISSION_INVALID")
    problem(sealed.portal.get(_URL), 401, "UNAUTHENTICATED")


def test_a_log_is_verified_once_at_a_time(sealed: Utility) -> None:
    stranger = sealed.world.utility()
    held = sealed.world.sql.holding("LOCK TABLE activity_seals IN ACCESS EXCLUSIVE MODE")
    with ThreadPoolExecutor(1) as threads:
        with held:
            first = threads.submit(verification, sealed)
            sealed.world.sql.wait_for_waiting(1)
            problem(sealed.employee().get(_URL), 503, "TEMPORARILY_UNAVAILABLE")
        assert first.result(20)["verified"] is True
    assert verification(sealed)["verified"] is verification(stranger)["verified"] is True
