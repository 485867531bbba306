"""Lists: newest first, in pages, by a cursor that is worth nothing elsewhere."""

import base64
from typing import Any

import pytest

from app.ids import new_id
from tests.api.expect import fields, problem
from tests.support.world import Client, Customer, Utility


def _invited_often(customer: Customer, times: int) -> list[str]:
    """Ids of the customer's invitations, newest first."""
    return [customer.invite()["id"] for _ in range(times)][::-1]


def _walk(client: Client, path: str, size: int, *, header: bool = False) -> list[list[dict[str, Any]]]:
    pages: list[list[dict[str, Any]]] = []
    token: str | None = None
    while True:
        params = {"pageSize": str(size)} | ({"continuationToken": token} if token and not header else {})
        headers = {"continuationToken": token} if token and header else {}
        answer = client.get(path, params=params, headers=headers)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert set(body) == {"results", "hasNextPage", "nextPageToken"}
        assert body["hasNextPage"] == (body["nextPageToken"] is not None)
        pages.append(body["results"])
        token = body["nextPageToken"]
        if token is None:
            return pages
        assert len(pages) < 50, "the walk does not end"


@pytest.mark.parametrize("header", [False, True], ids=["query", "header"])
def test_a_walk_sees_each_entry_once_newest_first(customer: Customer, header: bool) -> None:
    ids = _invited_often(customer, 7)
    pages = _walk(customer.utility.employee(), f"{customer.path}/invitations", 3, header=header)
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [entry["id"] for page in pages for entry in page] == ids


def test_a_last_page_that_is_just_full_is_the_last(customer: Customer) -> None:
    _invited_often(customer, 4)
    assert [len(page) for page in _walk(customer.utility.employee(), f"{customer.path}/invitations", 2)] == [2, 2]


def test_entries_of_one_transaction_are_not_lost_between_pages(customer: Customer) -> None:
    _invited_often(customer, 5)
    everything = customer.activities()
    one_by_one = _walk(customer.utility.employee(), f"{customer.path}/activities", 1)
    seen = [entry["id"] for page in one_by_one for entry in page]
    assert len(seen) == len(set(seen))
    assert {entry["id"] for entry in everything} <= set(seen), "the mail worker may have added some meanwhile"
    times = [entry["occurredDateTime"] for page in one_by_one for entry in page]
    assert times == sorted(times, reverse=True)


def test_new_entries_do_not_move_the_next_page(customer: Customer) -> None:
    ids = _invited_often(customer, 4)
    client, path = customer.utility.employee(), f"{customer.path}/invitations"
    first = client.get(path, params={"pageSize": "2"}).json()
    customer.invite()
    second = client.get(path, params={"pageSize": "2", "continuationToken": first["nextPageToken"]}).json()
    assert [entry["id"] for entry in first["results"] + second["results"]] == ids


def test_sessions_come_in_pages_too(customer: Customer) -> None:
    customer.active()
    clients = [customer.logged_in() for _ in range(3)]
    pages = _walk(clients[-1], "/portal/sessions", 2)
    assert [len(page) for page in pages] == [2, 1]
    assert [entry["current"] for page in pages for entry in page] == [True, False, False]


@pytest.mark.parametrize("size", ["0", "-1", "201", "1000000000000000000000", "ten", "1.5", "", "NaN"])
@pytest.mark.parametrize("path", ["activities", "invitations"])
def test_a_page_has_1_to_200_entries(customer: Customer, path: str, size: str) -> None:
    answer = customer.utility.employee().get(f"{customer.path}/{path}", params={"pageSize": size})
    assert fields(problem(answer, 422, "VALIDATION_FAILED")) == {"pageSize"}


@pytest.mark.parametrize("size", ["1", "200"])
def test_the_bounds_themselves_are_fine(customer: Customer, size: str) -> None:
    assert customer.utility.employee().get(f"{customer.path}/activities?pageSize={size}").status_code == 200


def test_a_page_has_50_entries_by_itself(customer: Customer) -> None:
    customer.utility.world.sql.run(
        "INSERT INTO activities (organisation_id, id, type, customer_id, account_number, actor_type, actor_id,"
        " subject_type, subject_id, correlation_id) SELECT $1, gen_random_uuid(), 'PortalLoginFailed', $2, '1',"
        " 'system', 'test', 'customer', $2, 'many' FROM generate_series(1, 51)",
        customer.utility.organisation,
        customer.id,
    )
    body = customer.utility.employee().get(f"{customer.path}/activities").json()
    assert (len(body["results"]), body["hasNextPage"]) == (50, True)


def _token(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


_GARBAGE = [
    "x",
    "noise",
    "%00",
    "é",
    "====",
    "a" * 201,
    _token("noise"),
    _token("|"),
    _token("2026-01-01T00:00:00+00:00|"),
    _token("2026-01-01T00:00:00+00:00|noise"),
    _token("2026-01-01T00:00:00|0199d8a0-0000-7000-8000-000000000001"),
    _token("' OR 1=1 --|0199d8a0-0000-7000-8000-000000000001"),
    _token("2026-01-01T00:00:00+00:00|0199d8a0-0000-7000-8000-000000000001|more"),
]


@pytest.mark.parametrize("garbage", _GARBAGE, ids=range(len(_GARBAGE)))
def test_a_garbage_cursor_is_refused(customer: Customer, garbage: str) -> None:
    client, path = customer.utility.employee(), f"{customer.path}/activities"
    answer = client.get(path, params={"continuationToken": garbage})
    assert fields(problem(answer, 422, "VALIDATION_FAILED")) == {"continuationToken"}
    if garbage.isascii():
        answer = client.get(path, headers={"continuationToken": garbage})
        assert fields(problem(answer, 422, "VALIDATION_FAILED")) == {"continuationToken"}


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00Z"])
def test_a_cursor_at_the_edge_of_time_is_no_fault_of_ours(customer: Customer, moment: str) -> None:
    cursor = _token(f"{moment}|0199d8a0-0000-7000-8000-000000000001")
    answer = customer.utility.employee().get(f"{customer.path}/activities", params={"continuationToken": cursor})
    assert answer.status_code in (200, 422), answer.text


def test_another_organisations_cursor_shows_nothing_foreign(customer: Customer) -> None:
    foreign = customer.utility.world.utility().customer()
    _invited_often(foreign, 3)
    mine = set(_invited_often(customer, 3))
    theirs = foreign.utility.employee().get(f"{foreign.path}/invitations", params={"pageSize": "1"}).json()
    cursor = {"continuationToken": theirs["nextPageToken"]}
    answer = customer.utility.employee().get(f"{customer.path}/invitations", params=cursor)
    assert answer.status_code in (200, 422)
    assert {entry["id"] for entry in answer.json().get("results", ())} <= mine
    log = customer.utility.employee().get("/organisation/activities", params=cursor).json()["results"]
    assert {entry["customerId"] for entry in log} <= {str(customer.id), None}


def test_a_list_of_an_unknown_customer_is_no_empty_list(utility: Utility) -> None:
    for path in ("activities", "invitations"):
        answer = utility.employee().get(f"/customers/{new_id()}/portal/{path}")
        problem(answer, 404, "CUSTOMER_DOES_NOT_EXIST")


def test_a_new_customer_has_empty_lists(customer: Customer) -> None:
    empty = {"results": [], "hasNextPage": False, "nextPageToken": None}
    for path in ("activities", "invitations"):
        assert customer.utility.employee().get(f"{customer.path}/{path}").json() == empty
