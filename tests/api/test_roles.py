"""Roles of an organisation's own: made, changed, deleted, never by more than one has oneself."""

from typing import Any

import pytest

from app.ids import new_id
from app.permissions import ROLES, Permission, Role
from tests.api.expect import fields, problem
from tests.journeys.test_races import at_once
from tests.support.world import Utility, World

ROLES_PATH = "/organisation/roles"
DESK = {"name": "Service desk", "permissions": ["portal.read", "portal.invite"]}


def _changes(utility: Utility) -> list[tuple[str, Any]]:
    return [(entry["payload"]["change"], entry["payload"].get("name")) for entry in utility.log("PortalAccessChanged")]


def test_a_role_is_made_shown_changed_and_deleted(utility: Utility) -> None:
    employee = utility.employee()
    made = employee.post(ROLES_PATH, DESK)
    assert made.status_code == 201, made.text
    role = made.json()
    assert role == {
        "id": role["id"],
        "name": "Service desk",
        "permissions": ["portal.invite", "portal.read"],
        "builtIn": False,
        "createdDateTime": role["createdDateTime"],
    }
    path = f"{ROLES_PATH}/{role['id']}"
    assert employee.get(path).json() == role
    changed = employee.put(path, {"name": "Front desk", "permissions": ["portal.read"]})
    assert changed.status_code == 200, changed.text
    assert changed.json() == role | {"name": "Front desk", "permissions": ["portal.read"]}
    assert employee.put(path, {"name": "Front desk", "permissions": ["portal.read"]}).status_code == 200
    for _ in range(2):
        assert employee.delete(path).status_code == 204
    problem(employee.get(path), 404, "RESOURCE_NOT_FOUND")
    problem(employee.put(path, DESK), 404, "RESOURCE_NOT_FOUND")
    assert employee.post(ROLES_PATH, DESK).status_code == 201, "its name is free again"
    assert _changes(utility) == [
        ("rolecreated", "Service desk"),
        ("rolechanged", "Front desk"),
        ("roledeleted", "Front desk"),
        ("rolecreated", "Service desk"),
    ]


def test_a_change_of_access_says_who_made_it_and_what_it_was(utility: Utility) -> None:
    answer = utility.employee().post(ROLES_PATH, DESK)
    (entry,) = utility.log("PortalAccessChanged")
    assert entry["actor"] == {"type": "employee", "id": "employee-7", "name": "Eva Maes"}
    assert entry["subject"] == {"type": "role", "id": answer.json()["id"]}
    assert entry["correlationId"] == answer.headers["x-correlation-id"]
    assert entry["payload"] == {
        "change": "rolecreated",
        "name": "Service desk",
        "permissions": ["portal.invite", "portal.read"],
    }


def test_the_list_is_newest_first_and_ends_with_the_built_in_roles(utility: Utility) -> None:
    for name in ("First", "Second", "Third"):
        utility.role(Permission.PORTAL_READ, name=name)
    names: list[str] = []
    path: str | None = f"{ROLES_PATH}?pageSize=2"
    while path:
        page = utility.employee().get(path).json()
        names += [role["name"] for role in page["results"]]
        assert len(page["results"]) <= 2
        path = f"{ROLES_PATH}?pageSize=2&continuationToken={page['nextPageToken']}" if page["hasNextPage"] else None
    assert names == ["Third", "Second", "First", "administrator", "user", "readonly"]
    built_in = [role for role in utility.employee().get(ROLES_PATH).json()["results"] if role["builtIn"]]
    assert built_in == [
        {
            "id": None,
            "name": role.value,
            "permissions": sorted(ROLES[role]),
            "builtIn": True,
            "createdDateTime": None,
        }
        for role in Role
    ]


@pytest.mark.parametrize(
    "name", ["Service desk", "SERVICE DESK", " service desk ", "Administrator", "user", "READONLY"]
)
def test_a_name_is_taken_whatever_its_case(utility: Utility, name: str) -> None:
    utility.role(Permission.PORTAL_READ)
    problem(utility.employee().post(ROLES_PATH, DESK | {"name": name}), 409, "ROLE_ALREADY_EXISTS")
    other = utility.role(Permission.PORTAL_READ, name="Other")
    problem(utility.employee().put(f"{ROLES_PATH}/{other}", DESK | {"name": name}), 409, "ROLE_ALREADY_EXISTS")


def test_another_organisation_may_use_the_same_name(utility: Utility, world: World) -> None:
    utility.role(Permission.PORTAL_READ)
    world.utility().role(Permission.PORTAL_READ)


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, {"name", "permissions"}),
        (DESK | {"permissions": []}, {"permissions"}),
        (DESK | {"permissions": ["portal.*"]}, {"permissions.0"}),
        (DESK | {"permissions": "portal.read"}, {"permissions"}),
        (DESK | {"permissions": ["portal.read"] * 101}, {"permissions"}),
        (DESK | {"name": " "}, {"name"}),
        (DESK | {"name": "x" * 201}, {"name"}),
        (DESK | {"name": "Desk\x1b[31m"}, {"name"}),
        (DESK | {"builtIn": True}, {"builtIn"}),
        (DESK | {"organisationId": str(new_id())}, {"organisationId"}),
    ],
)
def test_a_role_of_another_shape_is_refused(utility: Utility, body: dict[str, Any], wrong: set[str]) -> None:
    assert fields(problem(utility.employee().post(ROLES_PATH, body), 422, "VALIDATION_FAILED")) == wrong
    assert _changes(utility) == []


