"""Customers fetched from the platform after its webhooks, over real HTTP."""

import json
import time
from functools import partial

from app.ids import new_id
from tests.journeys.platforms import contract, findings, hurry, record, someone, states, until_followed, until_kept
from tests.journeys.reading import refusal, wait_for_jobs
from tests.journeys.test_races import at_once
from tests.support.platform import Platform, told
from tests.support.world import Customer, Utility


def test_a_customer_of_the_platform_becomes_one_here(asking: Utility, platform: Platform) -> None:
    signed = {"contractId": str(new_id()), "contractNumber": "C-1", "currentContractStatus": "signed"}
    customer = someone(asking, platform, contracts=[signed], requireAttention=False)
    told(asking, "customercreated", customer)
    wait_for_jobs(asking)
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
    assert (asked["zf-tuuid"], asked["zf-ouuid"]) == (str(asking.tenant), str(asking.organisation))
    assert platform.calls == {"token": 1, "customer": 1}
    assert states(asking) == ["applied"]


def test_what_the_platform_does_not_tell_stays(asking: Utility, platform: Platform) -> None:
    mine, other = contract(), contract(contractNumber="C-1002")
    document = {"documentId": str(new_id()), "name": "Letter", "visibility": "portal"}
    document["createdDateTime"] = "2026-01-02T00:00:00+00:00"
    customer = asking.customer(contracts=[mine, other], documents=[document], language="nl-BE")
    terminated = {"contractId": mine["contractId"], "contractNumber": "C-1001", "currentContractStatus": "terminated"}
    platform.knows(customer.id, customer.number, contracts=[terminated], shortDisplayName="Jan Peeters-Claes")
    told(asking, "contractterminated", customer)
    wait_for_jobs(asking)
    kept = record(customer)
    assert kept["contracts"] == [mine | {"status": "terminated"}], "the invoices stay, the other contract is gone"
    assert kept["documents"] == [document]
    assert (kept["language"], kept["display_name"]) == ("nl-BE", "Jan Peeters-Claes")


def test_what_an_event_tells_by_itself_counts_where_the_platform_says_nothing(
    asking: Utility, platform: Platform
) -> None:
    signed = {"contractId": str(new_id()), "contractNumber": "C-1", "currentContractStatus": "signed"}
    customer = someone(asking, platform, contracts=[signed])
    told(asking, "customercreated", customer)
    wait_for_jobs(asking)
    assert "newinvoicesnotvisible" in findings(customer)
    told(asking, "invoiceavailable", customer, contractId=signed["contractId"])
    told(asking, "entityattachmentcreated", customer, attachmentId=str(new_id()), name="Bill", visibility="portal")
    told(asking, "cultureupdated", customer, culture="nl-BE")
    told(asking, "contractterminated", customer, contractId=signed["contractId"])
    wait_for_jobs(asking)
    kept = record(customer)
    assert [one["name"] for one in kept["documents"]] == ["Bill"]
    assert (kept["language"], kept["contracts"][0]["invoiceCount"]) == ("nl-BE", 1)
    assert kept["contracts"][0]["status"] == "signed", "as the platform tells, which is newer than the event"
    assert "newinvoicesnotvisible" not in findings(customer)


def test_features_and_unknown_events_ask_the_platform_nothing(asking: Utility, platform: Platform) -> None:
    customer = someone(asking, platform)
    told(asking, "featureflagsupdated", features={"documents": False})
    told(asking, "meterread", customer)
    wait_for_jobs(asking)
    assert asking.employee().get("/organisation/portal-settings").json()["features"]["documents"] is False
    assert not platform.calls


def test_a_customer_whom_the_platform_deleted_stays_as_it_was(asking: Utility, platform: Platform) -> None:
    customer = asking.customer()
    before = record(customer)
    told(asking, "customerdetailschanged", customer, shortDisplayName="Nobody")
    wait_for_jobs(asking)
    assert record(customer) == before
    assert states(asking) == ["customergone"]
    platform.knows(customer.id, customer.number, shortDisplayName="Somebody")
    told(asking, "customerdetailschanged", customer)
    wait_for_jobs(asking)
    assert record(customer)["display_name"] == "Somebody"
    assert states(asking) == ["customergone", "applied"]


