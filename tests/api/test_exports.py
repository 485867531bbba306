"""Lists as files: the same rows as the pages have, inert in a spreadsheet (contract sections 7 and 10)."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from app.main import create_app
from tests.api.expect import fields, problem
from tests.api.exports import (
    ACTIVITIES,
    CSV,
    IMPERSONATIONS,
    NDJSON,
    cells,
    exported,
    objects,
    same,
    walked,
    write_activities,
    write_impersonations,
)
from tests.journeys.reading import wait_for_jobs
from tests.support.service import test_settings
from tests.support.world import Customer, Utility

ACTIVITY_COLUMNS = (
    "id,type,occurredDateTime,customerId,accountNumber,actor.type,actor.id,actor.name,impersonation.sessionId,"
    "impersonation.employeeId,impersonation.employeeName,subject.type,subject.id,ipAddress,userAgent,correlationId,"
    "payload"
)
IMPERSONATION_COLUMNS = (
    "id,customerId,employee.id,employee.name,reason,ticketReference,accessMode,state,createdDateTime,redeemedDateTime,"
    "expiresDateTime,endedDateTime,endedBy.type,endedBy.id,endedBy.name,endReason,accountNumber,displayName,"
    "durationSeconds,actionCount"
)
both_lists = pytest.mark.parametrize("path", [ACTIVITIES, IMPERSONATIONS])
both_files = pytest.mark.parametrize("accept", [CSV, NDJSON])


@both_files
def test_a_file_says_what_the_page_says(active: Customer, accept: str) -> None:
    active.impersonated().post("/portal/impersonations/current/end")
    wait_for_jobs(active.utility)
    client = active.utility.employee()
    for path in (ACTIVITIES, IMPERSONATIONS):
        same(exported(client, path, accept).text, accept, walked(client, path))


@both_files
def test_more_rows_than_a_chunk_come_completely_and_in_order(utility: Utility, accept: str) -> None:
    write_activities(utility, 1500)
    client = utility.employee()
    text = exported(client, ACTIVITIES, accept, type="PortalErrorReported").text
    rows = cells(text) if accept == CSV else objects(text)
    assert [row["correlationId"] for row in rows] == [str(n) for n in range(1, 1501)]
    same(text, accept, walked(client, ACTIVITIES, type="PortalErrorReported"))


@both_files
def test_all_impersonations_come_with_reason_length_and_actions(active: Customer, accept: str) -> None:
    write_impersonations(active, 450)
    active.utility.world.sql.run(
        "INSERT INTO activities (organisation_id, id, type, occurred_at, customer_id, actor_type, actor_id,"
        " impersonation_id, subject_type, subject_id, correlation_id)"
        " SELECT organisation_id, gen_random_uuid(), 'PortalDocumentViewed', created_at, customer_id,"
        " 'customer', 'jan', id, 'customer', customer_id, 'x' FROM impersonations"
        " WHERE customer_id = $1 AND ticket_reference = '2'",
        active.id,
    )
    client = active.utility.employee()
    text = exported(client, IMPERSONATIONS, accept).text
    rows: list[dict[str, Any]] = cells(text) if accept == CSV else objects(text)
    assert [row["ticketReference"] for row in rows] == [str(n) for n in range(1, 451)]
    assert {(row["reason"], str(row["durationSeconds"])) for row in rows} == {("Help with an invoice", "60")}
    assert [str(row["actionCount"]) for row in rows[:3]] == ["0", "1", "0"]
    assert {row["accountNumber"] for row in rows} == {active.number}
    same(text, accept, walked(client, IMPERSONATIONS))


def test_rows_of_one_moment_are_neither_lost_nor_repeated(utility: Utility) -> None:
    utility.world.sql.run(
        "INSERT INTO activities (organisation_id, id, type, occurred_at, actor_type, actor_id, subject_type,"
        " subject_id, correlation_id) SELECT $1, gen_random_uuid(), 'PortalErrorReported', '2026-01-05T12:00:00Z',"
        " 'system', 'test', 'customer', gen_random_uuid(), 'x' FROM generate_series(1, 700)",
        utility.organisation,
    )
    rows = objects(exported(utility.employee(), ACTIVITIES, NDJSON, type="PortalErrorReported").text)
    assert len(rows) == len({row["id"] for row in rows}) == 700


@both_files
def test_the_filters_are_those_of_the_pages(active: Customer, accept: str) -> None:
    write_activities(active.utility, 300)
    client = active.utility.employee()
    now = datetime.now(UTC).isoformat()
    for params in (
        {"type": ["PortalInvitationSent", "PortalAccountRegistered"]},
        {"actorType": "employee"},
        {"impersonated": "false", "type": "PortalErrorReported"},
        {"impersonated": "true"},
        {"toDateTime": now, "fromDateTime": active.activities()[-1]["occurredDateTime"], "actorType": "customer"},
        {"fromDateTime": now},
        {"toDateTime": "2020-01-01T00:00:00Z"},
    ):
        same(exported(client, ACTIVITIES, accept, **params).text, accept, walked(client, ACTIVITIES, **params))


@both_files
@both_lists
def test_another_organisations_rows_never_appear(utility: Utility, path: str, accept: str) -> None:
    stranger = utility.world.utility().customer()
    write_activities(stranger.utility, 300)
    write_impersonations(stranger, 300)
    mine = utility.customer()
    write_activities(utility, 3)
    write_impersonations(mine, 3)
    text = exported(utility.employee(), path, accept).text
    assert stranger.number not in text
    rows: list[dict[str, Any]] = cells(text) if accept == CSV else objects(text)
    assert {row["customerId"] or None for row in rows} <= {str(mine.id), None}
    counted = [row for row in rows if path == IMPERSONATIONS or row["type"] == "PortalErrorReported"]
    assert len(counted) == 3


@both_lists
def test_an_empty_list_is_a_header_or_nothing(utility: Utility, path: str) -> None:
    client, never = utility.employee(), {"toDateTime": "2020-01-01T00:00:00Z"}
    expected = {ACTIVITIES: ACTIVITY_COLUMNS, IMPERSONATIONS: IMPERSONATION_COLUMNS}[path]
    assert exported(client, path, CSV, **never).text == expected + "\r\n"
    assert exported(client, path, NDJSON, **never).text == ""


@both_lists
def test_paging_does_not_shorten_a_file(customer: Customer, path: str) -> None:
    write_activities(customer.utility, 5)
    write_impersonations(customer, 5)
    client = customer.utility.employee()
    token = client.get(path, params={"pageSize": "2"}).json()["nextPageToken"]
    whole = objects(exported(client, path, NDJSON).text)
    assert len(whole) >= 5
    assert objects(exported(client, path, NDJSON, pageSize="2", continuationToken=token).text) == whole


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/csv", CSV),
        ("application/x-ndjson", NDJSON),
        ("Text/CSV; charset=utf-8", CSV),
        ("text/csv, */*", CSV),
        ("*/*, text/csv", CSV),
        ("text/csv;q=0.5, application/x-ndjson", NDJSON),
        ("text/csv, application/json;q=0.9", CSV),
        ("text/html, text/csv;q=0.9, */*;q=0.8", CSV),
        ("application/json, text/csv", "application/json"),
        ("text/csv;q=0.5, */*", "application/json"),
        ("text/csv;q=0", "application/json"),
        ("text/csv;q=many", "application/json"),
        ("text/csv;q=1e9", "application/json"),
        ("text/*", "application/json"),
        ("text/csvx", "application/json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "application/json"),
        ("application/xml", "application/json"),
        ("application/json", "application/json"),
        (",;q=,;,", "application/json"),
        ("", "application/json"),
    ],
)
@both_lists
def test_the_accept_header_chooses_and_nothing_is_not_acceptable(
    utility: Utility, path: str, accept: str, kind: str
) -> None:
    answer = utility.employee().get(path, headers={"Accept": accept})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].split(";")[0] == kind


@pytest.mark.parametrize(("path", "name"), [(ACTIVITIES, "activities"), (IMPERSONATIONS, "impersonation-sessions")])
@pytest.mark.parametrize(("accept", "ending"), [(CSV, "csv"), (NDJSON, "ndjson")])
def test_a_file_has_a_name_and_is_kept_nowhere(
    utility: Utility, path: str, name: str, accept: str, ending: str
) -> None:
    answer = exported(utility.employee(), path, accept)
    given = re.fullmatch(
        r'attachment; filename="(.+)-(\d{4}-\d{2}-\d{2})\.(\w+)"', answer.headers["content-disposition"]
    )
    assert given is not None
    assert (given[1], given[3]) == (name, ending)
    assert abs((datetime.now(UTC).date() - datetime.fromisoformat(given[2]).date()).days) <= 1
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "content-length" not in answer.headers, "it is streamed"
    assert "content-disposition" not in utility.employee().get(path).headers


@both_files
@both_lists
def test_who_may_not_look_is_refused_as_ever(utility: Utility, path: str, accept: str) -> None:
    wanted = {"Accept": accept}
    problem(utility.employee(None).get(path, headers=wanted), 403, "PERMISSION_INVALID")
    problem(utility.portal.get(path, headers=wanted), 401, "UNAUTHENTICATED")
    stranger = utility.world.utility()
    problem(utility.employee().get(path, headers=wanted | stranger.headers), 403, "PERMISSION_INVALID")
    answer = utility.employee().get(path, headers=wanted, params={"pageSize": "0"})
    assert fields(problem(answer, 422, "VALIDATION_FAILED")) == {"pageSize"}


FORMULAS = ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\tx", "\rx", '=HYPERLINK("http://example.com";"x")']


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.asvs("1.2.10")
def test_what_a_spreadsheet_would_calculate_is_inert(utility: Utility, name: str) -> None:
    write_activities(utility, 1, actor_name=name)
    client = utility.employee()
    (row,) = cells(exported(client, ACTIVITIES, CSV, type="PortalErrorReported").text)
    assert row["actor.name"] == "'" + name
    (entry,) = objects(exported(client, ACTIVITIES, NDJSON, type="PortalErrorReported").text)
    assert entry["actor"]["name"] == name, "only spreadsheets need it"


def test_a_customer_called_like_a_formula_is_inert(utility: Utility) -> None:
    customer = utility.customer(displayName="=1+1", accountNumber="-4711")
    write_impersonations(customer, 1)
    (row,) = cells(exported(utility.employee(), IMPERSONATIONS, CSV).text)
    assert (row["displayName"], row["accountNumber"]) == ("'=1+1", "'-4711")


@pytest.mark.parametrize("name", ["Eva\r\nMaes", "Eva\nMaes", "Eva\rMaes", 'Eva "the" Maes', "Maes, Eva", "Ève Maës €"])
def test_whatever_a_name_holds_stays_one_cell(utility: Utility, name: str) -> None:
    write_activities(utility, 2, actor_name=name)
    answer = exported(utility.employee(), ACTIVITIES, CSV, type="PortalErrorReported")
    assert [row["actor.name"] for row in cells(answer.content.decode("utf-8"))] == [name, name]


@both_lists
def test_the_document_shows_both_files(path: str) -> None:
    document = create_app(test_settings(data_dir="unused")).openapi()
    content = document["paths"][f"/api/portal/v1{path}"]["get"]["responses"]["200"]["content"]
    assert set(content) == {"application/json", CSV, NDJSON}
    (entry,) = objects(content[NDJSON]["example"])
    same(content[CSV]["example"], CSV, [entry])
