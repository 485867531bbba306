"""A random walk over everything that touches an account: no order of calls sets a password without what it takes.

Every link that was ever made is known to the walker, who tries them all, everywhere, in any order; after each step the
database is asked. `PORTAL_TEST_WALK_STEPS=10000` makes it long, and different at each run.
"""

import os
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from app.tokens import Purpose, TokenSigner
from tests.support.world import NEW_PASSWORD, PASSWORD, Client, Customer, Utility

STEPS = int(os.environ.get("PORTAL_TEST_WALK_STEPS", "400"))
STEPS_OF_A_WALK = 100
PASSWORDS = st.sampled_from([PASSWORD, NEW_PASSWORD])
WHO = st.integers(0, 1)
ANY = st.integers(0, 1_000)
# What leads somewhere comes more often than what ends it.
OFTEN = [
    "invitations",
    "password-resets",
    "register",
    "choose a password",
    "open a link",
    "log in",
    "change the password",
]
SELDOM = ["email-confirmations", "reset", "logout", "accounts", "revoke", "reactivate", "ask", "change the address"]
DEEDS = st.sampled_from(3 * OFTEN + SELDOM)
Passwords = dict[str, str | None]


class Walk(RuleBasedStateMachine):
    """Two customers, an employee, and someone who holds every link."""

    def __init__(self, utility: Utility, ways: Counter[str]) -> None:
        super().__init__()
        self.ways = ways
        self.utility = utility
        self.customers = [utility.customer(), utility.customer()]
        self.signer = TokenSigner(utility.world.settings.secret_keys)
        self.logged_in: list[tuple[Customer, Client]] = []
        self.known = self._passwords()
        self.entitled: Callable[[], bool] | None = None

    @rule(deed=DEEDS, who=WHO, which=ANY, password=PASSWORDS, current=PASSWORDS)
    def next_step(self, deed: str, who: int, which: int, password: str, current: str) -> None:
        """One rule for all deeds: several would each be left out of many walks."""
        match deed:
            case "ask":
                self.customer_asks(who)
            case "register":
                self.someone_registers(who, which, password)
            case "choose a password":
                self.someone_chooses_a_password(which, password)
            case "open a link":
                self.someone_opens_a_link(which)
            case "log in":
                self.customer_logs_in(who, password)
            case "change the password":
                self.customer_changes_the_password(which, current, password)
            case "change the address":
                self.customer_changes_the_address(which, current)
            case _:
                self.employee_does(who, deed, which)

    def employee_does(self, who: int, deed: str, which: int) -> None:
        """Each button of the card, whether it is allowed or not."""
        customer, staff = self.customers[who], self.utility.employee()
        path, body = f"{customer.path}/{deed}", None
        if deed == "accounts":
            body = {"email": customer.email, "registeredDateTime": "2021-03-04T09:12:45Z", "live": which % 2 == 0}
        elif deed == "revoke":
            listed = staff.get(f"{customer.path}/invitations").json()["results"]
            path = (
                f"{customer.path}/invitations/{listed[which % len(listed)]['id']}/revoke" if listed else customer.path
            )
        elif deed == "reactivate":
            accounts = customer.accounts()
            path = (
                f"{customer.path}/accounts/{accounts[which % len(accounts)]['accountId']}/reactivate"
                if accounts
                else ""
            )
        if path not in ("", customer.path):
            self._told(staff.post(path, body))

    def customer_asks(self, who: int) -> None:
        for page in ("password-resets", "email-confirmations/resend"):
            self._told(self.utility.portal.post(f"/portal/{page}", {"email": self.customers[who].email}))

    def someone_registers(self, who: int, which: int, password: str) -> None:
        token, spent = self._link(which, Purpose.INVITATION)
        body = {"token": token, "customerNumber": self.customers[who].number, "password": password}
        if self._told(self.utility.portal.post("/portal/registrations", body)):
            self._entitle("invitation", spent(Purpose.INVITATION))

    def someone_chooses_a_password(self, which: int, password: str) -> None:
        token, spent = self._link(which, Purpose.PASSWORD_RESET)
        body = {"token": token, "password": password}
        if self._told(self.utility.portal.post("/portal/password-resets/complete", body)):
            self._entitle("reset", spent(Purpose.PASSWORD_RESET))

    def someone_opens_a_link(self, which: int) -> None:
        """Where it belongs and where it does not."""
        token, _ = self._link(which, Purpose.EMAIL_CONFIRMATION)
        for page in ("tokens/inspect", "email-confirmations", "impersonations/redeem"):
            self._told(self.utility.portal.post(f"/portal/{page}", {"token": token}))

    def customer_logs_in(self, who: int, password: str) -> None:
        customer = self.customers[who]
        answer = customer.log_in(password=password)
        if self._told(answer):
            bearer = {"Authorization": f"Bearer {answer.json()['accessToken']}"}
            self.logged_in.append((customer, Client(self.utility.world, bearer)))

    def customer_changes_the_password(self, which: int, current: str, new: str) -> None:
        if not self.logged_in:
            return
        _, own = self.logged_in[which % len(self.logged_in)]
        if self._told(own.put("/portal/me/password", {"currentPassword": current, "password": new})):
            self._entitle("owner", lambda: True)  # who is logged in and knows the password needs no link

    def customer_changes_the_address(self, which: int, current: str) -> None:
        if self.logged_in:
            customer, own = self.logged_in[which % len(self.logged_in)]
            body = {"email": f"new.{customer.email}", "currentPassword": current}
            self._told(own.post("/portal/me/email", body))

    @invariant()
    def nobody_sets_a_password_without_what_it_takes(self) -> None:
        """A password that is new or changed comes from a link spent in that very step, or from its owner."""
        before, self.known = self.known, self._passwords()
        changed = [one for one, digest in self.known.items() if digest and digest != before.get(one)]
        if changed:
            assert len(changed) == 1, changed
            assert self.entitled is not None, "a password was set by a call that may not"
            assert self.entitled(), "a password was set and its link was not spent"
        self.entitled = None

    @invariant()
    def nobody_is_inside_without_an_active_account(self) -> None:
        live = (
            "SELECT count(*) FROM sessions LEFT JOIN accounts ON accounts.organisation_id = sessions.organisation_id"
            " AND accounts.id = sessions.account_id AND accounts.state = 'live'"
            " WHERE sessions.organisation_id = $1 AND sessions.ended_at IS NULL AND accounts.email_confirmed_at IS NULL"
        )
        assert self._value(live) == 0

    def _entitle(self, way: str, spent: Callable[[], bool]) -> None:
        self.entitled = spent
        self.ways[way] += 1

    def _link(self, which: int, fit: Purpose) -> tuple[str, Callable[[Purpose], Callable[[], bool]]]:
        """A link, and how to see that it was spent just now: most often one that fits, else any that there ever was."""
        rows = self.utility.world.sql.rows(
            "SELECT id, purpose, state FROM tokens WHERE organisation_id = $1 ORDER BY id", self.utility.organisation
        )
        fitting = [row for row in rows if (row["purpose"], row["state"]) == (fit.value, "pending")]
        rows = fitting if fitting and which % 4 else rows
        if not rows:
            return "nothing", lambda _: lambda: False
        row = rows[which % len(rows)]
        purpose, token_id = Purpose(row["purpose"]), row["id"]
        state = "SELECT state FROM tokens WHERE organisation_id = $1 AND id = $2"
        return self.signer.sign(
            purpose, self.utility.organisation, token_id
        ), lambda wanted: lambda: (purpose, row["state"], self._value(state, token_id)) == (wanted, "pending", "used")

    def _passwords(self) -> Passwords:
        rows = self.utility.world.sql.rows(
            "SELECT id, password_hash FROM accounts WHERE organisation_id = $1", self.utility.organisation
        )
        return {str(row["id"]): row["password_hash"] for row in rows}

    def _value(self, query: str, *arguments: Any) -> Any:
        return self.utility.world.sql.value(query, self.utility.organisation, *arguments)

    def _told(self, answer: httpx.Response) -> bool:
        assert answer.status_code < 500, answer.text
        return answer.is_success


@pytest.mark.asvs("2.3.1", "6.4.3")
def test_no_order_of_calls_sets_a_password_without_a_spent_link(utility: Utility) -> None:
    ways: Counter[str] = Counter()
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        lambda: Walk(utility.world.utility(), ways),
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
    assert {"invitation", "reset"} <= set(ways), "the walk did not come far enough to show anything"
