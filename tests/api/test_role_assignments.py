"""Who has which role in an organisation: given, taken away, acting at the next request on every node."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.ids import new_id
from app.permissions import Permission, Role
from tests.api.expect import fields, problem
from tests.journeys.test_races import at_once
from tests.support.service import api_process
from tests.support.world import Client, Utility, World

PATH = "/organisation/role-assignments"
ACTIVITIES = "/organisation/activities"  # needs portal.activity.read, which every built-in role has


def _sister(utility: Utility) -> Utility:
    sister = Utility(utility.world, utility.tenant, new_id())
    sister.change_settings()
    return sister


def test_a_role_is_assigned_acts_and_is_taken_away(utility: Utility) -> None:
    newcomer = utility.newcomer("employee-1")
    problem(newcomer.get(ACTIVITIES), 403, "PERMISSION_INVALID")
    given = utility.employee().post(PATH, {"subject": "employee-1", "role": "readonly"})
    assert given.status_code == 201, given.text
    assignment = given.json()
    assert assignment == {
        "id": assignment["id"],
        "subject": "employee-1",
        "role": "readonly",
        "roleId": None,
        "roleName": "readonly",
        "createdDateTime": assignment["createdDateTime"],
        "createdBy": {"type": "employee", "id": "employee-7", "name": "Eva Maes"},
    }
    assert newcomer.get(ACTIVITIES).status_code == 200
    assert utility.employee().get(PATH).json()["results"] == [assignment]
    for _ in range(2):
        assert utility.employee().delete(f"{PATH}/{assignment['id']}").status_code == 204
    problem(newcomer.get(ACTIVITIES), 403, "PERMISSION_INVALID")
    assert utility.employee().get(PATH).json()["results"] == []
    described = {"subject": "employee-1", "role": "readonly", "roleId": None}
    assert [entry["payload"] for entry in utility.log("PortalAccessChanged")] == [
        {"change": "roleassigned"} | described,
        {"change": "roleremoved"} | described,
    ]
    subject = {"type": "roleassignment", "id": assignment["id"]}
    assert [entry["subject"] for entry in utility.log("PortalAccessChanged")] == [subject, subject]


def test_a_role_of_the_organisations_own_is_assigned_by_its_id(utility: Utility) -> None:
    role = utility.role(Permission.PORTAL_ACTIVITY_READ)
    given = utility.employee().post(PATH, {"subject": "employee-1", "roleId": role}).json()
    assert (given["role"], given["roleId"], given["roleName"]) == (None, role, "Service desk")
    assert utility.employee().get(PATH).json()["results"] == [given]
    newcomer = utility.newcomer("employee-1")
    assert newcomer.get(ACTIVITIES).status_code == 200
    problem(newcomer.get("/organisation/portal-settings"), 403, "PERMISSION_INVALID")


def test_a_change_of_the_role_acts_at_the_next_request(utility: Utility) -> None:
    role = utility.role(Permission.PORTAL_ACTIVITY_READ)
    utility.assign("employee-1", role)
    newcomer = utility.newcomer("employee-1")
    assert newcomer.get(ACTIVITIES).status_code == 200
    changed = {"name": "Service desk", "permissions": ["portal.settings.read"]}
    assert utility.employee().put(f"/organisation/roles/{role}", changed).status_code == 200
    problem(newcomer.get(ACTIVITIES), 403, "PERMISSION_INVALID")
    assert newcomer.get("/organisation/portal-settings").status_code == 200


def test_what_the_token_and_several_assignments_allow_adds_up(utility: Utility) -> None:
    customer = utility.customer()
    utility.assign("employee-1", utility.role(Permission.PORTAL_INVITE))
    utility.assign("employee-1", Role.READONLY)
    employee = utility.employee(None, Permission.PORTAL_RESET_PASSWORD, subject="employee-1")
    assert employee.get(ACTIVITIES).status_code == 200
    card = employee.get(customer.path).json()
    lacking = {one["action"] for one in card["actions"] if one["key"] == "PERMISSION_INVALID"}
    assert lacking == {"resetaccount", "impersonate", "logoutcustomer", "reactivateaccount"}
    assert employee.post(f"{customer.path}/invitations").status_code == 201


def test_an_assignment_counts_in_its_organisation_and_for_its_subject_alone(utility: Utility) -> None:
    utility.assign("employee-1", Role.ADMINISTRATOR)
    sister = _sister(utility)
    problem(sister.newcomer("employee-1").get(ACTIVITIES), 403, "PERMISSION_INVALID")
    for other in ("employee-2", "EMPLOYEE-1", "employee-1x"):
        problem(utility.newcomer(other).get(ACTIVITIES), 403, "PERMISSION_INVALID")


def test_an_assignment_does_not_cross_tenants(utility: Utility, world: World) -> None:
    utility.assign("employee-1", Role.ADMINISTRATOR)
    stranger = world.utility().newcomer("employee-1")
    for headers in (utility.headers, {"zf-ouuid": str(utility.organisation)}, {"zf-tuuid": str(utility.tenant)}):
        problem(stranger.get(ACTIVITIES, headers=headers), 403, "PERMISSION_INVALID")


def test_the_tokens_own_roles_count_only_where_the_token_reaches(utility: Utility) -> None:
    utility.assign("employee-1", utility.role(Permission.PORTAL_ACTIVITY_READ))
    administrator_elsewhere = Client(
        utility.world, _sister(utility).employee(subject="employee-1").headers | utility.headers
    )
    assert administrator_elsewhere.get(ACTIVITIES).status_code == 200
    problem(administrator_elsewhere.get("/organisation/portal-settings"), 403, "PERMISSION_INVALID")
    problem(administrator_elsewhere.post(PATH, {"subject": "me", "role": "user"}), 403, "PERMISSION_INVALID")


def test_an_application_is_assigned_a_role_like_an_employee(utility: Utility) -> None:
    utility.assign("partner-1", Role.READONLY)
    partner = utility.employee(None, subject="partner-1", application=True)
    assert partner.get(ACTIVITIES).status_code == 200


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, {"subject"}),
        ({"subject": "employee-1"}, {"body"}),
        ({"subject": "employee-1", "role": "user", "roleId": str(new_id())}, {"body"}),
        ({"subject": "employee-1", "role": "owner"}, {"role"}),
        ({"subject": "employee-1", "roleId": "desk"}, {"roleId"}),
        ({"subject": "", "role": "user"}, {"subject"}),
        ({"subject": " employee-1", "role": "user"}, {"subject"}),
        ({"subject": "a\nb", "role": "user"}, {"subject"}),
        ({"subject": "x" * 201, "role": "user"}, {"subject"}),
        ({"subject": ["employee-1"], "role": "user"}, {"subject"}),
        ({"subject": "employee-1", "role": "user", "permissions": ["portal.read"]}, {"permissions"}),
    ],
)
def test_an_assignment_of_another_shape_is_refused(utility: Utility, body: dict[str, Any], wrong: set[str]) -> None:
    assert fields(problem(utility.employee().post(PATH, body), 422, "VALIDATION_FAILED")) == wrong


def test_the_same_role_is_assigned_once(utility: Utility) -> None:
    own = utility.role(Permission.PORTAL_READ)
    for role in (Role.USER, own):
        assignment = utility.assign("employee-1", role)
        body = {"subject": "employee-1"} | ({"role": "user"} if role is Role.USER else {"roleId": role})
        problem(utility.employee().post(PATH, body), 409, "ROLE_ALREADY_ASSIGNED")
        assert utility.employee().delete(f"{PATH}/{assignment}").status_code == 204
        assert utility.employee().post(PATH, body).status_code == 201, "once removed, it can be given again"


def test_an_assignment_is_made_once_per_idempotency_key(utility: Utility) -> None:
    body, key = {"subject": "employee-1", "role": "user"}, {"Idempotency-Key": "assignment-1"}
    first, again = (utility.employee().post(PATH, body, headers=key) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert len(utility.log("PortalAccessChanged")) == 1


def test_nobody_gives_a_role_that_holds_more_than_they_have(utility: Utility) -> None:
    desk = utility.role(Permission.PORTAL_IMPERSONATE)
    clerk = utility.employee(Role.READONLY, Permission.ACCESS_WRITE)
    for role in ({"role": "administrator"}, {"role": "user"}, {"roleId": desk}):
        problem(clerk.post(PATH, {"subject": "employee-7"} | role), 403, "PERMISSION_INVALID")
    assert clerk.post(PATH, {"subject": "employee-2", "role": "readonly"}).status_code == 201


def test_an_assigned_administrator_administers(utility: Utility) -> None:
    utility.assign("employee-1", Role.ADMINISTRATOR)
    newcomer = utility.newcomer("employee-1")
    assert newcomer.post(PATH, {"subject": "employee-2", "role": "administrator"}).status_code == 201
    assert newcomer.post("/organisation/roles", {"name": "All", "permissions": list(Permission)}).status_code == 201


def test_the_last_administrator_stays(utility: Utility) -> None:
    first = utility.assign("employee-1", Role.ADMINISTRATOR)
    everything = utility.role(*Permission, name="Everything")
    utility.assign("employee-3", everything)
    refused = problem(utility.employee().delete(f"{PATH}/{first}"), 409, "LAST_ADMINISTRATOR")
    assert "someone else" in refused["solution"]
    second = utility.assign("employee-2", Role.ADMINISTRATOR)
    assert utility.employee().delete(f"{PATH}/{first}").status_code == 204
    assert utility.employee().delete(f"{PATH}/{first}").status_code == 204, "it is gone already"
    problem(utility.newcomer("employee-2").delete(f"{PATH}/{second}"), 409, "LAST_ADMINISTRATOR")


@pytest.mark.parametrize("_round", range(8))
def test_of_two_administrators_that_remove_each_other_one_stays(utility: Utility, _round: int) -> None:
    first, second = (utility.assign(name, Role.ADMINISTRATOR) for name in ("employee-1", "employee-2"))
    answers = at_once(
        [
            lambda: utility.newcomer("employee-1").delete(f"{PATH}/{second}"),
            lambda: utility.newcomer("employee-2").delete(f"{PATH}/{first}"),
        ]
    )
    codes = sorted(answer.status_code for answer in answers)
    assert codes in ([204, 403], [204, 409]), "one came too late, or would have removed the last"
    assert len(utility.employee().get(PATH).json()["results"]) == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (PATH, {"subject": "employee-1b", "role": "administrator"}),
        ("/organisation/roles", {"name": "Mine", "permissions": ["access.write"]}),
    ],
)
def test_who_is_losing_access_gives_it_to_nobody_meanwhile(utility: Utility, path: str, body: dict[str, Any]) -> None:
    utility.assign("employee-2", Role.ADMINISTRATOR)
    lost = utility.assign("employee-1", Role.ADMINISTRATOR)
    sql, loser = utility.world.sql, utility.newcomer("employee-1")
    lock = "SELECT 1 FROM organisations WHERE organisation_id = $1 FOR UPDATE"
    with ThreadPoolExecutor(2) as threads:
        with sql.holding(lock, utility.organisation):
            removing = threads.submit(utility.employee().delete, f"{PATH}/{lost}")
            sql.wait_for_waiting(1)
            granting = threads.submit(loser.post, path, body)
            sql.wait_for_waiting(2)
        assert removing.result().status_code == 204
        assert "access.write" in problem(granting.result(), 403, "PERMISSION_INVALID")["detail"]
    assert [one["subject"] for one in utility.employee().get(PATH).json()["results"]] == ["employee-2"]


def test_twenty_assignments_of_one_role_at_once_are_one(utility: Utility) -> None:
    body = {"subject": "employee-1", "role": "user"}
    answers = at_once([lambda: utility.employee().post(PATH, body)] * 20)
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19
    assert len(utility.log("PortalAccessChanged")) == 1


def test_the_list_is_newest_first_and_can_be_asked_for_one_subject(utility: Utility) -> None:
    made = [utility.assign(f"employee-{number}", Role.USER) for number in range(5)]
    ids: list[str] = []
    path: str | None = f"{PATH}?pageSize=2"
    while path:
        page = utility.employee().get(path).json()
        ids += [one["id"] for one in page["results"]]
        path = f"{PATH}?pageSize=2&continuationToken={page['nextPageToken']}" if page["hasNextPage"] else None
    assert ids == made[::-1]
    of_one = utility.employee().get(f"{PATH}?subject=employee-3").json()["results"]
    assert [one["id"] for one in of_one] == [made[3]]
    problem(utility.employee().get(f"{PATH}?subject="), 422, "VALIDATION_FAILED")


def test_assignments_and_roles_of_another_organisation_do_not_exist(utility: Utility, world: World) -> None:
    other = world.utility()
    foreign, role = other.assign("employee-1", Role.USER), other.role(Permission.PORTAL_READ)
    for assignment in (foreign, str(new_id())):
        problem(utility.employee().delete(f"{PATH}/{assignment}"), 404, "RESOURCE_NOT_FOUND")
    assert other.employee().get(PATH).json()["results"][0]["id"] == foreign
    for unknown in (role, str(new_id())):
        body = {"subject": "employee-1", "roleId": unknown}
        problem(utility.employee().post(PATH, body), 404, "RESOURCE_NOT_FOUND")
    assert utility.employee().get(PATH).json()["results"] == []


def test_permission_comes_before_existence(utility: Utility) -> None:
    clerk = utility.employee(Role.USER)
    problem(clerk.delete(f"{PATH}/{new_id()}"), 403, "PERMISSION_INVALID")
    body = {"subject": "employee-1", "roleId": str(new_id())}
    problem(clerk.post(PATH, body), 403, "PERMISSION_INVALID")


@pytest.mark.asvs("8.3.2")
def test_a_removed_assignment_acts_at_the_next_request_on_every_node(world: World, tmp_path: Path) -> None:
    utility = world.utility()
    settings = world.settings.model_copy(update={"run_worker": False})
    with (
        api_process(settings, tmp_path / "one.log") as (one, _),
        api_process(settings, tmp_path / "two.log") as (two, _),
    ):
        newcomer = utility.newcomer("employee-1")
        for _ in range(3):
            answer = httpx.post(
                f"{one}/api/portal/v1{PATH}",
                headers=utility.employee().headers,
                json={"subject": "employee-1", "role": "readonly"},
            )
            assert answer.status_code == 201, answer.text
            assignment = UUID(answer.json()["id"])
            for node in (two, one, two):
                seen = httpx.get(f"{node}/api/portal/v1{ACTIVITIES}", headers=newcomer.headers)
                assert seen.status_code == 200, seen.text
            gone = httpx.delete(f"{one}/api/portal/v1{PATH}/{assignment}", headers=utility.employee().headers)
            assert gone.status_code == 204
            for node in (two, one, two):
                seen = httpx.get(f"{node}/api/portal/v1{ACTIVITIES}", headers=newcomer.headers)
                problem(seen, 403, "PERMISSION_INVALID")
