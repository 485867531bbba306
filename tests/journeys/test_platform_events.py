"""What the platform's webhooks tell by themselves, where the platform cannot be asked."""

import json
import time
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from app.ids import new_id
from tests.journeys.platforms import contract, findings, record, states
from tests.journeys.reading import refusal, wait_for_jobs
from tests.journeys.test_races import at_once
from tests.journeys.test_retention import tend
from tests.support.platform import send, told
from tests.support.world import Customer, Utility


def test_a_contract_follows_its_events(utility: Utility) -> None:
    mine, other = contract(), contract(contractNumber="C-1002")
    customer = utility.customer(contracts=[mine, other])
    for kind, more, status in (
        ("contractsigned", {}, "signed"),
        ("contractterminated", {}, "terminated"),
        ("contractupdated", {"currentContractStatus": "cancelled"}, "cancelled"),
        ("contractupdated", {"contractNumber": "C-1001-B"}, "cancelled"),
        ("contractupdated", {"currentContractStatus": "frozen"}, "cancelled"),
    ):
        told(utility, kind, customer, contractId=mine["contractId"], **more)
        wait_for_jobs(utility)
        changed, untouched = record(customer)["contracts"]
        assert changed["status"] == status
        assert changed["invoiceCount"] == 2
        assert untouched == other
    assert changed["contractNumber"] == "C-1001-B"


def test_a_contract_that_is_new_comes_last_once_its_number_is_told(customer: Customer) -> None:
    utility, contract_id = customer.utility, str(new_id())
    told(utility, "contractsigned", customer, contractId=contract_id)
    wait_for_jobs(utility)
    assert record(customer)["contracts"] == []
    told(utility, "contractsigned", customer, contractId=contract_id, contractNumber="C-7")
    wait_for_jobs(utility)
    assert record(customer)["contracts"] == [
        contract(contractId=contract_id, contractNumber="C-7", status="signed", invoiceCount=0)
    ]


def test_events_have_their_effect_in_the_order_in_which_they_came(utility: Utility) -> None:
    mine = contract()
    customer = utility.customer(contracts=[mine])
    lock = "SELECT 1 FROM customers WHERE id = $1 FOR UPDATE"
    tired = "SELECT count(*) FROM pgqueuer WHERE attempts > 0 AND position(convert_to($1, 'UTF8') in payload) > 0"
    with utility.world.sql.holding(lock, customer.id):  # until their jobs come back, and know of all of them
        for kind in ("contractsigned", "contractterminated", "contractsigned", "contractterminated"):
            told(utility, kind, customer, contractId=mine["contractId"])
        deadline = time.monotonic() + 20
        while utility.world.sql.value(tired, str(utility.organisation)) < 4:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    wait_for_jobs(utility)
    assert record(customer)["contracts"][0]["status"] == "terminated"
    assert states(utility) == ["applied"] * 4


def test_invoices_are_counted_each_once(utility: Utility) -> None:
    mine = contract(status="signed", invoiceCount=0)
    customer = utility.customer(contracts=[mine])
    assert "newinvoicesnotvisible" in findings(customer)
    invoices = [{"contractId": mine["contractId"], "invoiceId": str(new_id())} for _ in range(2)]
    for invoice in invoices:
        body = json.dumps({"_type": "invoiceavailable", "customerId": str(customer.id)} | invoice).encode()
        assert send(utility, body).status_code == 202
        utility.world.sql.run(
            "UPDATE platform_events SET received_at = received_at - interval '6 minutes' WHERE organisation_id = $1",
            utility.organisation,
        )
        assert send(utility, body).status_code == 202, "minutes later it is a new event"
    wait_for_jobs(utility)
    assert record(customer)["contracts"][0]["invoiceCount"] == 2
    assert "newinvoicesnotvisible" not in findings(customer)


