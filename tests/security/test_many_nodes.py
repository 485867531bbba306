"""Three API processes on one database are one service: a token works once, an end is an end everywhere."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import httpx
import pytest

from tests.journeys.reading import refusal
from tests.journeys.test_races import at_once
from tests.support.world import NEW_PASSWORD, Client, Customer, Utility, World, handed_over

ROUNDS = int(os.environ.get("PORTAL_TEST_ROUNDS", "1"))
EACH = 17  # calls at once to each node, so 51 together


def everywhere(customer: Customer, nodes: Sequence[World]) -> list[Customer]:
    """The same customer as each of the nodes knows them."""
    return [replace(customer, utility=replace(customer.utility, world=node)) for node in nodes]


def spread(call: Callable[[Customer], httpx.Response], customer: Customer, nodes: Sequence[World]) -> list[int]:
    """The same call many times at once, in turns over the nodes: one is let in. The statuses of the others."""
    answers = at_once([partial(call, seen) for seen in everywhere(customer, nodes) * EACH])
    winners = [answer for answer in answers if answer.is_success]
    assert len(winners) == 1, sorted(answer.status_code for answer in answers)
    losers = {refusal(answer) for answer in answers if not answer.is_success}
    assert losers == {(410, "TOKEN_USED")}
    return [answer.status_code for answer in answers if not answer.is_success]


@pytest.mark.asvs("6.5.1", "15.4.2")
def test_one_of_many_registrations_over_three_nodes_makes_the_account(utility: Utility, nodes: list[World]) -> None:
    for _ in range(ROUNDS):
        customer = utility.customer()
        token = customer.invited()
        assert len(spread(lambda seen, token=token: seen.register(token), customer, nodes)) == 3 * EACH - 1
        assert customer.card()["accountCount"] == 1
        assert customer.log().count("PortalAccountRegistered") == 1
    print(f"{ROUNDS} rounds: each let one of {3 * EACH} in")


@pytest.mark.asvs("6.5.1", "15.4.2")
def test_one_of_many_resets_over_three_nodes_sets_the_password(active: Customer, nodes: list[World]) -> None:
    mail = active.utility.world.mailbox.of(active.send_reset().json()["communication"]["id"])
    assert len(spread(lambda seen: seen.choose_password(mail.token), active, nodes)) == 3 * EACH - 1
    assert active.log().count("PortalPasswordResetCompleted") == 1
    assert active.log_in(password=NEW_PASSWORD).status_code == 201


@pytest.mark.asvs("6.5.1", "15.4.2")
def test_one_of_many_hand_offs_over_three_nodes_opens_the_session(active: Customer, nodes: list[World]) -> None:
    token = handed_over(active.impersonate())
    body = {"token": token}
    path = "/portal/impersonations/redeem"
    assert len(spread(lambda seen: seen.utility.portal.post(path, body), active, nodes)) == 3 * EACH - 1
    assert active.log().count("PortalImpersonationRedeemed") == 1


def test_many_confirmations_over_three_nodes_change_one_thing(customer: Customer, nodes: list[World]) -> None:
    token = customer.registered()
    answers = at_once([partial(seen.confirm, token) for seen in everywhere(customer, nodes) * EACH])
    assert {answer.status_code for answer in answers} == {200}
    assert customer.log().count("PortalEmailConfirmed") == 1


END: dict[str, Callable[[Customer, Client], httpx.Response]] = {
    "logging out": lambda _, own: own.delete("/portal/sessions/current"),
    "an employee's logout": lambda customer, _: customer.log_out(),
    "an account reset": lambda customer, _: customer.utility.employee().post(f"{customer.path}/reset", {}),
    "a new password": lambda customer, _: customer.choose_password(
        customer.utility.world.mailbox.of(customer.send_reset().json()["communication"]["id"]).token
    ),
    "a reactivation": lambda customer, _: reactivated(customer),
}


def reactivated(customer: Customer) -> httpx.Response:
    """An imported duplicate becomes the live account."""
    other = customer.import_account(email=f"old.{customer.email}", live=False).json()["accountId"]
    return customer.utility.employee().post(f"{customer.path}/accounts/{other}/reactivate")


@pytest.mark.parametrize("way", END)
@pytest.mark.asvs("7.4.1")
def test_a_session_that_ends_on_one_node_is_over_on_every_other(active: Customer, nodes: list[World], way: str) -> None:
    own = active.logged_in()
    elsewhere = [replace(own, world=node) for node in nodes]
    assert [client.get("/portal/me").status_code for client in elsewhere] == [200] * len(nodes)
    assert END[way](active, own).is_success
    answers = [client.get("/portal/me") for client in elsewhere]
    assert [refusal(answer) for answer in answers] == [(401, "SESSION_ENDED")] * len(nodes)
