"""Customers fetched from the platform after its webhooks: over real HTTP, from a platform that has its moods."""

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
import pytest

from app.ids import new_id
from tests.journeys.reading import refusal, wait_for_jobs
from tests.journeys.test_platform_events import contract, findings, record, states
from tests.journeys.test_races import at_once
from tests.support.databases import Sql, drop, fresh_copy
from tests.support.mail import SmtpServer
from tests.support.platform import Platform, told
from tests.support.service import listening, test_settings
from tests.support.world import Customer, Utility, World

TIMEOUT = 0.5


@pytest.fixture
def platform() -> Iterator[Platform]:
    """The platform, up and well."""
    with Platform().running() as running:
        yield running


@pytest.fixture(scope="module")
def ours(server: str, worker_id: str) -> Iterator[str]:
    """A database of its own: the other services' workers cannot ask this platform."""
    name = f"portal_platform_{worker_id}"
    yield fresh_copy(server, name)
    drop(server, name)


@pytest.fixture
def utility(
    ours: str, platform: Platform, smtp: SmtpServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Utility]:
    """A utility whose service may ask the platform."""
    settings = test_settings(
        database_url=ours,
        smtp_url=smtp.url,
        data_dir=tmp_path_factory.mktemp("data"),
        platform_timeout_seconds=TIMEOUT,
        **platform.settings,
    )
    with listening(settings) as (url, _), httpx.Client(timeout=20) as http:
        yield World(url, settings, Sql(ours), smtp.mailbox, http).utility()
    Sql(ours).run("DELETE FROM pgqueuer")  # nobody waits for the next test's platform


def someone(utility: Utility, platform: Platform, **given: Any) -> Customer:
    """A customer whom the platform knows, and who is not known here yet."""
    customer = Customer(utility, new_id(), {"accountNumber": str(new_id())[-12:]})
    platform.knows(customer.id, customer.number, **given)
    return customer


def hurry(utility: Utility) -> timedelta:
    """Let the time pass that the utility's jobs wait for; how long the longest of them was."""
    sql, ours = utility.world.sql, str(utility.organisation)
    where = "FROM pgqueuer WHERE status = 'queued' AND position(convert_to($1, 'UTF8') in payload) > 0"
    deadline = time.monotonic() + 15
    while (wait := sql.value(f"SELECT max(execute_after - now()) {where}", ours)) is None or wait < timedelta(
        seconds=1
    ):
        assert time.monotonic() < deadline, "no job waits"
        time.sleep(0.02)
    sql.run(f"UPDATE pgqueuer SET execute_after = now() WHERE id IN (SELECT id {where})", ours)
    return timedelta(seconds=wait.total_seconds())


def until_followed(utility: Utility, events: int, seconds: float = 25) -> None:
    """Until so many events have had their effect; the jobs that wait are told to hurry."""
    deadline = time.monotonic() + seconds
    while states(utility) != ["applied"] * events:
        utility.world.sql.run("UPDATE pgqueuer SET execute_after = now() WHERE status = 'queued'")
        assert time.monotonic() < deadline, states(utility)
        time.sleep(0.1)


def until_kept(customer: Customer, **expected: Any) -> None:
    """Until the record says so."""
    deadline = time.monotonic() + 20
    while True:
        found = customer.utility.world.sql.rows("SELECT * FROM customers WHERE id = $1", customer.id)
        if found and {name: found[0][name] for name in expected} == expected:
            return
        assert time.monotonic() < deadline, found
        time.sleep(0.02)


def test_a_customer_of_the_platform_becomes_one_here(utility: Utility, platform: Platform) -> None:
    signed = {"contractId": str(new_id()), "contractNumber": "C-1", "currentContractStatus": "signed"}
    customer = someone(utility, platform, contracts=[signed], requireAttention=False)
    told(utility, "customercreated", customer)
    wait_for_jobs(utility)
    assert record(customer) == {
        "account_number": customer.number,
        "display_name": "Jan Peeters",
        "email": f"jan.{customer.number}@example.com",
        "language": None,
        "contracts": [
            {"contractId": signed["contractId"], "contractNumber": "C-1", "status": "signed", "invoiceCount": 0}
        ],
        "documents": [],
    }
    [asked] = platform.asked
    assert (asked["zf-tuuid"], asked["zf-ouuid"]) == (str(utility.tenant), str(utility.organisation))
    assert platform.calls == {"token": 1, "customer": 1}
    assert states(utility) == ["applied"]