def test_invoices_at_once_are_all_counted(utility: Utility) -> None:
    mine = contract(status="signed", invoiceCount=0)
    customer = utility.customer(contracts=[mine])
    at_once([partial(told, utility, "invoiceavailable", customer, contractId=mine["contractId"])] * 12)
    wait_for_jobs(utility)
    assert record(customer)["contracts"][0]["invoiceCount"] == 12


def test_attachments_come_change_and_go(customer: Customer) -> None:
    utility, attachment = customer.utility, str(new_id())

    def listed() -> list[str]:
        answer = utility.employee().get(f"{customer.path}/documents")
        return [one["name"] for one in answer.json()["results"]]

    told(utility, "entityattachmentcreated", customer, attachmentId=attachment, name="Letter")
    wait_for_jobs(utility)
    assert record(customer)["documents"][0]["visibility"] == "internal"
    assert listed() == [], "nobody sees what is not said to be for the portal"
    told(utility, "entityattachmentupdated", customer, attachmentId=attachment, visibility="portal")
    wait_for_jobs(utility)
    assert listed() == ["Letter"]
    told(utility, "entityattachmentupdated", customer, attachmentId=attachment, fileName="Answer.pdf")
    wait_for_jobs(utility)
    assert listed() == ["Answer.pdf"]
    told(utility, "entityattachmentdeleted", customer, attachmentId=attachment)
    wait_for_jobs(utility)
    assert record(customer)["documents"] == []


def test_details_that_are_told_change_and_the_others_stay(utility: Utility) -> None:
    customer = utility.customer(contracts=[contract()], language="nl-BE")
    before = record(customer)
    details = [{"contactType": "email", "value": f"second.{customer.number}@example.com"}]
    details += [{"contactType": "email", "value": f"First.{customer.number}@Example.com", "primaryForType": True}]
    told(utility, "customerdetailschanged", customer, shortDisplayName="Jan\r\nPeeters-Claes", contactDetails=details)
    wait_for_jobs(utility)
    email = f"First.{customer.number}@example.com"
    assert record(customer) == before | {"display_name": "Jan Peeters-Claes", "email": email}
    [entry] = [one for one in customer.activities() if one["type"] == "PortalContactEmailChanged"]
    assert entry["actor"] == {"type": "system", "id": "platform", "name": "Platform"}
    assert customer.email not in json.dumps(entry)
    assert entry["correlationId"] == utility.world.sql.value(
        "SELECT correlation_id FROM platform_events WHERE organisation_id = $1", utility.organisation
    )


@pytest.mark.parametrize(
    ("details", "email"),
    [
        ([], None),
        ([{"contactType": "phone", "value": "+32 2 555 01 23"}], None),
        ([{"contactType": "email", "value": "no address at all"}], "unchanged"),
        ([{"contactType": "email", "value": ["a@example.com"]}], "unchanged"),
        ("noise", "unchanged"),
        ([None, 7], None),
    ],
)
def test_an_address_goes_when_it_is_told_so_and_not_by_noise(customer: Customer, details: Any, email: str) -> None:
    told(customer.utility, "customerdetailschanged", customer, contactDetails=details)
    wait_for_jobs(customer.utility)
    assert record(customer)["email"] == (customer.email if email == "unchanged" else email)


def test_a_customer_is_made_once_number_and_name_are_told(utility: Utility) -> None:
    customer = Customer(utility, new_id(), {"accountNumber": str(new_id())[:13]})
    told(utility, "customercreated", customer, accountNumber=customer.number)
    wait_for_jobs(utility)
    assert states(utility) == ["ignored"]
    assert refusal(utility.employee().get(customer.path)) == (404, "CUSTOMER_DOES_NOT_EXIST")
    told(utility, "customercreated", customer, accountNumber=customer.number, shortDisplayName="Jan", culture="fr-be")
    wait_for_jobs(utility)
    kept = record(customer)
    assert (kept["account_number"], kept["display_name"], kept["language"]) == (customer.number, "Jan", "fr-BE")
    assert states(utility) == ["ignored", "applied"]


