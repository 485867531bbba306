"""Finding activities: by type, time, actor, and whether an employee was logged in as the customer."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.ids import new_id
from tests.api.expect import fields, problem
from tests.support.world import Customer


def _found(customer: Customer, **params: Any) -> list[dict[str, Any]]:
    answer = customer.utility.employee().get(f"{customer.path}/activities", params=params)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["results"])


def _at(customer: Customer, *moments: str) -> None:
    """Entries of the past, which no caller can make."""
    for moment in moments:
        customer.utility.world.sql.run(
            "INSERT INTO activities (organisation_id, id, type, occurred_at, customer_id, account_number, actor_type,"
            " actor_id, subject_type, subject_id, correlation_id)"
            " VALUES ($1, $2, 'PortalLoginFailed', $3, $4, '1', 'system', 'test', 'customer', $4, $5)",
            customer.utility.organisation,
            new_id(),
            datetime.fromisoformat(moment),
            customer.id,
            moment,
        )


def _moments(customer: Customer, **params: Any) -> list[str]:
    return [entry["correlationId"] for entry in _found(customer, type="PortalLoginFailed", **params)]


def test_types_may_be_named_several_times(customer: Customer) -> None:
    customer.invite()
    customer.invite()
    one = _found(customer, type="PortalInvitationSent")
    assert [entry["type"] for entry in one] == ["PortalInvitationSent"] * 2
    two = _found(customer, type=["PortalInvitationSent", "PortalInvitationSuperseded"])
    assert sorted(entry["type"] for entry in two) == ["PortalInvitationSent"] * 2 + ["PortalInvitationSuperseded"]
    assert _found(customer, type="PortalAccountReset") == []


def test_from_is_inclusive_and_to_is_exclusive(customer: Customer) -> None:
    noon, one, two = "2026-01-05T12:00:00+00:00", "2026-01-05T13:00:00+00:00", "2026-01-05T14:00:00+00:00"
    _at(customer, noon, one, two)
    assert _moments(customer, fromDateTime="2026-01-05T13:00:00Z") == [two, one]
    assert _moments(customer, toDateTime="2026-01-05T13:00:00Z") == [noon]
    assert _moments(customer, fromDateTime="2026-01-05T12:00:00Z", toDateTime="2026-01-05T14:00:00Z") == [one, noon]
    assert _moments(customer, fromDateTime="2026-01-05T13:00:00Z", toDateTime="2026-01-05T13:00:00Z") == []
    assert _moments(customer, fromDateTime="2026-01-05T13:00:00.000001Z") == [two]
    assert _moments(customer, fromDateTime="2026-01-05T14:00:00+01:00") == [two, one], "any offset will do"


def test_the_actor_may_be_chosen(customer: Customer) -> None:
    customer.active().logged_in()
    by = {
        kind: {e["type"] for e in _found(customer, actorType=kind)} for kind in ("employee", "customer", "application")
    }
    assert "PortalInvitationSent" in by["employee"]
    assert "PortalLoginSucceeded" in by["customer"]
    assert by["employee"].isdisjoint(by["customer"])
    assert by["application"] == set()
    assert {e["actor"]["type"] for e in _found(customer, actorType="system")} <= {"system"}


def test_what_happened_during_an_impersonation_may_be_chosen(customer: Customer) -> None:
    customer.invite()
    customer.mail()
    session = new_id()
    customer.utility.world.sql.run(
        "INSERT INTO activities (organisation_id, id, type, customer_id, account_number, actor_type, actor_id,"
        " impersonation_id, employee_id, employee_name, subject_type, subject_id, correlation_id)"
        " VALUES ($1, $2, 'PortalDocumentViewed', $3, '1', 'customer', 'jan', $4, 'e-7', 'Eva Maes',"
        " 'customer', $3, 'x')",
        customer.utility.organisation,
        new_id(),
        customer.id,
        session,
    )
    during = _found(customer, impersonated="true")
    assert [entry["impersonation"] for entry in during] == [
        {"sessionId": str(session), "employeeId": "e-7", "employeeName": "Eva Maes"}
    ]
    outside = _found(customer, impersonated="false")
    assert "PortalInvitationSent" in {entry["type"] for entry in outside}
    assert {entry["impersonation"] for entry in outside} == {None}


def test_filters_hold_together_and_across_pages(customer: Customer) -> None:
    for _ in range(3):
        customer.invite()
    client, params = customer.utility.employee(), {"type": "PortalInvitationSent", "actorType": "employee"}
    first = client.get(f"{customer.path}/activities", params=params | {"pageSize": "2"}).json()
    more = {"pageSize": "2", "continuationToken": first["nextPageToken"]}
    second = client.get(f"{customer.path}/activities", params=params | more).json()
    entries = first["results"] + second["results"]
    assert len({entry["id"] for entry in entries}) == 3
    assert {entry["type"] for entry in entries} == {"PortalInvitationSent"}
    assert not second["hasNextPage"]


def test_the_organisations_log_has_the_same_filters(customer: Customer) -> None:
    other = customer.utility.customer()
    customer.invite()
    other.invite()
    client = customer.utility.employee()
    soon = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    params = {"type": "PortalInvitationSent", "toDateTime": soon}
    found = client.get("/organisation/activities", params=params).json()["results"]
    assert [entry["customerId"] for entry in found] == [str(other.id), str(customer.id)]
    assert client.get("/organisation/activities", params={"fromDateTime": soon}).json()["results"] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("type", "Nonsense"),
        ("type", ""),
        ("type", "portalinvitationsent"),
        ("fromDateTime", "yesterday"),
        ("fromDateTime", "2026-01-05"),
        ("fromDateTime", "2026-01-05T12:00:00"),
        ("fromDateTime", "1767614400"),
        ("toDateTime", "2026-13-05T12:00:00Z"),
        ("toDateTime", "2026-01-05T12:00:00Z' OR 1=1"),
        ("actorType", "admin"),
        ("impersonated", "maybe"),
    ],
)
def test_a_filter_that_means_nothing_is_refused(customer: Customer, name: str, value: str) -> None:
    for path in (f"{customer.path}/activities", "/organisation/activities"):
        answer = customer.utility.employee().get(path, params={name: value})
        assert {field.split(".")[0] for field in fields(problem(answer, 422, "VALIDATION_FAILED"))} == {name}


@pytest.mark.parametrize("name", ["fromDateTime", "toDateTime"])
@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00Z"])
def test_a_filter_at_the_edge_of_time_is_no_fault_of_ours(customer: Customer, name: str, moment: str) -> None:
    answer = customer.utility.employee().get(f"{customer.path}/activities", params={name: moment})
    assert answer.status_code in (200, 422), answer.text