def test_what_the_platform_does_not_tell_stays(utility: Utility, platform: Platform) -> None:
    mine, other = contract(), contract(contractNumber="C-1002")
    document = {"documentId": str(new_id()), "name": "Letter", "visibility": "portal"}
    document["createdDateTime"] = "2026-01-02T00:00:00+00:00"
    customer = utility.customer(contracts=[mine, other], documents=[document], language="nl-BE")
    terminated = {"contractId": mine["contractId"], "contractNumber": "C-1001", "currentContractStatus": "terminated"}
    platform.knows(customer.id, customer.number, contracts=[terminated], shortDisplayName="Jan Peeters-Claes")
    told(utility, "contractterminated", customer)
    wait_for_jobs(utility)
    kept = record(customer)
    assert kept["contracts"] == [mine | {"status": "terminated"}], "the invoices stay, the other contract is gone"
    assert kept["documents"] == [document]
    assert (kept["language"], kept["display_name"]) == ("nl-BE", "Jan Peeters-Claes")


def test_what_an_event_tells_by_itself_counts_where_the_platform_says_nothing(
    utility: Utility, platform: Platform
) -> None:
    signed = {"contractId": str(new_id()), "contractNumber": "C-1", "currentContractStatus": "signed"}
    customer = someone(utility, platform, contracts=[signed])
    told(utility, "customercreated", customer)
    wait_for_jobs(utility)
    assert "newinvoicesnotvisible" in findings(customer)
    told(utility, "invoiceavailable", customer, contractId=signed["contractId"])
    told(utility, "entityattachmentcreated", customer, attachmentId=str(new_id()), name="Bill", visibility="portal")
    told(utility, "cultureupdated", customer, culture="nl-BE")
    told(utility, "contractterminated", customer, contractId=signed["contractId"])
    wait_for_jobs(utility)
    kept = record(customer)
    assert [one["name"] for one in kept["documents"]] == ["Bill"]
    assert (kept["language"], kept["contracts"][0]["invoiceCount"]) == ("nl-BE", 1)
    assert kept["contracts"][0]["status"] == "signed", "as the platform tells, which is newer than the event"
    assert "newinvoicesnotvisible" not in findings(customer)


def test_features_and_unknown_events_ask_the_platform_nothing(utility: Utility, platform: Platform) -> None:
    customer = someone(utility, platform)
    told(utility, "featureflagsupdated", features={"documents": False})
    told(utility, "meterread", customer)
    wait_for_jobs(utility)
    assert utility.employee().get("/organisation/portal-settings").json()["features"]["documents"] is False
    assert not platform.calls


def test_a_customer_whom_the_platform_deleted_stays_as_it_was(utility: Utility, platform: Platform) -> None:
    customer = utility.customer()
    before = record(customer)
    told(utility, "customerdetailschanged", customer, shortDisplayName="Nobody")
    wait_for_jobs(utility)
    assert record(customer) == before
    assert states(utility) == ["customergone"]
    platform.knows(customer.id, customer.number, shortDisplayName="Somebody")
    told(utility, "customerdetailschanged", customer)
    wait_for_jobs(utility)
    assert record(customer)["display_name"] == "Somebody"
    assert states(utility) == ["customergone", "applied"]


# --- its token ------------------------------------------------------------------------------------------------------


def test_a_token_serves_many_calls(utility: Utility, platform: Platform) -> None:
    customers = [someone(utility, platform) for _ in range(6)]
    for customer in customers:
        told(utility, "customercreated", customer)
    for customer in customers:
        until_kept(customer, account_number=customer.number)
    assert platform.calls == {"token": 1, "customer": 6}


def test_a_token_is_renewed_shortly_before_it_expires(utility: Utility, platform: Platform) -> None:
    platform.expires_in = 1  # half of it counts
    for expected in (1, 2):
        customer = someone(utility, platform)
        told(utility, "customercreated", customer)
        until_kept(customer, account_number=customer.number)
        assert platform.calls["token"] == expected
        good_until = time.monotonic() + 0.5
        while time.monotonic() < good_until:
            time.sleep(0.05)