def test_the_language_follows_the_culture(customer: Customer) -> None:
    for said, language in (("nl-BE", "nl-BE"), ("fr-be", "fr-BE"), ("Klingon", "fr-BE"), (None, "fr-BE")):
        told(customer.utility, "cultureupdated", customer, culture=said)
        wait_for_jobs(customer.utility)
        assert record(customer)["language"] == language


def test_features_of_the_portal_follow_their_flags(utility: Utility) -> None:
    before = utility.employee().get("/organisation/portal-settings").json()
    flags = {"advancePaymentAdjustable": True, "documents": False, "invoices": "perhaps", "teleport": True}
    told(utility, "featureflagsupdated", features=flags)
    wait_for_jobs(utility)
    after = utility.employee().get("/organisation/portal-settings").json()
    assert after == before | {"features": before["features"] | {"advancePaymentAdjustable": True, "documents": False}}
    assert utility.log("PortalSettingsChanged")[-1]["payload"] == {"created": False, "changed": ["features"]}
    told(utility, "featureflagsupdated", new_id(), features=flags)
    wait_for_jobs(utility)
    assert len(utility.log("PortalSettingsChanged")) == 2, "nothing changed the second time"
    assert states(utility) == ["applied", "ignored"]


def test_what_is_unknown_is_kept_and_changes_nothing(customer: Customer) -> None:
    utility, before = customer.utility, record(customer)
    for kind, more in (
        ("meterread", {"culture": "nl-BE"}),
        ("CustomerDetailsChanged", {"shortDisplayName": "Piet"}),
        ("contractsigned", {"contractId": "noise"}),
        ("contractupdated", {"contractId": {"a": 1}, "currentContractStatus": ["signed"]}),
        ("entityattachmentcreated", {"attachmentId": str(new_id()), "name": 7, "visibility": ["portal"]}),
        ("customerdetailschanged", {"accountNumber": "9" * 65, "contracts": "noise", "attachments": {}}),
    ):
        told(utility, kind, customer, **more)
    told(utility, "contractsigned", contractId=str(new_id()))
    wait_for_jobs(utility)
    assert record(customer) == before
    assert states(utility)[:2] == ["ignored", "ignored"]
    assert states(utility)[-1] == "ignored", "nobody is named"


def test_an_event_reaches_no_customer_of_another_organisation(customer: Customer) -> None:
    stranger, before = customer.utility.world.utility(), record(customer)
    told(stranger, "customerdetailschanged", customer, shortDisplayName="Somebody else")
    wait_for_jobs(stranger)
    assert record(customer) == before
    assert states(stranger) == ["ignored"]


def test_an_event_and_a_new_record_at_once_lose_nothing(utility: Utility) -> None:
    for number in range(20):
        mine = contract(status="sent", invoiceCount=0)
        customer = utility.customer(contracts=[mine])
        whole = partial(customer.save, displayName=f"Jan {number}")
        at_once([whole, partial(told, utility, "contractsigned", customer, contractId=mine["contractId"])])
        wait_for_jobs(utility)
        kept = record(customer)
        assert kept["display_name"] == f"Jan {number}"
        assert kept["contracts"][0]["status"] in ("signed", "sent"), "whichever came last"
        assert kept["email"] == customer.email


def test_events_are_kept_for_a_month(utility: Utility) -> None:
    for days in (31, 29):
        told(utility, "meterread", days=days)
        utility.world.sql.run(
            "UPDATE platform_events SET received_at = now() - $2::interval"
            " WHERE organisation_id = $1 AND body ->> 'days' = $3",
            utility.organisation,
            timedelta(days=days),
            str(days),
        )
    tend(utility)
    rows = utility.world.sql.rows("SELECT body FROM platform_events WHERE organisation_id = $1", utility.organisation)
    assert [json.loads(row["body"])["days"] for row in rows] == [29]
