"""A worker dies while it asks the platform: another one goes on, and the event has its effect once."""

import time

from tests.faults.conftest import StartWorker
from tests.journeys.platforms import record, states
from tests.support.platform import CLIENT_ID, CLIENT_SECRET, SCOPE, Platform, told
from tests.support.world import Utility


def test_a_killed_workers_events_are_followed_by_the_next(branch: Utility, start_worker: StartWorker) -> None:
    contract = {"contractId": "0199d8a0-0000-7000-8000-0000000000c1", "contractNumber": "C-1", "status": "signed"}
    customer = branch.customer(contracts=[contract])
    with Platform().running() as platform:
        variables = {
            "PORTAL_PLATFORM_URL": platform.url,
            "PORTAL_PLATFORM_TOKEN_URL": f"{platform.url}/oauth2/token",
            "PORTAL_PLATFORM_CLIENT_ID": CLIENT_ID,
            "PORTAL_PLATFORM_CLIENT_SECRET": CLIENT_SECRET,
            "PORTAL_PLATFORM_SCOPE": SCOPE,
        }
        platform.knows(customer.id, customer.number, shortDisplayName="Jan of the platform", contracts=None)
        platform.may_answer.clear()
        told(branch, "invoiceavailable", customer, contractId=contract["contractId"])
        worker = start_worker(**variables)
        assert platform.answering.wait(20)
        worker.kill()
        platform.may_answer.set()
        assert states(branch) == ["waiting"]
        start_worker(**variables)
        deadline = time.monotonic() + 60  # a dead worker's jobs are taken over once its heartbeat is missed
        while states(branch) != ["applied"]:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        kept = record(customer)
        assert kept["display_name"] == "Jan of the platform"
        assert kept["contracts"][0]["invoiceCount"] == 1
        assert platform.calls["customer"] == 2
