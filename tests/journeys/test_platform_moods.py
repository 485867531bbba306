"""A platform that has its moods: it takes tokens back, has enough, is slow, is away, talks nonsense."""

import time
from datetime import timedelta

import pytest

from tests.journeys.platforms import hurry, record, someone, states, until_followed, until_kept
from tests.journeys.reading import wait_for_jobs
from tests.support.platform import Platform, told
from tests.support.world import Utility


def test_a_token_serves_many_calls(asking: Utility, platform: Platform) -> None:
    customers = [someone(asking, platform) for _ in range(6)]
    for customer in customers:
        told(asking, "customercreated", customer)
    for customer in customers:
        until_kept(customer, account_number=customer.number)
    assert platform.calls == {"token": 1, "customer": 6}


def test_a_token_is_renewed_shortly_before_it_expires(asking: Utility, platform: Platform) -> None:
    platform.expires_in = 1  # half of it counts
    for expected in (1, 2):
        customer = someone(asking, platform)
        told(asking, "customercreated", customer)
        until_kept(customer, account_number=customer.number)
        assert platform.calls["token"] == expected
        time.sleep(0.6)


def test_a_token_that_was_taken_back_is_renewed_once(asking: Utility, platform: Platform) -> None:
    for _ in range(2):
        platform.tokens.clear()
        customer = someone(asking, platform)
        told(asking, "customercreated", customer)
        wait_for_jobs(asking)
        assert record(customer)["account_number"] == customer.number
    assert platform.calls == {"token": 2, "customer": 3}


def test_a_platform_that_refuses_every_token_is_asked_again_later(asking: Utility, platform: Platform) -> None:
    customer = someone(asking, platform)
    platform.status = 401
    told(asking, "customercreated", customer)
    assert hurry(asking) > timedelta(seconds=2)
    assert platform.calls == {"token": 2, "customer": 2}


@pytest.mark.parametrize("status", [400, 503])
def test_a_token_that_is_not_given_is_asked_for_again_later(asking: Utility, platform: Platform, status: int) -> None:
    platform.token_status = status
    told(asking, "customercreated", someone(asking, platform))
    hurry(asking)
    assert platform.calls["customer"] == 0
    assert states(asking) == ["waiting"]


def test_a_platform_that_has_enough_is_asked_again_when_it_says(asking: Utility, platform: Platform) -> None:
    customer = someone(asking, platform)
    platform.busy = ["1"]
    began = time.monotonic()
    told(asking, "customercreated", customer)
    until_kept(customer, account_number=customer.number)
    assert time.monotonic() - began > 1
    assert platform.calls["customer"] == 2


@pytest.mark.parametrize(
    ("retry_after", "least", "most"),
    [("120", 100, 145), ("Thu, 01 Jan 2099 00:00:00 GMT", 3590, 4330), ("noise", 20, 37)],
)
def test_a_platform_that_has_enough_is_left_alone(
    asking: Utility, platform: Platform, retry_after: str, least: float, most: float
) -> None:
    platform.busy = [retry_after]
    told(asking, "customercreated", someone(asking, platform))
    assert timedelta(seconds=least) < hurry(asking) < timedelta(seconds=most)
    told(asking, "customercreated", someone(asking, platform))
    hurry(asking)
    assert platform.calls["customer"] == 1, "nor is it asked for anybody else"


@pytest.mark.parametrize("status", [500, 403, 302])
def test_a_platform_with_a_fault_is_asked_again(asking: Utility, platform: Platform, status: int) -> None:
    platform.status = status
    told(asking, "customercreated", someone(asking, platform))
    assert timedelta(seconds=3) < hurry(asking) < timedelta(minutes=2)
    assert states(asking) == ["waiting"]


def test_a_slow_platform_holds_up_neither_its_caller_nor_others(asking: Utility, platform: Platform) -> None:
    platform.slowness = 5
    began = time.monotonic()
    told(asking, "customercreated", someone(asking, platform))
    assert time.monotonic() - began < platform.slowness, "the webhook waits for nobody"
    asking.customer().invited()
    hurry(asking)
    assert states(asking) == ["waiting"]


def test_no_connection_of_the_database_is_held_meanwhile(asking: Utility, platform: Platform) -> None:
    platform.may_answer.clear()
    told(asking, "customercreated", someone(asking, platform))
    assert platform.answering.wait(10)
    busy = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name = 'portal-access' AND state <> 'idle'"
    )
    assert asking.world.sql.value(busy) == 0
    platform.may_answer.set()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"noise",
        b"[]",
        b'{"data": null}',
        b'{"data": {"accountNumber": "1"}}',
        b'{"data": {"id": "0199d8a0-0000-7000-8000-000000000010", "accountNumber": "1", "shortDisplayName": "X"}}',
        b'{"data": {"name": "' + b"x" * 1024 * 1024 + b'"}}',
        b"[" * 100_000,
    ],
    ids=lambda body: body[:20],
)
def test_an_answer_that_is_not_the_customer_changes_nothing(asking: Utility, platform: Platform, body: bytes) -> None:
    customer = asking.customer()
    platform.knows(customer.id, customer.number, shortDisplayName="Somebody")
    platform.body = body
    before = record(customer)
    told(asking, "customerdetailschanged", customer)
    hurry(asking)
    assert record(customer) == before
    assert states(asking) == ["waiting"]


def test_a_platform_that_is_away_comes_back_and_nothing_is_lost(asking: Utility, platform: Platform) -> None:
    customers = [someone(asking, platform) for _ in range(12)]
    platform.status = 503
    for customer in customers:
        told(asking, "customercreated", customer)
    hurry(asking)
    assert platform.calls["customer"] <= 8, "of twelve, four at a time: the others do not even ask"
    platform.status = 200
    until_followed(asking, 12)
    assert all(record(customer)["account_number"] == customer.number for customer in customers)
