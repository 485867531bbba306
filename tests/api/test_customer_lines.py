"""Many customers at once: every line counts by itself, by the rules of a single record."""

import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from app.ids import new_id
from app.permissions import Permission
from tests.api.expect import problem
from tests.api.exports import objects
from tests.support.world import Client, Customer, Utility, World

NDJSON = {"Content-Type": "application/x-ndjson"}
_LINE = 64 * 1024
_CONTRACT = {
    "contractId": "0199d8a0-0000-7000-8000-0000000000c1",
    "contractNumber": "C-1001",
    "status": "signed",
    "invoiceCount": 3,
}


def record(**given: Any) -> dict[str, Any]:
    """A new customer's line."""
    customer_id = str(new_id())
    return {"customerId": customer_id, "accountNumber": f"L-{customer_id}", "displayName": "Jan Peeters"} | given


def line_of(customer: Customer, **changed: Any) -> dict[str, Any]:
    return {"customerId": str(customer.id)} | customer.record | changed


def text(lines: Iterable[Any]) -> bytes:
    """The body: what is no bytes yet becomes JSON."""
    return b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)


def send(client: Client, body: bytes | Iterator[bytes], **headers: str) -> httpx.Response:
    url = f"{client.world.url}/api/portal/v1/customers"
    return client.world.http.put(url, content=body, headers=client.headers | NDJSON | headers, timeout=120)


def put(utility: Utility, *lines: Any) -> list[dict[str, Any]]:
    """The results of these lines."""
    answer = send(utility.employee(), text(lines))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].split(";")[0] == NDJSON["Content-Type"]
    return objects(answer.text)


def statuses(results: list[dict[str, Any]]) -> list[str]:
    assert [one["line"] for one in results] == sorted({one["line"] for one in results})
    return [one["status"] for one in results]


def kept(utility: Utility) -> dict[str, dict[str, Any]]:
    """The organisation's customers as they stand in the database, by their ids."""
    found = utility.world.sql.rows("SELECT * FROM customers WHERE organisation_id = $1", utility.organisation)
    return {str(row["id"]): row for row in found}


def failed(result: dict[str, Any], key: str, *fields: str) -> None:
    assert (result["status"], result["key"]) == ("failed", key), result
    assert [one["field"] for one in result["errors"]] == list(fields), result
    assert all(one["message"] for one in result["errors"])


def test_new_ones_are_created_and_known_ones_replaced(customer: Customer) -> None:
    new = record(email="eva@example.com", language="nl-BE", contracts=[_CONTRACT])
    bare = {"customerId": str(customer.id), "accountNumber": customer.number, "displayName": "Jan B. Peeters"}
    assert put(customer.utility, new, bare) == [
        {"line": 1, "customerId": new["customerId"], "status": "created", "key": None, "errors": []},
        {"line": 2, "customerId": str(customer.id), "status": "updated", "key": None, "errors": []},
    ]
    rows = kept(customer.utility)
    assert json.loads(rows[new["customerId"]]["contracts"]) == [_CONTRACT]
    assert rows[new["customerId"]]["email"] == "eva@example.com"
    replaced = rows[str(customer.id)]
    assert (replaced["display_name"], replaced["email"], replaced["language"]) == ("Jan B. Peeters", None, None)


def test_what_is_kept_is_what_single_calls_keep(utility: Utility) -> None:
    documents = [
        {
            "documentId": "0199d8a0-0000-7000-8000-0000000000d1",
            "name": "Brief ✉ 'quoted' \\ \"twice\"",
            "visibility": "portal",
            "createdDateTime": "2026-01-02T03:04:05+02:00",
        }
    ]
    one = record(displayName="  Jan {Ω}, \\N ", email="Jan@EXAMPLE.com", documents=documents, contracts=[_CONTRACT])
    single = Customer(utility, new_id(), {k: v for k, v in one.items() if k != "customerId"} | {"accountNumber": "S"})
    assert single.save().status_code == 201
    assert statuses(put(utility, one)) == ["created"]
    rows = kept(utility)
    own = {"id", "account_number", "created_at", "updated_at"}
    assert {name: value for name, value in rows[one["customerId"]].items() if name not in own} == {
        name: value for name, value in rows[str(single.id)].items() if name not in own
    }


