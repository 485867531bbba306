"""The database's clock decides: a node whose own clock is wrong judges links and sessions as every other does."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from app.clock import utc_now
from tests.journeys.reading import expires_in, refusal
from tests.support.service import listening
from tests.support.world import Client, Customer, World

MINUTE = timedelta(minutes=1)  # far less than the clocks are off


@pytest.fixture(scope="module", params=[timedelta(minutes=10), timedelta(minutes=-10)], ids=["ahead", "behind"])
def node(request: pytest.FixtureRequest, world: World) -> Iterator[World]:
    """The world through a node whose clock is ten minutes off."""
    off: timedelta = request.param
    settings = world.settings.model_copy(update={"run_worker": False})
    with listening(settings, clock=lambda: utc_now() + off) as (url, _), httpx.Client(timeout=20) as http:
        yield replace(world, url=url, http=http)


def through(node: World, customer: Customer) -> Customer:
    """The customer as that node knows them."""
    return replace(customer, utility=replace(customer.utility, world=node))


def token_of(customer: Customer, sent: dict[str, dict[str, str]]) -> str:
    return customer.utility.world.mailbox.of(sent["communication"]["id"]).token


def an_invitation(customer: Customer) -> tuple[str, Callable[[Customer], httpx.Response]]:
    sent = customer.invite()
    token = token_of(customer, sent)
    return sent["id"], lambda seen: seen.register(token)


def a_reset(customer: Customer) -> tuple[str, Callable[[Customer], httpx.Response]]:
    sent = customer.active().send_reset().json()
    token = token_of(customer, sent)
    return sent["id"], lambda seen: seen.choose_password(token)


LINKS = [an_invitation, a_reset]


@pytest.mark.parametrize("link", LINKS)
def test_a_link_works_a_minute_before_its_end(
    link: Callable[[Customer], tuple[str, Callable[[Customer], httpx.Response]]], customer: Customer, node: World
) -> None:
    token_id, use = link(customer)
    expires_in(customer.utility, token_id, MINUTE)
    assert use(through(node, customer)).is_success


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.asvs("6.5.8")
def test_a_link_is_dead_a_minute_after_its_end(
    link: Callable[[Customer], tuple[str, Callable[[Customer], httpx.Response]]], customer: Customer, node: World
) -> None:
    token_id, use = link(customer)
    expires_in(customer.utility, token_id, -MINUTE)
    assert refusal(use(through(node, customer))) == (410, "TOKEN_EXPIRED")


def session_of(client: Client, node: World, customer: Customer, ended: timedelta) -> httpx.Response:
    """A call through the node with a session whose end is so far away, or so long ago."""
    changed = customer.utility.world.sql.run(
        "UPDATE sessions SET created_at = created_at - (expires_at - now()) - $3::interval,"
        " expires_at = now() - $3::interval"
        " WHERE organisation_id = $1 AND customer_id = $2",
        customer.utility.organisation,
        customer.id,
        ended,
    )
    assert changed == "UPDATE 1"
    return replace(client, world=node).get("/portal/me")


def test_a_session_lives_as_long_as_the_database_says(active: Customer, node: World) -> None:
    own = active.logged_in()
    assert session_of(own, node, active, -MINUTE).status_code == 200
    assert refusal(session_of(own, node, active, MINUTE)) == (401, "SESSION_ENDED")


def test_what_the_node_writes_lives_as_long_as_any(customer: Customer, node: World) -> None:
    """No employee calls here: a token of another issuer's clock is judged by the node's own."""
    other = through(node, customer)
    assert other.register(customer.invited()).status_code == 201
    left = "SELECT expires_at - now() FROM {} WHERE organisation_id = $1 AND customer_id = $2 ORDER BY id DESC LIMIT 1"
    of_customer = (customer.utility.organisation, customer.id)
    sql = customer.utility.world.sql
    assert timedelta(hours=24) - MINUTE < sql.value(left.format("tokens"), *of_customer) <= timedelta(hours=24)
    sql.run(
        "UPDATE accounts SET email_confirmed_at = now() WHERE organisation_id = $1 AND customer_id = $2", *of_customer
    )
    assert other.log_in().status_code == 201
    assert timedelta(hours=12) - MINUTE < sql.value(left.format("sessions"), *of_customer) <= timedelta(hours=12)
