"""Documents in the portal: what the customer sees, and that the utility sees what was opened."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.ids import new_id
from tests.journeys.reading import refusal
from tests.journeys.test_races import at_once
from tests.support.world import Client, Customer, Utility

_NEWEST = datetime(2026, 11, 20, 9, tzinfo=UTC)


def document(days_old: int = 0, **given: Any) -> dict[str, Any]:
    """A document as the billing system tells it."""
    created = (_NEWEST - timedelta(days=days_old)).isoformat().replace("+00:00", "Z")
    return {
        "documentId": str(new_id()),
        "name": f"Statement {days_old}",
        "visibility": "portal",
        "createdDateTime": created,
    } | given


def store(customer: Customer, *documents: dict[str, Any]) -> None:
    """The billing system tells the customer's documents."""
    assert customer.save(documents=list(documents)).status_code == 200


def mine(client: Client, **params: str) -> list[dict[str, Any]]:
    """What the portal lists."""
    answer = client.get("/portal/documents", params=params)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["results"])


def seen_by_employee(customer: Customer) -> list[dict[str, Any]]:
    """What the card lists."""
    answer = customer.utility.employee().get(f"{customer.path}/documents")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["results"])


def view(client: Client, one: dict[str, Any]) -> Any:
    """The portal tells that a document was opened."""
    return client.post(f"/portal/documents/{one['documentId']}/views")


def test_the_portal_lists_what_is_for_it_newest_first(active: Customer) -> None:
    old, new = document(9), document(1, visibility="portalandmovein")
    store(active, old, document(3, visibility="internal"), new)
    listed = mine(active.logged_in())
    assert listed == [{**new, "viewed": False}, {**old, "viewed": False}]


def test_opening_a_document_counts_and_shows_on_the_card(active: Customer) -> None:
    read, unread = document(1), document(2)
    store(active, read, unread)
    client = active.logged_in()
    first = view(client, read)
    assert first.status_code == 201
    assert first.json()["viewCount"] == 1
    again = view(client, read).json()
    assert again["viewCount"] == 2
    assert again["firstViewedDateTime"] == first.json()["firstViewedDateTime"] < again["lastViewedDateTime"]
    assert seen_by_employee(active) == [
        again,
        {**unread, "viewed": False, "firstViewedDateTime": None, "lastViewedDateTime": None, "viewCount": 0},
    ]
    assert [one["viewed"] for one in mine(client)] == [True, False]


def test_the_log_tells_who_opened_what(active: Customer) -> None:
    statement = document()
    store(active, statement)
    view(active.logged_in(), statement)
    entry = active.activities()[0]
    assert entry["type"] == "PortalDocumentViewed"
    assert entry["actor"] == {"type": "customer", "id": str(active.id), "name": "Jan Peeters"}
    assert entry["subject"] == {"type": "document", "id": statement["documentId"]}
    assert entry["payload"] == {"name": "Statement 0"}
    assert entry["impersonation"] is None


@pytest.mark.parametrize("mode", ["readonly", "full"])
def test_an_employees_view_is_logged_with_both_names_and_never_counted(active: Customer, mode: str) -> None:
    statement = document()
    store(active, statement)
    employee = active.impersonated(accessMode=mode)
    assert [one["documentId"] for one in mine(employee)] == [statement["documentId"]]
    answer = view(employee, statement)
    assert answer.status_code == 201
    assert (answer.json()["viewed"], answer.json()["viewCount"]) == (False, 0)
    assert seen_by_employee(active)[0]["viewed"] is False
    [entry] = [one for one in active.activities() if one["type"] == "PortalDocumentViewed"]
    assert entry["customerId"] == str(active.id)
    assert entry["impersonation"]["employeeName"] == "Eva Maes"
    view(active.logged_in(), statement)
    assert seen_by_employee(active)[0]["viewCount"] == 1


