"""A random walk over the portal as an employee and as the customer, in turns: every activity names who did it.

`PORTAL_TEST_WALK_STEPS=10000` makes it long, `PORTAL_TEST_WALK_SEED` another one.
"""

import os
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx

from app.domain.impersonations import PortalAct
from app.ids import new_id
from tests.journeys.test_impersonation_rights import portal_operations
from tests.support.world import PASSWORD, Client, Customer, Utility

STEPS = int(os.environ.get("PORTAL_TEST_WALK_STEPS", "300"))
SEED = os.environ.get("PORTAL_TEST_WALK_SEED", "20019188")
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("PUT", "/portal/me/password"): {"currentPassword": PASSWORD, "password": PASSWORD},
    ("POST", "/portal/me/email"): {"currentPassword": PASSWORD, "email": "somebody.else@example.com"},
    ("POST", "/portal/error-reports"): {"page": "/invoices", "message": "It stayed white"},
}
MAILED = ("PortalCommunicationSent", "PortalCommunicationFailed")
Entry = dict[str, Any]


@dataclass
class Walk:
    """One customer with their own session, and one employee in the portal as them."""

    customer: Customer
    document: str
    random: Random
    calls: dict[str, str | None] = field(default_factory=dict)  # by correlation id: the impersonation, if any
    refused: list[str] = field(default_factory=list)
    started: dict[str, Any] = field(default_factory=dict)
    mode: str = "readonly"

    def __post_init__(self) -> None:
        self.start()
        self.log_in()

    def start(self) -> None:
        """The employee starts over, in either mode; the impersonation before ends, if it has not yet."""
        self.mode = self.random.choice(["readonly", "full"])
        self.started = self.customer.impersonate(accessMode=self.mode)
        answer = self.customer.redeem(self.started)
        self.employee = Client(self.customer.utility.world, {"Authorization": f"Bearer {answer.json()['accessToken']}"})

    def log_in(self) -> None:
        self.own = self.customer.logged_in()

    def send(self, client: Client, method: str, path: str, body: Any = None) -> httpx.Response:
        """A call whose every activity can be told by its correlation id."""
        name = f"walk-{len(self.calls)}"
        self.calls[name] = self.started["id"] if client is self.employee else None
        return client._send(method, path, body, {"X-Correlation-Id": name})

    def step(self, operations: list[tuple[str, str, str, PortalAct | None]]) -> None:
        """Somebody does something."""
        chance = self.random.random()
        if chance < 0.02:
            self.send(self.employee, "POST", "/portal/impersonations/current/end")
        elif chance < 0.04:
            self.send(self.employee, "DELETE", "/portal/sessions/current")
        elif chance < 0.05:
            self.send(self.own, "DELETE", "/portal/sessions/current")
        elif chance < 0.06:
            self.start()
            return
        else:
            self._operate(self.random.choice([self.employee, self.employee, self.own]), *self.random.choice(operations))
        if self.employee.get("/portal/me").status_code == 401:
            self.start()
        if self.own.get("/portal/me").status_code == 401:
            self.log_in()

    def _operate(self, client: Client, _name: str, method: str, path: str, act: PortalAct | None) -> None:
        body = BODIES.get((method, path))
        theirs = self.own.get("/portal/sessions").json()["results"] if "{sessionId}" in path else []
        session = self.random.choice([one["id"] for one in theirs] + [str(new_id())])
        where = path.replace("{documentId}", self.document).replace("{sessionId}", session)
        answer = self.send(client, method, where, body)
        assert answer.status_code < 500
        barred = act not in (PortalAct.LOOK, PortalAct.CHANGE) or (act is PortalAct.CHANGE and self.mode == "readonly")
        if client is self.employee:
            assert (answer.status_code == 403) is barred, (path, answer.text)
            if barred:
                self.refused.append(f"walk-{len(self.calls) - 1}")

    def log(self) -> list[Entry]:
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


def test_every_activity_of_an_impersonation_names_employee_and_customer(utility: Utility) -> None:
    document = {"documentId": str(new_id()), "name": "Letter", "visibility": "portal"}
    document["createdDateTime"] = "2026-01-02T00:00:00Z"
    utility.change_settings(showAccessLog=True)
    customer = utility.customer(documents=[document]).active()
    walk = Walk(customer, document["documentId"], Random(SEED))
    operations = portal_operations()
    for _ in range(STEPS):
        walk.step(operations)
    written = [entry for entry in walk.log() if entry["correlationId"] in walk.calls and entry["type"] not in MAILED]
    assert written
    for entry in written:
        session = walk.calls[entry["correlationId"]]
        assert (entry["customerId"], entry["accountNumber"]) == (str(customer.id), customer.number), entry
        if session is None:
            assert entry["impersonation"] is None, entry
            assert entry["actor"]["type"] == "customer", entry
        else:
            both = {"sessionId": session, "employeeId": "employee-7", "employeeName": "Eva Maes"}
            assert entry["impersonation"] == both, entry
            assert entry["actor"] == {"type": "employee", "id": "employee-7", "name": "Eva Maes"}, entry
    remembered = [entry["correlationId"] for entry in written if entry["type"] == "PortalImpersonationRefused"]
    assert sorted(remembered) == sorted(walk.refused)
    assert customer.log_in().status_code == 201, "whatever was tried, the password is the customer's own"