def test_a_bad_line_is_named_and_the_others_are_done(utility: Utility) -> None:
    good = [record() for _ in range(3)]
    bad: list[Any] = [
        record(email="nobody"),
        record(email="nobody", language="dutch"),
        {"accountNumber": "1"},
        record(colour="red"),
        record(contracts=[_CONTRACT, _CONTRACT | {"invoiceCount": -1}]),
        record(customerId="no uuid"),
        b"{not json",
        b'{"displayName": "a", "displayName": "b"}',
        b'{"displayName": NaN}',
        b'{"displayName": "\\u0000"}',
        b'"\xff"',
        b"[]",
    ]
    results = put(utility, good[0], *bad[:6], good[1], *bad[6:], good[2])
    assert statuses(results) == ["created", *["failed"] * 6, "created", *["failed"] * 6, "created"]
    assert [one["line"] for one in results] == list(range(1, 16))
    failed(results[1], "FIELD_NOT_AN_EMAILADRESS", "email")
    assert results[1]["customerId"] == bad[0]["customerId"]
    failed(results[2], "VALIDATION_FAILED", "email", "language")
    failed(results[3], "VALIDATION_FAILED", "displayName", "customerId")
    failed(results[4], "VALIDATION_FAILED", "colour")
    failed(results[5], "VALIDATION_FAILED", "contracts.1.invoiceCount")
    failed(results[6], "VALIDATION_FAILED", "customerId")
    for one in results[8:14]:
        failed(one, "VALIDATION_FAILED", "body")
        assert one["customerId"] is None
    assert set(kept(utility)) == {one["customerId"] for one in good}


def test_a_line_has_64_kib_and_one_byte_more_fails_alone(utility: Utility) -> None:
    full, over, last = (record() for _ in range(3))
    lines = json.dumps(full).encode().ljust(_LINE), json.dumps(over).encode().ljust(_LINE + 1), b"x" * 300_000
    results = put(utility, *lines, last)
    assert statuses(results) == ["created", "failed", "failed", "created"]
    failed(results[1], "PAYLOAD_TOO_LARGE", "body")
    failed(results[2], "PAYLOAD_TOO_LARGE", "body")
    assert set(kept(utility)) == {full["customerId"], last["customerId"]}


def test_a_thousand_faults_of_one_line_are_told_in_part(utility: Utility) -> None:
    (result,) = put(utility, record() | {f"{number}{'x' * 300}": 1 for number in range(150)})
    assert len(result["errors"]) == 10
    assert max(len(one["field"]) for one in result["errors"]) == 100


def test_empty_lines_count_and_have_no_result(utility: Utility) -> None:
    one, other = record(), record()
    body = b"\n" + json.dumps(one).encode() + b"\r\n  \r\n" + json.dumps(other).encode()
    answer = send(utility.employee(), body)
    assert [(result["line"], result["status"]) for result in objects(answer.text)] == [(2, "created"), (4, "created")]
    assert send(utility.employee(), b"").text == ""


def test_a_body_may_come_in_any_pieces(utility: Utility) -> None:
    body = text([record(displayName="Amélie Ω"), record(), record()])
    answer = send(utility.employee(), (body[at : at + 7] for at in range(0, len(body), 7)))
    assert statuses(objects(answer.text)) == ["created"] * 3


def test_a_number_that_another_customer_has_fails_its_line_alone(customer: Customer) -> None:
    others = [record() for _ in range(20)]
    taken = record(accountNumber=customer.number)
    results = put(customer.utility, *others[:7], taken, *others[7:])
    assert statuses(results) == ["created"] * 7 + ["failed"] + ["created"] * 13
    single = customer.utility.employee().put(f"/customers/{taken.pop('customerId')}", taken)
    refused = problem(single, 422, "VALIDATION_FAILED")
    assert (results[7]["key"], results[7]["errors"]) == (refused["key"], refused["errors"]), "as a single call"
    assert len(kept(customer.utility)) == 21


def test_of_two_lines_with_one_number_the_first_gets_it(utility: Utility) -> None:
    twice = [record(accountNumber="20019188"), record(), record(accountNumber="20019188")]
    results = put(utility, *twice)
    assert statuses(results) == ["created", "created", "failed"]
    failed(results[2], "VALIDATION_FAILED", "accountNumber")


def test_of_two_lines_about_one_customer_the_last_one_counts(utility: Utility) -> None:
    first = record(email="jan@example.com")
    second = first | {"email": "eva@example.com", "displayName": "Eva Maes"}
    assert statuses(put(utility, first, record(), second)) == ["created", "created", "updated"]
    assert kept(utility)[first["customerId"]]["display_name"] == "Eva Maes"
    assert [one["customerId"] for one in utility.log("PortalContactEmailChanged")] == [first["customerId"]]


def test_a_number_given_up_may_be_taken_further_down(customer: Customer) -> None:
    heir = record(accountNumber=customer.number)
    assert statuses(put(customer.utility, line_of(customer, accountNumber="moved-on"), heir)) == ["updated", "created"]


