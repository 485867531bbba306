"""What a batch of invitations takes: one way of naming customers, 100,000 of them, 5 MiB, and nothing wrong in it."""

import json
from typing import Any

import httpx
import pytest

from app.ids import new_id
from app.permissions import Permission
from tests.api.expect import fields, problem
from tests.journeys.batches import BATCHES, ask, counts, crowd, results, start
from tests.support.world import Utility

_LIMIT = 5 * 1024 * 1024
_MOST = 100_000
_SOMEBODY = "0199d8a0-0000-7000-8000-00000000beef"


def _send(utility: Utility, raw: bytes) -> httpx.Response:
    headers = utility.bearer() | {"Content-Type": "application/json"}
    return utility.world.http.post(f"{utility.world.url}/api/portal/v1{BATCHES}", content=raw, headers=headers)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"onlyValidate": True}, "body"),
        ({"customerIds": [_SOMEBODY], "filter": {}}, "body"),
        ({"customerIds": [_SOMEBODY], "accountNumbers": ["1"]}, "body"),
        ({"customerIds": [_SOMEBODY], "accountNumbers": ["1"], "filter": {}}, "body"),
        ({"customerIds": []}, "customerIds"),
        ({"customerIds": ["noise"]}, "customerIds.0"),
        ({"customerIds": [_SOMEBODY, None]}, "customerIds.1"),
        ({"customerIds": _SOMEBODY}, "customerIds"),
        ({"accountNumbers": []}, "accountNumbers"),
        ({"accountNumbers": ["1", " "]}, "accountNumbers.1"),
        ({"accountNumbers": ["1" * 65]}, "accountNumbers.0"),
        ({"accountNumbers": ["1\u00852"]}, "accountNumbers.0"),
        ({"accountNumbers": [20019188]}, "accountNumbers.0"),
        ({"filter": []}, "filter"),
        ({"filter": {"portalStatus": "gone"}}, "filter.portalStatus"),
        ({"filter": {"invitedBefore": "yesterday"}}, "filter.invitedBefore"),
        ({"filter": {"language": "Dutch"}}, "filter.language"),
        ({"filter": {"q": ""}}, "filter.q"),
        ({"filter": {"organisationId": _SOMEBODY}}, "filter.organisationId"),
        ({"filter": {}, "language": "nl"}, "language"),
        ({"filter": {}, "onlyValidate": "perhaps"}, "onlyValidate"),
        ({"filter": {}, "status": "finished"}, "status"),
    ],
    ids=str,
)
def test_a_wrong_body_starts_nothing(body: dict[str, Any], field: str, utility: Utility) -> None:
    assert fields(problem(ask(utility, body), 422, "VALIDATION_FAILED")) == {field}
    assert utility.log("PortalInvitationBatchStarted") == []


def test_a_thousand_wrong_ids_are_one_error(utility: Utility) -> None:
    body = problem(ask(utility, {"customerIds": ["noise"] * 1000}), 422, "VALIDATION_FAILED")
    assert len(body["errors"]) == 1


def test_a_hundred_thousand_customers_are_taken_and_one_more_is_not(utility: Utility) -> None:
    ids = [str(new_id()) for _ in range(_MOST)]
    batch = start(utility, {"customerIds": ids, "onlyValidate": True})
    assert (batch["status"], batch["counts"]) == ("finished", counts(failed=_MOST)), "nobody knows any of them"
    body = problem(ask(utility, {"customerIds": [*ids, str(new_id())]}), 422, "VALIDATION_FAILED")
    assert fields(body) == {"customerIds"}


def test_a_filter_that_finds_more_is_told_so(utility: Utility) -> None:
    crowd(utility, _MOST + 1)
    body = problem(ask(utility, {"filter": {}}), 422, "VALIDATION_FAILED")
    assert fields(body) == {"filter"}
    stored = "SELECT count(*) FROM invitation_batches WHERE organisation_id = $1"
    assert utility.world.sql.value(stored, utility.organisation) == 0
    assert start(utility, {"filter": {"q": "C-10000"}, "onlyValidate": True})["counts"]["requested"] == 3


