"""No webhook is lost: workers are killed before and after the receiver has it."""

from collections.abc import Iterator

import pytest

from tests.faults.conftest import StartWorker
from tests.support.receivers import Receiver, Reply, receiver, still
from tests.support.world import Utility
from tests.webhooks.partners import partner

TAKEOVER = 90  # seconds; a killed worker's heartbeat is missed after ten


@pytest.fixture
def inbox() -> Iterator[Receiver]:
    """A partner's receiver."""
    with receiver() as server:
        yield server


def test_a_worker_killed_between_the_answer_and_the_mark_sends_again_under_the_same_id(
    branch: Utility, inbox: Receiver, start_worker: StartWorker
) -> None:
    endpoint = partner(branch, inbox)
    customer = branch.customer()
    first = start_worker()
    inbox.replies = [Reply(hangs=True)]
    customer.invite()
    inbox.wait(1)
    assert endpoint.deliveries()[0]["attempts"] == 1
    with branch.world.sql.holding("SELECT id FROM webhook_endpoints FOR UPDATE"):
        inbox.let_go.set()  # the receiver says 200, and the worker cannot write it down
        branch.world.sql.wait_for_waiting(1)
        first.kill()
    assert endpoint.deliveries()[0]["status"] == "pending"
    inbox.replies = [Reply()]
    second = start_worker()
    once, again = inbox.wait(2, TAKEOVER)
    assert once.id == again.id
    assert once.body == again.body
    assert again.verified(endpoint.secret)
    delivered = endpoint.delivery(lambda one: one["status"] == "delivered")
    assert (delivered["id"], delivered["attempts"]) == (once.id, 2)
    still(inbox.received, 2)
    for log in (first.output, second.output):
        assert endpoint.secret[6:] not in log


def test_a_killed_worker_holds_nobody_up(branch: Utility, inbox: Receiver, start_worker: StartWorker) -> None:
    endpoint = partner(branch, inbox)
    inbox.replies = [Reply(hangs=True)]
    first = start_worker()
    customers = [branch.customer() for _ in range(5)]
    for customer in customers:
        customer.invite()
    inbox.wait(1)
    first.kill()
    inbox.replies = [Reply()]
    inbox.let_go.set()
    start_worker()
    endpoint.until(lambda found: len(found) == 5 and {one["status"] for one in found} == {"delivered"}, TAKEOVER)
    assert {one.content["data"]["customerId"] for one in inbox.received} == {str(one.id) for one in customers}


def test_what_was_committed_while_no_worker_lived_is_sent_by_two_once_each(
    branch: Utility, inbox: Receiver, start_worker: StartWorker
) -> None:
    endpoint = partner(branch, inbox)
    for _ in range(20):
        branch.customer().invite()
    assert {one["status"] for one in endpoint.deliveries()} == {"pending"}
    start_worker()
    start_worker()
    for _ in range(10):
        branch.customer().invite()
    endpoint.until(lambda found: len(found) == 30 and {one["status"] for one in found} == {"delivered"}, 30)
    assert len(inbox.received) == len({one.id for one in inbox.received}) == 30


def test_an_activity_that_is_rolled_back_tells_nobody(branch: Utility, inbox: Receiver) -> None:
    endpoint = partner(branch, inbox, types=[])
    before = endpoint.deliveries()
    customer = branch.customer(email=None)
    answer = branch.employee().post(f"{customer.path}/invitations")
    assert answer.status_code == 409
    assert endpoint.deliveries() == before


def test_workers_without_the_setting_call_no_private_address(
    branch: Utility, inbox: Receiver, start_worker: StartWorker
) -> None:
    """The URL was fine when it was entered; where the connection is made it is judged again."""
    endpoint = partner(branch, inbox)
    start_worker(PORTAL_WEBHOOK_ALLOWED_NETWORKS="")
    branch.customer().invite()
    refused = endpoint.delivery(lambda one: one["lastError"] is not None)
    assert "not called" in refused["lastError"]
    assert inbox.received == []