def test_a_changed_contact_address_stands_in_the_log(customer: Customer) -> None:
    active = customer.utility.customer().active()
    same = customer.utility.customer()
    put(
        customer.utility,
        line_of(customer, email="jan.new@example.com"),
        line_of(active, email=None),
        line_of(same, displayName="Jan B. Peeters"),
        record(email="new@example.com"),
    )
    entries = {one["customerId"]: one for one in customer.utility.log("PortalContactEmailChanged")}
    assert set(entries) == {str(customer.id), str(active.id)}
    entry = entries[str(customer.id)]
    assert entry["payload"] == {"email": "j***@example.com"}
    assert (entry["actor"]["type"], entry["actor"]["name"]) == ("employee", "Eva Maes")
    assert entries[str(active.id)]["payload"] == {"email": None}
    assert active.card()["email"] == active.email, "the account keeps its own"


def test_the_same_body_again_changes_nothing(utility: Utility) -> None:
    body = [record(email=f"{number}@example.com") for number in range(5)]
    assert statuses(put(utility, *body)) == ["created"] * 5
    before = {key: row | {"updated_at": None} for key, row in kept(utility).items()}
    assert statuses(put(utility, *body)) == ["updated"] * 5
    assert {key: row | {"updated_at": None} for key, row in kept(utility).items()} == before
    assert utility.log("PortalContactEmailChanged") == []


def test_another_organisations_customers_stay_as_they_are(customer: Customer) -> None:
    elsewhere = customer.utility.world.utility()
    same = line_of(customer, displayName="A twin")
    assert statuses(put(elsewhere, same)) == ["created"], "neither id nor number of another organisation counts"
    assert customer.card()["displayName"] == "Jan Peeters"


def test_uploads_at_once_of_the_same_customers_all_succeed(utility: Utility) -> None:
    """In opposite orders, over several transactions each, some known before: nobody waits for ever."""
    lines = [record(email="first@example.com") for _ in range(1_200)]
    put(utility, *lines[::3])
    orders = [lines, lines[::-1], lines, lines[::-1]]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda order: put(utility, *order), orders))
    assert {one["status"] for results in answers for one in results} == {"created", "updated"}
    created = sum(statuses(results).count("created") for results in answers)
    assert created == 800, "each once"
    assert len(kept(utility)) == 1_200


def test_uploads_at_once_that_want_the_same_numbers_share_them(utility: Utility) -> None:
    def body(order: int) -> list[dict[str, Any]]:
        return [record(accountNumber=f"N-{number}") for number in range(200)][::order]

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda order: put(utility, *body(order)), [1, -1]))
    every = [one for results in answers for one in results]
    assert statuses(answers[0]).count("created") + statuses(answers[1]).count("created") == 200
    assert {one["key"] for one in every if one["status"] == "failed"} == {"VALIDATION_FAILED"}
    assert len({row["account_number"] for row in kept(utility).values()}) == 200


def test_of_two_changes_that_wait_for_each_other_the_upload_makes_way_and_goes_on(utility: Utility) -> None:
    first, second = sorted((utility.customer() for _ in range(2)), key=lambda one: one.id)
    lock = "SELECT FROM customers WHERE id = '{}' FOR UPDATE;"
    crossing = f"BEGIN; {lock.format(second.id)} SELECT pg_advisory_xact_lock(64); {lock.format(first.id)} COMMIT"
    sql = utility.world.sql
    with ThreadPoolExecutor(2) as pool:
        with sql.holding("SELECT pg_advisory_xact_lock(64)"):
            other = pool.submit(sql.run, crossing)
            sql.wait_for_waiting(1)
            upload = pool.submit(put, utility, line_of(second, displayName="A"), line_of(first, displayName="B"))
            sql.wait_for_waiting(2)
        other.result(20)
        assert statuses(upload.result(20)) == ["updated", "updated"]
    assert (second.card()["displayName"], first.card()["displayName"]) == ("A", "B")


def test_an_organisation_without_settings_is_told_so(world: World) -> None:
    nowhere = Utility(world, new_id(), new_id())
    body = problem(send(nowhere.employee(), text([record()])), 404, "RESOURCE_NOT_FOUND")
    assert "portal-settings" in body["detail"]


def test_it_needs_the_permission_before_a_line_is_read(utility: Utility) -> None:
    body = text([record()])
    answer = send(utility.employee(None, *(set(Permission) - {Permission.CUSTOMER_WRITE})), body)
    problem(answer, 403, "PERMISSION_INVALID")
    problem(send(utility.portal, body), 401, "UNAUTHENTICATED")
    assert kept(utility) == {}


@pytest.mark.parametrize("media_type", ["application/json", "text/plain", "application/x-ndjsonx"])
def test_another_kind_of_body_is_told_so(utility: Utility, media_type: str) -> None:
    answer = send(utility.employee(), text([record()]), **{"Content-Type": media_type})
    assert "application/x-ndjson" in problem(answer, 415, "UNSUPPORTED_MEDIA_TYPE")["solution"]
    assert kept(utility) == {}
