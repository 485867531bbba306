"""The customer's record: created and replaced whole, its number unique in the organisation."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from app.ids import new_id
from tests.api.expect import fields, problem
from tests.support.world import Customer, Utility

_CONTRACT = {
    "contractId": "0199d8a0-0000-7000-8000-0000000000c1",
    "contractNumber": "C-1001",
    "status": "signed",
    "invoiceCount": 3,
}
_DOCUMENT = {
    "documentId": "0199d8a0-0000-7000-8000-0000000000d1",
    "name": "Welcome letter",
    "visibility": "portal",
    "createdDateTime": "2026-01-02T03:04:05Z",
}


def _put(utility: Utility, record: dict[str, Any], customer_id: object = None) -> Any:
    return utility.employee().put(f"/customers/{customer_id or new_id()}", record)


def test_the_first_put_creates_and_the_next_replaces(utility: Utility) -> None:
    customer_id = new_id()
    record = {
        "accountNumber": "20019188",
        "displayName": "Jan Peeters",
        "email": "jan@example.com",
        "language": "nl-BE",
        "contracts": [_CONTRACT],
        "documents": [_DOCUMENT],
    }
    first, second = _put(utility, record, customer_id), _put(utility, record, customer_id)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json() == {"customerId": str(customer_id)} | record


def test_what_is_left_out_goes_back_to_its_default(customer: Customer) -> None:
    customer.save(contracts=[_CONTRACT], documents=[_DOCUMENT])
    bare = {"accountNumber": customer.number, "displayName": "Jan Peeters"}
    answer = _put(customer.utility, bare, customer.id)
    assert answer.status_code == 200
    assert answer.json() == {"customerId": str(customer.id)} | bare | {
        "email": None,
        "language": None,
        "contracts": [],
        "documents": [],
    }
    assert customer.card()["contactEmail"] is None


def test_an_account_number_is_unique_within_the_organisation(customer: Customer) -> None:
    other = customer.utility.customer()
    taken = {"accountNumber": customer.number, "displayName": "Somebody else"}
    assert fields(problem(_put(customer.utility, taken), 422, "VALIDATION_FAILED")) == {"accountNumber"}
    assert fields(problem(other.save(accountNumber=customer.number), 422, "VALIDATION_FAILED")) == {"accountNumber"}
    assert other.card()["accountNumber"] == other.number
    assert customer.card()["displayName"] == "Jan Peeters"


def test_an_account_number_is_free_in_another_organisation(customer: Customer) -> None:
    sister = Utility(customer.utility.world, customer.utility.tenant, new_id())
    sister.change_settings()
    for other in (sister, customer.utility.world.utility()):
        answer = _put(other, {"accountNumber": customer.number, "displayName": "Somebody else"})
        assert answer.status_code == 201
    assert customer.card()["displayName"] == "Jan Peeters"


def test_the_same_id_in_another_organisation_is_another_customer(customer: Customer) -> None:
    twin = Customer(customer.utility.world.utility(), customer.id, customer.record | {"displayName": "A twin"})
    assert twin.save().status_code == 201
    assert twin.card()["displayName"] == "A twin"
    assert customer.card()["displayName"] == "Jan Peeters"


def test_a_number_given_up_is_free(customer: Customer) -> None:
    customer.save(accountNumber="moved-on-1")
    answer = _put(customer.utility, {"accountNumber": customer.number, "displayName": "The next one"})
    assert answer.status_code == 201


def test_twenty_customers_at_once_with_one_number_are_one(utility: Utility) -> None:
    record = {"accountNumber": "20019188", "displayName": "Jan Peeters"}
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: _put(utility, record), range(20)))
    assert sorted(answer.status_code for answer in answers) == [201] + [422] * 19


def test_one_customer_put_twenty_times_at_once_is_created_once(utility: Utility) -> None:
    customer_id, record = new_id(), {"accountNumber": "20019188", "displayName": "Jan Peeters"}
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: _put(utility, record, customer_id), range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]


def test_a_changed_contact_address_stands_in_the_log(customer: Customer) -> None:
    answer = customer.save(email="jan.new@example.com")
    assert answer.status_code == 200
    assert customer.log() == ["PortalContactEmailChanged"]
    entry = customer.activities()[0]
    assert entry["subject"] == {"type": "customer", "id": str(customer.id)}
    assert entry["actor"]["type"] == "employee"
    assert "jan.new@" not in repr(entry), "addresses are masked"
    customer.save(email="jan.new@example.com", displayName="Jan B. Peeters")
    assert customer.log() == ["PortalContactEmailChanged"], "the same address is no change"
    customer.save(email=None)
    assert customer.log() == ["PortalContactEmailChanged"] * 2
    assert customer.activities()[0]["payload"]["email"] is None


def test_an_invitation_to_a_given_address_changes_it_too(customer: Customer) -> None:
    customer.invite(email="jan.given@example.com")
    assert customer.card()["contactEmail"] == "jan.given@example.com"
    assert customer.log() == ["PortalContactEmailChanged", "PortalInvitationSent"]
    assert customer.mail(address="jan.given@example.com").page.endswith("/register")


def test_the_accounts_address_stays_when_the_contact_changes(customer: Customer) -> None:
    customer.active()
    customer.save(email="jan.new@example.com")
    card = customer.card()
    assert (card["email"], card["contactEmail"]) == (customer.email, "jan.new@example.com")


def test_an_address_is_kept_as_it_is_mailed_to(utility: Utility) -> None:
    answer = _put(utility, {"accountNumber": "1", "displayName": "Jan", "email": "Jan.Peeters@EXAMPLE.com"})
    assert answer.json()["email"] == "Jan.Peeters@example.com"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("contractId", "noise"),
        ("contractId", 1),
        ("contractNumber", ""),
        ("status", "Signed"),
        ("status", "noise"),
        ("invoiceCount", -1),
        ("invoiceCount", "3"),
        ("invoiceCount", 1.5),
        ("invoiceCount", 10**12),
        ("price", 1),
    ],
)
def test_a_wrong_contract_is_refused(customer: Customer, field: str, value: Any) -> None:
    body = problem(customer.save(contracts=[_CONTRACT, _CONTRACT | {field: value}]), 422, "VALIDATION_FAILED")
    assert fields(body) == {f"contracts.1.{field}"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("documentId", None),
        ("name", "\x1b[31m"),
        ("visibility", "public"),
        ("createdDateTime", "2026-01-02"),
        ("createdDateTime", "2026-01-02T03:04:05"),
        ("createdDateTime", "yesterday"),
        ("createdDateTime", 1767614400),
        ("createdDateTime", "1767614400"),
    ],
)
def test_a_wrong_document_is_refused(customer: Customer, field: str, value: Any) -> None:
    body = problem(customer.save(documents=[_DOCUMENT | {field: value}]), 422, "VALIDATION_FAILED")
    assert fields(body) == {f"documents.0.{field}"}


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_document_from_the_edge_of_time_is_no_fault_of_ours(customer: Customer, moment: str) -> None:
    answer = customer.save(documents=[_DOCUMENT | {"createdDateTime": moment}])
    assert answer.status_code in (200, 422), answer.text


def test_the_number_of_links_is_bounded(customer: Customer) -> None:
    body = problem(customer.save(contracts=[{}] * 1001), 422, "VALIDATION_FAILED")
    assert "contracts" in {field.split(".")[0] for field in fields(body)}


@pytest.mark.parametrize("wrong", ["noise", "1", "0199d8a0-0000-7000-8000-00000000000g"])
def test_an_id_that_is_no_uuid_is_refused(utility: Utility, wrong: str) -> None:
    record = {"accountNumber": "1", "displayName": "Jan"}
    assert fields(problem(_put(utility, record, wrong), 422, "VALIDATION_FAILED")) == {"customerId"}
    answer = utility.employee().get(f"/customers/{wrong}/portal")
    assert fields(problem(answer, 422, "VALIDATION_FAILED")) == {"customerId"}
