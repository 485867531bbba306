"""Many at once, on two API processes: one outcome."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx

from app.permissions import Permission, Role
from tests.journeys.impersonating import count, last
from tests.journeys.reading import refusal
from tests.journeys.test_races import MANY, ROUNDS, at_once
from tests.support.world import Client, Customer, Utility, World, handed_over


def redeem(node: World, utility: Utility, token: str) -> httpx.Response:
    return Client(node, utility.headers).post("/portal/impersonations/redeem", {"token": token})


def test_fifty_redemptions_of_one_link_open_one_session(customer: Customer, nodes: list[World]) -> None:
    started = customer.active().impersonate()
    token = handed_over(started)
    calls = [partial(redeem, nodes[number % 2], customer.utility, token) for number in range(MANY)]
    answers = at_once(calls)
    losers = [answer for answer in answers if answer.status_code != 201]
    assert len(losers) == MANY - 1
    assert {refusal(answer) for answer in losers} == {(410, "TOKEN_USED")}
    assert count(customer, "PortalImpersonationRedeemed") == 1
    assert count(customer, "PortalImpersonationRefused") == MANY - 1
    opened = "SELECT count(*) FROM sessions WHERE customer_id = $1"
    assert customer.utility.world.sql.value(opened, customer.id) == 1


def test_an_end_and_a_redemption_at_once_leave_nobody_inside(utility: Utility, nodes: list[World]) -> None:
    customer = utility.customer().active()
    for _ in range(ROUNDS):
        started = customer.impersonate()
        path = f"{customer.path}/impersonation-sessions/{started['id']}/end"
        end = partial(Client(nodes[0], utility.bearer()).post, path)
        redeemed, ended = at_once([partial(redeem, nodes[1], utility, handed_over(started)), end])
        assert ended.status_code == 200
        if redeemed.status_code == 201:
            inside = {"Authorization": f"Bearer {redeemed.json()['accessToken']}"}
            assert refusal(Client(nodes[1], inside).get("/portal/me")) == (401, "SESSION_ENDED")
        else:
            assert refusal(redeemed) == (410, "TOKEN_REVOKED")
    assert customer.card()["activeImpersonation"] is None
    assert count(customer, "PortalImpersonationEnded") == ROUNDS


def test_starts_of_one_employee_at_once_leave_exactly_one(utility: Utility, nodes: list[World]) -> None:
    customers = [utility.customer().active() for _ in range(4)]
    body = {"reason": "Help with an invoice"}

    def start(number: int) -> httpx.Response:
        client = Client(nodes[number % 2], utility.bearer())
        return client.post(f"{customers[number % 4].path}/impersonation-sessions", body)

    answers = at_once([partial(start, number) for number in range(16)])
    assert {answer.status_code for answer in answers} == {201}
    everyone = utility.employee().get("/organisation/impersonation-sessions").json()["results"]
    assert sorted(one["state"] for one in everyone) == ["ended"] * 15 + ["pending"]
    assert {one["endReason"] for one in everyone} == {None, "superseded"}
    assert sum(count(customer, "PortalImpersonationEnded") for customer in customers) == 15
    redeemed = [redeem(nodes[0], utility, handed_over(answer.json())).status_code for answer in answers]
    assert sorted(redeemed) == [201] + [410] * 15


def test_a_start_and_a_redemption_of_the_one_before_at_once_leave_one_inside(
    utility: Utility, nodes: list[World]
) -> None:
    first, second = utility.customer().active(), utility.customer().active()
    for _ in range(ROUNDS):
        old = first.impersonate()
        begin = partial(
            Client(nodes[0], utility.bearer()).post,
            f"{second.path}/impersonation-sessions",
            {"reason": "Help with an invoice"},
        )
        redeemed, begun = at_once([partial(redeem, nodes[1], utility, handed_over(old)), begin])
        assert begun.status_code == 201
        if redeemed.status_code == 201:
            inside = {"Authorization": f"Bearer {redeemed.json()['accessToken']}"}
            assert refusal(Client(nodes[1], inside).get("/portal/me")) == (401, "SESSION_ENDED")
        else:
            assert refusal(redeemed) == (410, "TOKEN_SUPERSEDED")
        assert first.card()["activeImpersonation"] is None
        assert second.card()["activeImpersonation"]["id"] == begun.json()["id"]


def test_repeated_starts_with_one_key_at_once_are_one_start(customer: Customer) -> None:
    customer.active()
    employee, headers = customer.utility.employee(), {"Idempotency-Key": "start-1"}
    start = partial(
        employee.post, f"{customer.path}/impersonation-sessions", {"reason": "Help with an invoice"}, headers=headers
    )
    answers = at_once([start] * 8)
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert len(customer.impersonations()) == 1


def test_a_start_and_the_loss_of_its_right_at_once_leave_nobody_inside(utility: Utility, nodes: list[World]) -> None:
    customer = utility.customer().active()
    role = utility.role(Permission.PORTAL_IMPERSONATE)
    utility.assign("employee-5", Role.READONLY)  # who works here at all is remembered
    refused = 0
    for _ in range(ROUNDS):
        assignment = utility.assign("employee-5", role)
        start = partial(
            Client(nodes[0], utility.newcomer("employee-5").headers).post,
            f"{customer.path}/impersonation-sessions",
            {"reason": "Help with an invoice"},
        )
        remove = partial(Client(nodes[1], utility.bearer()).delete, f"/organisation/role-assignments/{assignment}")
        started, removed = at_once([start, remove])
        assert removed.status_code == 204
        if started.status_code != 201:
            assert refusal(started) == (403, "PERMISSION_INVALID")
            refused += 1
        assert count(customer, "PortalImpersonationRefused") == refused, "whenever the right was missed"
        assert customer.card()["activeImpersonation"] is None


def test_a_start_that_came_just_after_the_loss_of_its_right_is_refused_and_remembered(utility: Utility) -> None:
    customer, sql = utility.customer().active(), utility.world.sql
    assignment = utility.assign("employee-5", utility.role(Permission.PORTAL_IMPERSONATE))
    path, body = f"{customer.path}/impersonation-sessions", {"reason": "Help with an invoice"}
    lock = "SELECT 1 FROM organisations WHERE organisation_id = $1 FOR UPDATE"
    with ThreadPoolExecutor(2) as threads:
        with sql.holding(lock, utility.organisation):
            removing = threads.submit(utility.employee().delete, f"/organisation/role-assignments/{assignment}")
            sql.wait_for_waiting(1)
            starting = threads.submit(utility.newcomer("employee-5").post, path, body)
            sql.wait_for_waiting(2)
        assert removing.result().status_code == 204
        assert refusal(starting.result()) == (403, "PERMISSION_INVALID")
    entry = last(customer, "PortalImpersonationRefused")
    assert entry["payload"] == {"key": "PERMISSION_INVALID"}
    assert entry["actor"]["id"] == "employee-5"


def test_losing_a_right_and_logging_customers_out_at_once_end_each_session_once(utility: Utility) -> None:
    customers = [utility.customer().active() for _ in range(4)]
    role = utility.role(Permission.PORTAL_IMPERSONATE)
    names = [f"employee-{number}" for number in range(12)]
    for name in names:
        utility.assign(name, role)
    with_it = {"name": "Service desk", "permissions": ["portal.impersonate"]}
    without = {"name": "Service desk", "permissions": ["portal.read"]}
    for round_ in range(5):
        for place, name in enumerate(names[::-1] if round_ % 2 else names):
            customers[place % 4].impersonate(utility.newcomer(name))
        lose = partial(utility.employee().put, f"/organisation/roles/{role}", without)
        answers = at_once([lose, *(customer.log_out for customer in customers)])
        assert {answer.status_code for answer in answers} == {200}
        assert [customer.card()["activeImpersonation"] for customer in customers] == [None] * 4
        assert sum(count(one, "PortalImpersonationEnded") for one in customers) == 12 * (round_ + 1)
        assert utility.employee().put(f"/organisation/roles/{role}", with_it).status_code == 200
