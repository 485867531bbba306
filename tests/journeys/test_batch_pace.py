"""Batches invite no faster than mail servers bear; what happens between two of their turns.

The service of these tests invites one customer every half minute. Nobody waits for it here: when the next turn comes
stands in the queue.
"""

from typing import Any

import pytest

from tests.journeys.batches import (
    cancel,
    come_due,
    counts,
    crowd,
    finished,
    look,
    next_turn,
    planned_in,
    results,
    settled,
    start,
    until,
)
from tests.journeys.reading import invitations
from tests.support.world import Customer, Utility


@pytest.fixture
def street(slow: Utility) -> list[Customer]:
    """Three customers in the order of their house numbers."""
    return [slow.customer() for _ in range(3)]


def _begun(street: list[Customer], **given: Any) -> str:
    """A batch whose first customer has been invited."""
    utility = street[0].utility
    batch = start(utility, {"customerIds": [str(customer.id) for customer in street]} | given)
    until(utility, batch["id"], invited=1, pending=2)
    return str(batch["id"])


def _outcomes(utility: Utility, batch_id: str) -> list[tuple[str, str | None]]:
    return [(one["outcome"], one["key"]) for one in results(utility, batch_id)]


def test_each_turn_is_planned_for_when_the_one_before_is_paid(slow: Utility, street: list[Customer]) -> None:
    batch = _begun(street)
    assert 10 < planned_in(slow) <= 30
    next_turn(slow)
    until(slow, batch, invited=2, pending=1)
    assert 10 < planned_in(slow) <= 30
    next_turn(slow)
    assert finished(slow, batch)["counts"] == counts(invited=3)
    for customer in street:
        assert len(invitations(customer)) == 1


def test_looked_at_too_early_a_batch_invites_nobody(slow: Utility, street: list[Customer]) -> None:
    batch = _begun(street)
    come_due(slow)
    assert until(slow, batch, invited=1, pending=2)["status"] == "running"
    assert planned_in(slow) <= 30


def test_two_batches_of_an_organisation_share_its_pace(slow: Utility, street: list[Customer]) -> None:
    first = _begun(street)
    second = start(slow, {"customerIds": [str(slow.customer().id)]})["id"]
    until(slow, second, pending=1)
    neighbour = slow.world.utility()
    other = start(neighbour, {"customerIds": [str(neighbour.customer().id)]})["id"]
    assert finished(neighbour, other)["counts"] == counts(invited=1), "another organisation has a pace of its own"
    assert look(slow, second)["counts"] == counts(pending=1)
    next_turn(slow)
    both = settled(slow, first, second)
    assert sum(batch["counts"]["invited"] for batch in both) == 2, "one turn, one invitation"


def test_who_cannot_be_invited_costs_no_turn(slow: Utility) -> None:
    crowd(slow, 30, email=None)
    batch = start(slow, {"filter": {}})["id"]
    assert finished(slow, batch)["counts"] == counts(failed=30)
    assert (
        slow.world.sql.value("SELECT count(*) FROM invitation_paces WHERE organisation_id = $1", slow.organisation) == 0
    )


def test_a_dry_run_has_no_pace(slow: Utility) -> None:
    crowd(slow, 1200)
    batch = start(slow, {"filter": {}, "onlyValidate": True})["id"]
    assert finished(slow, batch)["counts"] == counts(invited=1200)


# --- between two turns ----------------------------------------------------------------------------------------------


def test_cancelling_leaves_the_others_pending_for_good(slow: Utility, street: list[Customer]) -> None:
    batch = _begun(street)
    stopped = slow.employee(subject="employee-9", name="Noor Jansen").post(
        f"/organisation/invitation-batches/{batch}/cancel"
    )
    assert stopped.status_code == 200
    assert (stopped.json()["status"], stopped.json()["counts"]) == ("cancelled", counts(invited=1, pending=2))
    assert stopped.json()["finishedDateTime"]
    next_turn(slow)
    until(slow, batch, invited=1, pending=2)
    assert _outcomes(slow, batch) == [("invited", None), ("pending", None), ("pending", None)]
    assert cancel(slow, batch) == look(slow, batch) == stopped.json()
    assert [len(invitations(customer)) for customer in street] == [1, 0, 0]
    assert street[0].register(street[0].mail().token).status_code == 201, "who was invited stays so"
    [ended] = slow.log("PortalInvitationBatchFinished")
    assert ended["actor"]["id"] == "employee-9"
    assert ended["payload"] == {"status": "cancelled", "counts": counts(invited=1, pending=2)}


@pytest.mark.parametrize(
    ("settings", "key"),
    [({"portalEnabled": False}, "PORTAL_NOT_ENABLED"), ({"portalUrl": None}, "PORTAL_URL_MISSING")],
)
def test_a_portal_switched_off_meanwhile_fails_the_others(
    settings: dict[str, Any], key: str, slow: Utility, street: list[Customer]
) -> None:
    batch = _begun(street)
    slow.change_settings(**settings)
    next_turn(slow)
    assert finished(slow, batch)["counts"] == counts(invited=1, failed=2)
    assert _outcomes(slow, batch) == [("invited", None), ("failed", key), ("failed", key)]


def test_what_a_customer_does_meanwhile_counts(slow: Utility, street: list[Customer]) -> None:
    batch = _begun(street)
    street[1].active()
    street[2].save(email=None)
    next_turn(slow)
    assert finished(slow, batch)["counts"] == counts(invited=1, skipped=1, failed=1)
    assert [key for _, key in _outcomes(slow, batch)] == [None, "USER_ALREADY_EXISTS", "USER_HAS_NO_EMAIL_ADDRESS"]


def test_a_fault_with_one_customer_does_not_stop_the_others(slow: Utility, street: list[Customer]) -> None:
    slow.world.sql.run(
        f"CREATE FUNCTION break_down() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF NEW.customer_id = '{street[0].id}' THEN RAISE 'broken'; END IF; RETURN NEW; END $$;"
        " CREATE TRIGGER break_down BEFORE INSERT ON tokens FOR EACH ROW EXECUTE FUNCTION break_down()"
    )
    try:
        batch = start(slow, {"customerIds": [str(street[0].id), str(street[1].id)]})["id"]
        until(slow, batch, failed=1, pending=1)
        next_turn(slow)
        assert finished(slow, batch)["counts"] == counts(invited=1, failed=1)
    finally:
        slow.world.sql.run("DROP TRIGGER break_down ON tokens; DROP FUNCTION break_down()")
    assert _outcomes(slow, batch) == [("failed", "INTERNAL_ERROR"), ("invited", None)]
    assert (street[0].log(), invitations(street[0])) == ([], []), "nothing of it stays"


def test_a_customer_who_is_being_changed_is_waited_for(slow: Utility, street: list[Customer]) -> None:
    batch = _begun(street)
    with slow.world.sql.holding("UPDATE customers SET email = NULL WHERE id = $1", street[1].id):
        next_turn(slow)
        slow.world.sql.wait_for_waiting(1)
    until(slow, batch, invited=1, failed=1, pending=1)
    assert _outcomes(slow, batch)[1] == ("failed", "USER_HAS_NO_EMAIL_ADDRESS")
    assert len(invitations(street[1])) == 0