def test_nobody_makes_a_role_of_more_than_they_have(utility: Utility) -> None:
    clerk = utility.employee(None, Permission.ACCESS_WRITE, Permission.PORTAL_READ)
    refused = problem(clerk.post(ROLES_PATH, DESK), 403, "PERMISSION_INVALID")
    assert "portal.invite" in refused["detail"]
    assert "portal.read" not in refused["detail"]
    assert clerk.post(ROLES_PATH, DESK | {"permissions": ["portal.read"]}).status_code == 201


def test_nobody_adds_to_a_role_what_they_do_not_have(utility: Utility) -> None:
    role = f"{ROLES_PATH}/{utility.role(Permission.PORTAL_INVITE)}"
    clerk = utility.employee(None, Permission.ACCESS_WRITE, Permission.PORTAL_READ)
    more = {"name": "Service desk", "permissions": ["portal.invite", "portal.impersonate"]}
    problem(clerk.put(role, more), 403, "PERMISSION_INVALID")
    kept = {"name": "Service desk", "permissions": ["portal.invite", "portal.read"]}
    assert clerk.put(role, kept).status_code == 200, "what the role has already may stay"


def test_a_role_that_someone_has_is_not_deleted(utility: Utility) -> None:
    role = utility.role(Permission.PORTAL_READ)
    assignment = utility.assign("employee-1", role)
    problem(utility.employee().delete(f"{ROLES_PATH}/{role}"), 409, "ROLE_IN_USE")
    assert utility.employee().delete(f"/organisation/role-assignments/{assignment}").status_code == 204
    assert utility.employee().delete(f"{ROLES_PATH}/{role}").status_code == 204
    body = {"subject": "employee-1", "roleId": role}
    problem(utility.employee().post("/organisation/role-assignments", body), 404, "RESOURCE_NOT_FOUND")


def test_a_role_that_is_assigned_and_deleted_at_once_is_either(utility: Utility) -> None:
    for number in range(10):
        role = utility.role(Permission.PORTAL_READ, name=f"Role {number}")
        body = {"subject": "employee-1", "roleId": role}
        assigned, deleted = at_once(
            [
                lambda body=body: utility.employee().post("/organisation/role-assignments", body),
                lambda role=role: utility.employee().delete(f"{ROLES_PATH}/{role}"),
            ]
        )
        assert (assigned.status_code, deleted.status_code) in ((201, 409), (404, 204))


def test_two_roles_of_one_name_at_once_are_one(utility: Utility) -> None:
    answers = at_once([lambda: utility.employee().post(ROLES_PATH, DESK)] * 8)
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    assert _changes(utility) == [("rolecreated", "Service desk")]


def test_roles_end_at_their_organisation(utility: Utility, world: World) -> None:
    foreign = world.utility().role(Permission.PORTAL_READ)
    employee = utility.employee()
    for role in (foreign, str(new_id())):
        path = f"{ROLES_PATH}/{role}"
        for answer in (employee.get(path), employee.put(path, DESK), employee.delete(path)):
            problem(answer, 404, "RESOURCE_NOT_FOUND")
    assert foreign not in employee.get(ROLES_PATH).text


def test_an_organisation_that_is_not_known_yet_has_the_built_in_roles_only(world: World) -> None:
    nowhere = Utility(world, new_id(), new_id())
    assert len(nowhere.employee().get(ROLES_PATH).json()["results"]) == len(Role)
    refused = problem(nowhere.employee().post(ROLES_PATH, DESK), 404, "RESOURCE_NOT_FOUND")
    assert "portal-settings" in refused["detail"]


def test_a_role_is_made_once_per_idempotency_key(utility: Utility) -> None:
    key = {"Idempotency-Key": "role-1"}
    first, again = (utility.employee().post(ROLES_PATH, DESK, headers=key) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert again.headers["idempotency-replayed"] == "true"
    assert len(_changes(utility)) == 1


def test_a_permission_that_this_version_does_not_know_grants_nothing(utility: Utility) -> None:
    role = utility.role(Permission.PORTAL_READ)
    utility.assign("employee-1", role)
    utility.world.sql.run("UPDATE roles SET permissions = '{portal.read,portal.dance}' WHERE id = $1", role)
    assert utility.employee().get(f"{ROLES_PATH}/{role}").json()["permissions"] == ["portal.read"]
    assert utility.newcomer("employee-1").get(f"/customers/{utility.customer().id}/portal").status_code == 200
