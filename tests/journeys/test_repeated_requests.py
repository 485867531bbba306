"""The same Idempotency-Key on several API processes, and across their ends: one effect, one answer."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from tests.journeys.reading import refusal
from tests.journeys.test_races import at_once
from tests.support.service import api_process
from tests.support.world import Client, Customer, World

_LOCK = "SELECT 1 FROM customers WHERE id = $1 FOR UPDATE"


def invite(node: World, customer: Customer, body: Any = None, **employee: Any) -> httpx.Response:
    """An invitation with a key, asked of one of the processes."""
    client = Client(node, customer.utility.bearer(**employee))
    return client.post(f"{customer.path}/invitations", body, headers={"Idempotency-Key": "order-1"})


def is_replay(answer: httpx.Response) -> bool:
    assert answer.status_code == 201, answer.text
    return answer.headers.get("idempotency-replayed") == "true"


def test_another_process_gives_the_first_answer_again(customer: Customer, nodes: list[World]) -> None:
    first, again = (invite(node, customer, {"language": "nl-BE"}) for node in nodes)
    assert [is_replay(first), is_replay(again)] == [False, True]
    assert again.content == first.content
    assert refusal(invite(nodes[1], customer, {"language": "fr-BE"})) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert is_replay(invite(nodes[1], customer, {"language": "nl-BE"}, subject="employee-8")) is False
    assert customer.log().count("PortalInvitationSent") == 2


def test_many_at_once_over_two_processes_are_one_deed(customer: Customer, nodes: list[World]) -> None:
    answers = at_once([partial(invite, nodes[number % 2], customer) for number in range(20)])
    done = [answer for answer in answers if answer.status_code == 201]
    assert {refusal(answer) for answer in answers if answer not in done} <= {(409, "IDEMPOTENCY_IN_PROGRESS")}
    assert [is_replay(answer) for answer in done].count(False) == 1
    assert len({answer.content for answer in done}) == 1
    assert customer.log() == ["PortalInvitationSent"]


def test_while_the_first_is_running_the_others_are_told_so_on_every_process(
    customer: Customer, nodes: list[World]
) -> None:
    with ThreadPoolExecutor(1) as threads:
        with customer.utility.world.sql.holding(_LOCK, customer.id):
            first = threads.submit(invite, nodes[0], customer)
            customer.utility.world.sql.wait_for_waiting(1)
            for node in nodes:
                assert refusal(invite(node, customer)) == (409, "IDEMPOTENCY_IN_PROGRESS")
        assert is_replay(first.result()) is False
    again = [invite(node, customer) for node in nodes]
    assert [is_replay(answer) for answer in again] == [True, True]
    assert {answer.content for answer in again} == {first.result().content}


def test_a_fault_is_not_remembered(customer: Customer, nodes: list[World]) -> None:
    with customer.utility.world.sql.holding(_LOCK, customer.id):  # for longer than a request waits
        assert refusal(invite(nodes[0], customer)) == (503, "TEMPORARILY_UNAVAILABLE")
    assert is_replay(invite(nodes[1], customer)) is False
    assert customer.log() == ["PortalInvitationSent"]


def test_the_answer_outlives_a_killed_process(customer: Customer, nodes: list[World], tmp_path: Path) -> None:
    settings = customer.utility.world.settings
    with api_process(settings, tmp_path / "killed.log", "--no-worker") as (url, process):
        first = invite(replace(nodes[0], url=url), customer)
        process.kill()
    with api_process(settings, tmp_path / "next.log", "--no-worker") as (url, _):
        again = invite(replace(nodes[0], url=url), customer)
    assert [is_replay(first), is_replay(again)] == [False, True]
    assert again.content == first.content
    assert customer.log() == ["PortalInvitationSent"]


def test_a_process_that_is_killed_midway_leaves_the_key_free(
    customer: Customer, nodes: list[World], tmp_path: Path
) -> None:
    sql = customer.utility.world.sql
    with (
        api_process(customer.utility.world.settings, tmp_path / "killed.log", "--no-worker") as (url, process),
        ThreadPoolExecutor(1) as threads,
        sql.holding(_LOCK, customer.id),
    ):
        first = threads.submit(invite, replace(nodes[0], url=url), customer)
        sql.wait_for_waiting(1)
        process.kill()
        assert isinstance(first.exception(20), httpx.TransportError)
    assert customer.log() == []
    deadline = time.monotonic() + 20
    while (again := invite(nodes[1], customer)).status_code == 409:  # until PostgreSQL notices that it is alone
        assert refusal(again) == (409, "IDEMPOTENCY_IN_PROGRESS")
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert is_replay(again) is False
    assert customer.log() == ["PortalInvitationSent"]