@pytest.mark.parametrize("kind", ["unknown", "internal", "a neighbour's", "another organisation's"])
def test_what_the_portal_does_not_show_is_not_there(active: Customer, kind: str) -> None:
    hidden = document(visibility="internal" if kind == "internal" else "portal")
    owner = {
        "internal": active,
        "a neighbour's": active.utility.customer(),
        "another organisation's": active.utility.world.utility().customer(),
    }.get(kind)
    if owner is not None:
        store(owner, hidden)
    assert refusal(view(active.logged_in(), hidden)) == (404, "RESOURCE_NOT_FOUND")
    assert "PortalDocumentViewed" not in active.log()
    assert active.utility.world.sql.value("SELECT count(*) FROM document_views WHERE customer_id = $1", active.id) == 0


def test_views_survive_that_a_document_leaves_and_comes_back(active: Customer) -> None:
    statement = document()
    store(active, statement)
    before = view(active.logged_in(), statement).json()
    store(active)
    assert seen_by_employee(active) == []
    store(active, {**statement, "visibility": "internal"})
    assert seen_by_employee(active) == []
    store(active, statement)
    assert seen_by_employee(active) == [before]


def test_views_at_once_are_all_counted(active: Customer) -> None:
    statement = document()
    store(active, statement)
    client = active.logged_in()
    answers = at_once([lambda: view(client, statement)] * 12)
    assert {answer.status_code for answer in answers} == {201}
    assert seen_by_employee(active)[0]["viewCount"] == 12
    assert active.log().count("PortalDocumentViewed") == 12


def test_documents_switched_off_are_hidden_from_the_customer_alone(active: Customer) -> None:
    statement = document()
    store(active, statement)
    client = active.logged_in()
    view(client, statement)
    active.utility.change_settings(features={"documents": False})
    assert refusal(client.get("/portal/documents")) == (409, "FEATURE_NOT_ENABLED")
    assert refusal(view(client, statement)) == (409, "FEATURE_NOT_ENABLED")
    assert seen_by_employee(active)[0]["viewCount"] == 1
    active.utility.change_settings()
    assert mine(client)[0]["viewed"] is True


def _walk(client: Client, path: str, size: int) -> list[list[str]]:
    pages, token = [], None
    while True:
        params = {"pageSize": str(size)} | ({"continuationToken": token} if token else {})
        body = client.get(path, params=params).json()
        pages.append([one["documentId"] for one in body["results"]])
        token = body["nextPageToken"]
        assert body["hasNextPage"] is (token is not None)
        if token is None:
            return pages


def test_many_documents_come_in_pages_though_some_are_of_one_moment(active: Customer) -> None:
    documents = [document(day) for day in (1, 1, 1, 2, 3)]
    store(active, *documents, document(1, visibility="internal"))
    newest_first = sorted(documents, key=lambda one: (one["createdDateTime"], UUID(one["documentId"])), reverse=True)
    ids = [one["documentId"] for one in newest_first]
    for client, path in (
        (active.logged_in(), "/portal/documents"),
        (active.utility.employee(), f"{active.path}/documents"),
    ):
        assert _walk(client, path, 2) == [ids[:2], ids[2:4], ids[4:]]
        assert _walk(client, path, 5) == [ids]


def test_a_document_told_twice_is_one_document(active: Customer) -> None:
    older = document(5)
    newer = {**older, "name": "Statement, corrected", "createdDateTime": document(1)["createdDateTime"]}
    store(active, older, newer)
    assert mine(active.logged_in()) == [{**newer, "viewed": False}]


def test_a_customer_without_documents_has_an_empty_list_and_an_unknown_one_none(utility: Utility) -> None:
    customer = utility.customer()
    assert seen_by_employee(customer) == []
    for unknown in (new_id(), utility.world.utility().customer().id):
        answer = utility.employee().get(f"/customers/{unknown}/portal/documents")
        assert refusal(answer) == (404, "CUSTOMER_DOES_NOT_EXIST")