def test_a_token_that_was_taken_back_is_renewed_once(utility: Utility, platform: Platform) -> None:
    for _ in range(2):
        platform.tokens.clear()
        customer = someone(utility, platform)
        told(utility, "customercreated", customer)
        wait_for_jobs(utility)
        assert record(customer)["account_number"] == customer.number
    assert platform.calls == {"token": 2, "customer": 3}


def test_a_platform_that_refuses_every_token_is_asked_again_later(utility: Utility, platform: Platform) -> None:
    customer = someone(utility, platform)
    platform.status = 401
    told(utility, "customercreated", customer)
    assert hurry(utility) > timedelta(seconds=2)
    assert platform.calls == {"token": 2, "customer": 2}


@pytest.mark.parametrize("status", [400, 503])
def test_a_token_that_is_not_given_is_asked_for_again_later(utility: Utility, platform: Platform, status: int) -> None:
    platform.token_status = status
    told(utility, "customercreated", someone(utility, platform))
    hurry(utility)
    assert platform.calls["customer"] == 0
    assert states(utility) == ["waiting"]


# --- its moods ------------------------------------------------------------------------------------------------------


def test_a_platform_that_has_enough_is_asked_again_when_it_says(utility: Utility, platform: Platform) -> None:
    customer = someone(utility, platform)
    platform.busy = ["1"]
    began = time.monotonic()
    told(utility, "customercreated", customer)
    until_kept(customer, account_number=customer.number)
    assert time.monotonic() - began > 1
    assert platform.calls["customer"] == 2


@pytest.mark.parametrize(
    ("retry_after", "least", "most"),
    [("120", 100, 145), ("Thu, 01 Jan 2099 00:00:00 GMT", 3590, 4330), ("noise", 20, 37)],
)
def test_a_platform_that_has_enough_is_left_alone(
    utility: Utility, platform: Platform, retry_after: str, least: float, most: float
) -> None:
    platform.busy = [retry_after]
    told(utility, "customercreated", someone(utility, platform))
    assert timedelta(seconds=least) < hurry(utility) < timedelta(seconds=most)
    told(utility, "customercreated", someone(utility, platform))
    hurry(utility)
    assert platform.calls["customer"] == 1, "nor is it asked for anybody else"


@pytest.mark.parametrize("status", [500, 403, 302])
def test_a_platform_with_a_fault_is_asked_again(utility: Utility, platform: Platform, status: int) -> None:
    platform.status = status
    told(utility, "customercreated", someone(utility, platform))
    assert timedelta(seconds=3) < hurry(utility) < timedelta(minutes=2)
    assert states(utility) == ["waiting"]


def test_a_slow_platform_holds_up_neither_its_caller_nor_others(utility: Utility, platform: Platform) -> None:
    platform.slowness = 4 * TIMEOUT
    began = time.monotonic()
    told(utility, "customercreated", someone(utility, platform))
    assert time.monotonic() - began < 1, "the webhook waits for nobody"
    utility.customer().invited()
    hurry(utility)
    assert states(utility) == ["waiting"]


def test_no_connection_of_the_database_is_held_meanwhile(utility: Utility, platform: Platform) -> None:
    platform.may_answer.clear()
    told(utility, "customercreated", someone(utility, platform))
    assert platform.answering.wait(10)
    busy = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name = 'portal-access' AND state <> 'idle'"
    )
    assert utility.world.sql.value(busy) == 0
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
def test_an_answer_that_is_not_the_customer_changes_nothing(utility: Utility, platform: Platform, body: bytes) -> None:
    customer = utility.customer()
    platform.knows(customer.id, customer.number, shortDisplayName="Somebody")
    platform.body = body
    before = record(customer)
    told(utility, "customerdetailschanged", customer)
    hurry(utility)
    assert record(customer) == before
    assert states(utility) == ["waiting"]