def test_a_burst_of_events_is_few_calls(asking: Utility, platform: Platform) -> None:
    customer = someone(asking, platform)
    platform.may_answer.clear()
    told(asking, "customercreated", customer)
    assert platform.answering.wait(10)
    for _ in range(10):
        told(asking, "customerdetailschanged", customer)
    platform.may_answer.set()
    until_followed(asking, 11)
    assert platform.calls["customer"] < 11, "fewer than there were events"


def test_what_was_fetched_before_a_change_does_not_overwrite_it(asking: Utility, platform: Platform) -> None:
    customer = asking.customer()
    platform.knows(customer.id, customer.number, shortDisplayName="Old name")
    platform.may_answer.clear()
    told(asking, "customerdetailschanged", customer)
    assert platform.answering.wait(10)  # the old name is on its way
    document = {"documentId": str(new_id()), "name": "Letter", "visibility": "portal"}
    document["createdDateTime"] = "2026-01-02T00:00:00Z"
    assert customer.save(displayName="New name", documents=[document]).status_code == 200
    platform.knows(customer.id, customer.number, shortDisplayName="New name")
    platform.may_answer.set()
    deadline = time.monotonic() + 20
    while states(asking) != ["applied"]:
        assert record(customer)["display_name"] == "New name", "at no moment the old one again"
        assert time.monotonic() < deadline
    kept = record(customer)
    assert kept["display_name"] == "New name"
    assert [one["name"] for one in kept["documents"]] == ["Letter"]
    assert platform.calls["customer"] == 2


def test_events_and_records_at_once_end_as_the_platform_says(asking: Utility, platform: Platform) -> None:
    customers = [asking.customer() for _ in range(5)]
    for customer in customers:
        platform.knows(customer.id, customer.number, shortDisplayName="Jan of the platform")
    calls = [
        call
        for customer in customers
        for call in (
            *[partial(told, asking, "customerdetailschanged", customer)] * 4,
            partial(customer.save, language="nl-BE", displayName="Jan of the platform"),
        )
    ]
    at_once(calls)
    until_followed(asking, 20)
    for customer in customers:
        kept = record(customer)
        assert (kept["display_name"], kept["language"]) == ("Jan of the platform", "nl-BE")
        assert kept["email"] == customer.email


def test_two_first_events_of_a_new_customer_at_once_make_one_record(asking: Utility, platform: Platform) -> None:
    for _ in range(5):
        customer = someone(asking, platform)
        at_once([partial(told, asking, kind, customer) for kind in ("customercreated", "customerdetailschanged")])
        until_kept(customer, account_number=customer.number)
    until_followed(asking, 10)


def test_a_number_that_another_customer_has_is_tried_again_until_it_is_free(
    asking: Utility, platform: Platform
) -> None:
    holder = asking.customer()
    customer = Customer(asking, new_id(), {"accountNumber": holder.number})
    platform.knows(customer.id, holder.number)
    told(asking, "customercreated", customer)
    hurry(asking)
    assert states(asking) == ["waiting"]
    assert refusal(asking.employee().get(customer.path)) == (404, "CUSTOMER_DOES_NOT_EXIST")
    assert holder.save(accountNumber=f"{holder.number}-B").status_code == 200
    until_followed(asking, 1)
    assert record(customer)["account_number"] == customer.number


def test_nothing_secret_is_kept_or_shown(asking: Utility, platform: Platform) -> None:
    customer = someone(asking, platform)
    told(asking, "customercreated", customer)
    wait_for_jobs(asking)
    [token] = platform.tokens
    tables = asking.world.sql.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    for table in tables:
        rows = json.dumps(asking.world.sql.rows(f"SELECT * FROM {table['tablename']}"), default=str)
        for secret in (
            token,
            platform.settings["platform_client_secret"],
            platform.settings["platform_webhook_secret"],
        ):
            assert secret not in rows
