"""A random walk over the portal as an employee and as the customer, in turns: every activity names who did it.

`PORTAL_TEST_WALK_STEPS=10000` makes it long, and different at each run.
"""

import os
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from app.domain.impersonations import PortalAct
from app.ids import new_id
from tests.journeys.test_impersonation_rights import portal_operations
from tests.support.world import PASSWORD, Client, Utility

STEPS = int(os.environ.get("PORTAL_TEST_WALK_STEPS", "300"))
STEPS_OF_A_WALK = 50
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("PUT", "/portal/me/password"): {"currentPassword": PASSWORD, "password": PASSWORD},
    ("POST", "/portal/me/email"): {"currentPassword": PASSWORD, "email": "somebody.else@example.com"},
}
MAILED = ("PortalCommunicationSent", "PortalCommunicationFailed")
OPERATIONS = portal_operations()
Entry = dict[str, Any]


class Walk(RuleBasedStateMachine):
    """One customer with their own session, and one employee in the portal as them."""

    def __init__(self, utility: Utility) -> None:
        super().__init__()
        self.document = str(new_id())
        document = {"documentId": self.document, "name": "Letter", "visibility": "portal"}
        document["createdDateTime"] = "2026-01-02T00:00:00Z"
        self.customer = utility.customer(documents=[document]).active()
        self.calls: dict[str, str | None] = {}  # by correlation id: the impersonation, if any
        self.refused: list[str] = []

    @initialize(mode=st.sampled_from(["readonly", "full"]))
    def both_come_in(self, mode: str) -> None:
        self.employee_starts_over(mode)
        self._log_in()

    @rule(mode=st.sampled_from(["readonly", "full"]))
    def employee_starts_over(self, mode: str) -> None:
        """In either mode; the impersonation before ends, if it has not yet."""
        self.mode = mode
        self.started = self.customer.impersonate(accessMode=mode)
        answer = self.customer.redeem(self.started)
        self.employee = Client(self.customer.utility.world, {"Authorization": f"Bearer {answer.json()['accessToken']}"})

    @rule(
        way=st.sampled_from([("POST", "/portal/impersonations/current/end"), ("DELETE", "/portal/sessions/current")]),
        mode=st.sampled_from(["readonly", "full"]),
    )
    def employee_leaves_and_comes_back(self, way: tuple[str, str], mode: str) -> None:
        self._send(self.employee, *way)
        assert self.employee.get("/portal/me").status_code == 401
        self.employee_starts_over(mode)

    @rule()
    def customer_leaves_and_comes_back(self) -> None:
        self._send(self.own, "DELETE", "/portal/sessions/current")
        self._log_in()

    @rule(operation=st.sampled_from(OPERATIONS), own=st.booleans())
    def employee_does(self, operation: tuple[str, str, str, PortalAct | None], own: bool) -> None:
        """Something of the portal; what is barred is refused and remembered."""
        act = operation[-1]
        answer = self._operate(self.employee, operation, own)
        barred = act not in (PortalAct.LOOK, PortalAct.CHANGE) or (act is PortalAct.CHANGE and self.mode == "readonly")
        assert (answer.status_code == 403) is barred, (operation, answer.text)
        if barred:
            self.refused.append(f"walk-{len(self.calls) - 1}")

    @rule(operation=st.sampled_from(OPERATIONS), own=st.booleans())
    def customer_does(self, operation: tuple[str, str, str, PortalAct | None], own: bool) -> None:
        answer = self._operate(self.own, operation, own)
        assert answer.status_code != 403
        if self.own.get("/portal/me").status_code == 401:  # they ended their own session
            self._log_in()

    def teardown(self) -> None:
        """Every activity that a call of the walk left names whom it should."""
        written = [one for one in self._log() if one["correlationId"] in self.calls and one["type"] not in MAILED]
        for entry in written:
            session = self.calls[entry["correlationId"]]
            assert (entry["customerId"], entry["accountNumber"]) == (str(self.customer.id), self.customer.number), entry
            if session is None:
                assert entry["impersonation"] is None, entry
                assert entry["actor"]["type"] == "customer", entry
            else:
                both = {"sessionId": session, "employeeId": "employee-7", "employeeName": "Eva Maes"}
                assert entry["impersonation"] == both, entry
                assert entry["actor"] == {"type": "employee", "id": "employee-7", "name": "Eva Maes"}, entry
        remembered = [entry["correlationId"] for entry in written if entry["type"] == "PortalImpersonationRefused"]
        assert sorted(remembered) == sorted(self.refused)
        assert self.customer.log_in().status_code == 201, "whatever was tried, the password is the customer's own"

    def _log_in(self) -> None:
        self.own = self.customer.logged_in()

    def _send(self, client: Client, method: str, path: str, body: Any = None) -> httpx.Response:
        """A call whose every activity can be told by its correlation id."""
        name = f"walk-{len(self.calls)}"
        self.calls[name] = self.started["id"] if client is self.employee else None
        return client._send(method, path, body, {"X-Correlation-Id": name})

    def _operate(self, client: Client, operation: tuple[str, str, str, PortalAct | None], own: bool) -> httpx.Response:
        _, method, path, _ = operation
        theirs = self.own.get("/portal/sessions").json()["results"] if own and "{sessionId}" in path else []
        session = theirs[0]["id"] if theirs else str(new_id())
        where = path.replace("{documentId}", self.document).replace("{sessionId}", session)
        answer = self._send(client, method, where, BODIES.get((method, path)))
        assert answer.status_code < 500, answer.text
        return answer

    def _log(self) -> list[Entry]:
        """All of the customer's activities, page by page."""
        found: list[Entry] = []
        token = None
        while True:
            after = f"&continuationToken={token}" if token else ""
            page = self.customer.utility.employee().get(f"{self.customer.path}/activities?pageSize=200{after}").json()
            found += page["results"]
            token = page["nextPageToken"]
            if token is None:
                return found


@pytest.mark.asvs("8.3.3")
def test_every_activity_of_an_impersonation_names_employee_and_customer(utility: Utility) -> None:
    utility.change_settings(showAccessLog=True)
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        lambda: Walk(utility),
        settings=settings(
            max_examples=STEPS // STEPS_OF_A_WALK,
            stateful_step_count=STEPS_OF_A_WALK,
            derandomize="PORTAL_TEST_WALK_STEPS" not in os.environ,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