def test_a_body_of_5_mib_is_read_and_one_byte_more_is_not(utility: Utility) -> None:
    raw = json.dumps({"accountNumbers": ["nobody's"], "onlyValidate": True}).encode()
    assert _send(utility, raw.ljust(_LIMIT)).status_code == 201
    problem(_send(utility, raw.ljust(_LIMIT + 1)), 413, "PAYLOAD_TOO_LARGE")


def test_the_other_calls_keep_the_usual_limit(utility: Utility) -> None:
    batch = start(utility, {"accountNumbers": ["nobody's"], "onlyValidate": True})
    url = f"{utility.world.url}/api/portal/v1{BATCHES}/{batch['id']}/cancel"
    headers = utility.bearer() | {"Idempotency-Key": "big"}
    answer = utility.world.http.post(url, content=b" " * (64 * 1024 + 1), headers=headers)
    problem(answer, 413, "PAYLOAD_TOO_LARGE")


def test_what_does_not_exist_is_said_so(utility: Utility) -> None:
    client = utility.employee()
    for path in ("", "/results", "/events"):
        problem(client.get(f"{BATCHES}/{new_id()}{path}"), 404, "RESOURCE_NOT_FOUND")
    problem(client.post(f"{BATCHES}/{new_id()}/cancel"), 404, "RESOURCE_NOT_FOUND")


def test_without_the_permission_not_even_that(utility: Utility) -> None:
    client = utility.employee(None, Permission.PORTAL_READ)
    for path in ("", "/results", "/events"):
        problem(client.get(f"{BATCHES}/{new_id()}{path}"), 403, "PERMISSION_INVALID")


def test_an_organisation_without_settings_has_no_portal_yet(utility: Utility) -> None:
    newborn = Utility(utility.world, utility.tenant, new_id())
    problem(ask(newborn, {"filter": {}}), 409, "PORTAL_NOT_ENABLED")


def test_results_come_in_pages_in_the_order_that_was_asked_for(utility: Utility) -> None:
    ids = [str(one) for one in crowd(utility, 7)]
    batch = start(utility, {"customerIds": ids[::-1], "onlyValidate": True})
    client, path = utility.employee(), f"{BATCHES}/{batch['id']}/results?pageSize=3"
    first = client.get(path).json()
    assert first["hasNextPage"] is True
    second = client.get(path, headers={"continuationToken": first["nextPageToken"]}).json()
    last = client.get(f"{path}&continuationToken={second['nextPageToken']}").json()
    assert (last["hasNextPage"], last["nextPageToken"]) == (False, None)
    assert [one["customerId"] for page in (first, second, last) for one in page["results"]] == ids[::-1]
    problem(client.get(f"{path}&continuationToken=noise"), 422, "VALIDATION_FAILED")
    problem(client.get(f"{path}&outcome=lost"), 422, "VALIDATION_FAILED")


def test_a_cursor_of_another_list_finds_nothing_here(utility: Utility) -> None:
    crowd(utility, 3)
    batch = start(utility, {"filter": {}, "onlyValidate": True})
    client = utility.employee()
    utility.change_settings(name="Zonneveld")
    other = client.get("/organisation/activities?pageSize=1").json()
    token = other["nextPageToken"]
    answer = client.get(f"{BATCHES}/{batch['id']}/results?continuationToken={token}")
    assert (answer.status_code, answer.json()["results"]) == (200, [])


def test_account_numbers_of_results_are_inert_in_a_spreadsheet(utility: Utility) -> None:
    batch = start(utility, {"accountNumbers": ["=1+1", 'a"b,c'], "onlyValidate": True})
    path = f"{BATCHES}/{batch['id']}/results"
    text = utility.employee().get(path, headers={"Accept": "text/csv"}).text
    assert text.splitlines()[1:] == [
        ",'=1+1,failed,CUSTOMER_DOES_NOT_EXIST",
        ',"a""b,c",failed,CUSTOMER_DOES_NOT_EXIST',
    ]
    assert [one["accountNumber"] for one in results(utility, batch["id"])] == ["=1+1", 'a"b,c']