def test_a_platform_that_is_away_comes_back_and_nothing_is_lost(utility: Utility, platform: Platform) -> None:
    customers = [someone(utility, platform) for _ in range(12)]
    platform.status = 503
    for customer in customers:
        told(utility, "customercreated", customer)
    hurry(utility)
    assert platform.calls["customer"] <= 4, "most jobs do not even ask"
    platform.status = 200
    until_followed(utility, 12)
    assert all(record(customer)["account_number"] == customer.number for customer in customers)


# --- several at once ------------------------------------------------------------------------------------------------


def test_a_burst_of_events_is_few_calls(utility: Utility, platform: Platform) -> None:
    customer = someone(utility, platform)
    platform.may_answer.clear()
    told(utility, "customercreated", customer)
    assert platform.answering.wait(10)
    for _ in range(10):
        told(utility, "customerdetailschanged", customer)
    platform.may_answer.set()
    until_followed(utility, 11)
    assert platform.calls["customer"] < 11


def test_what_was_fetched_before_a_change_does_not_overwrite_it(utility: Utility, platform: Platform) -> None:
    customer = utility.customer()
    platform.knows(customer.id, customer.number, shortDisplayName="Old name")
    platform.may_answer.clear()
    told(utility, "customerdetailschanged", customer)
    assert platform.answering.wait(10)  # the old name is on its way
    document = {"documentId": str(new_id()), "name": "Letter", "visibility": "portal"}
    document["createdDateTime"] = "2026-01-02T00:00:00Z"
    assert customer.save(displayName="New name", documents=[document]).status_code == 200
    platform.knows(customer.id, customer.number, shortDisplayName="New name")
    platform.may_answer.set()
    deadline = time.monotonic() + 20
    while states(utility) != ["applied"]:
        assert record(customer)["display_name"] == "New name", "at no moment the old one again"
        assert time.monotonic() < deadline
    kept = record(customer)
    assert kept["display_name"] == "New name"
    assert [one["name"] for one in kept["documents"]] == ["Letter"]
    assert platform.calls["customer"] == 2


def test_events_and_records_at_once_end_as_the_platform_says(utility: Utility, platform: Platform) -> None:
    customers = [utility.customer() for _ in range(5)]
    for customer in customers:
        platform.knows(customer.id, customer.number, shortDisplayName="Jan of the platform")
    calls = [
        call
        for customer in customers
        for call in (
            *[partial(told, utility, "customerdetailschanged", customer)] * 4,
            partial(customer.save, language="nl-BE", displayName="Jan of the platform"),
        )
    ]
    at_once(calls)
    until_followed(utility, 20)
    for customer in customers:
        kept = record(customer)
        assert (kept["display_name"], kept["language"]) == ("Jan of the platform", "nl-BE")
        assert kept["email"] == customer.email


def test_two_first_events_of_a_new_customer_at_once_make_one_record(utility: Utility, platform: Platform) -> None:
    for _ in range(5):
        customer = someone(utility, platform)
        at_once([partial(told, utility, kind, customer) for kind in ("customercreated", "customerdetailschanged")])
        until_kept(customer, account_number=customer.number)
    until_followed(utility, 10)


def test_a_number_that_another_customer_has_is_tried_again_until_it_is_free(
    utility: Utility, platform: Platform
) -> None:
    holder = utility.customer()
    customer = Customer(utility, new_id(), {"accountNumber": holder.number})
    platform.knows(customer.id, holder.number)
    told(utility, "customercreated", customer)
    hurry(utility)
    assert states(utility) == ["waiting"]
    assert refusal(utility.employee().get(customer.path)) == (404, "CUSTOMER_DOES_NOT_EXIST")
    assert holder.save(accountNumber=f"{holder.number}-B").status_code == 200
    until_followed(utility, 1)
    assert record(customer)["account_number"] == customer.number


def test_nothing_secret_is_kept_or_shown(utility: Utility, platform: Platform) -> None:
    customer = someone(utility, platform)
    told(utility, "customercreated", customer)
    wait_for_jobs(utility)
    [token] = platform.tokens
    tables = utility.world.sql.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    for table in tables:
        rows = json.dumps(utility.world.sql.rows(f"SELECT * FROM {table['tablename']}"), default=str)
        for secret in (
            token,
            platform.settings["platform_client_secret"],
            platform.settings["platform_webhook_secret"],
        ):
            assert secret not in rows
