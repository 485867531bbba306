"""What an employee in the portal may do, in each mode, whatever the operation."""

from collections.abc import Iterator
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Depends

from app.domain.impersonations import AccessMode, PortalAct
from app.main import create_app
from app.routers.dependencies import ChangingVisit, LoggedIn, LookingVisit, OwnersVisit, Visit
from app.routers.openapi import guard
from app.routers.walking import operations
from tests.api.expect import problem
from tests.journeys.impersonating import last
from tests.journeys.reading import refusal
from tests.support.databases import Sql
from tests.support.mail import SmtpServer
from tests.support.service import listening, test_settings
from tests.support.world import Client, Customer, World

READ_ONLY, NOT_ALLOWED = (403, "IMPERSONATION_READ_ONLY"), (403, "NOT_ALLOWED_WHILE_IMPERSONATING")
PORTAL = "/api/portal/v1/portal"
ZERO = "00000000-0000-7000-8000-000000000000"


def portal_operations() -> list[tuple[str, str, str, PortalAct | None]]:
    """Every operation of a logged-in customer: id, method, path, and what it does."""
    app = create_app(test_settings(database_url="postgresql://nobody@127.0.0.1/none"))
    return [
        (str(route.operation_id), method, path.removeprefix("/api/portal/v1"), kind.act)
        for method, path, route in operations(app)
        if isinstance(kind := guard(route), LoggedIn)
    ]


def expected(act: PortalAct | None, mode: AccessMode) -> tuple[int, str] | None:
    """The contract's table, written out."""
    if act is PortalAct.LOOK or (act is PortalAct.CHANGE and mode is AccessMode.FULL):
        return None
    return READ_ONLY if act is PortalAct.CHANGE else NOT_ALLOWED


def send(client: Client, method: str, path: str) -> httpx.Response:
    """A call that nobody means; whoever is let in hears that it is nonsense."""
    for name in ("sessionId", "documentId"):
        path = path.replace(f"{{{name}}}", ZERO)
    return client._send(method, path, None, {})


@pytest.fixture
def active(customer: Customer) -> Customer:
    """A customer with a confirmed account."""
    return customer.active()


@pytest.mark.parametrize("mode", AccessMode, ids=str)
@pytest.mark.asvs("8.3.3")
def test_every_portal_operation_admits_an_impersonator_as_it_declares(active: Customer, mode: AccessMode) -> None:
    employee = active.impersonated(accessMode=mode)
    for name, method, path, act in portal_operations():
        answer = send(employee, method, path)
        if refused := expected(act, mode):
            assert refusal(answer) == refused, name
            entry = last(active, "PortalImpersonationRefused")
            assert entry["payload"] == {"key": refused[1], "operation": name}
            assert entry["actor"]["type"] == "employee"
            assert entry["impersonation"]["employeeId"] == "employee-7"
            assert entry["subject"]["type"] == "session"
        else:
            assert answer.status_code not in (401, 403), name


def test_passwords_addresses_and_sessions_are_the_customers_alone() -> None:
    acts = {(method, path): act for _, method, path, act in portal_operations()}
    assert acts["DELETE", "/portal/sessions/{sessionId}"] is PortalAct.OWNERS
    for owners in (("PUT", "/portal/me/password"), ("POST", "/portal/me/email")):
        assert acts[owners] is PortalAct.OWNERS
    view = ("POST", "/portal/documents/{documentId}/views")
    assert acts[view] is PortalAct.LOOK, "accepted in both modes"
    assert None not in acts.values(), "each operation says what it does"


probe = APIRouter(prefix=f"{PORTAL}/probe")


@probe.post("/look")
async def look(visit: LookingVisit) -> str:
    return visit.visitor.actor.id


@probe.post("/change")
async def change(visit: ChangingVisit) -> str:
    return visit.visitor.actor.id


@probe.post("/owners")
async def owners(visit: OwnersVisit) -> str:
    return visit.visitor.actor.id


@probe.post("/undeclared")
async def undeclared(visit: Annotated[Visit, Depends(LoggedIn())]) -> str:
    return visit.visitor.actor.id


@pytest.fixture(scope="module")
def probed(database: str, smtp: SmtpServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The service with one more operation of each kind."""
    settings = test_settings(database_url=database, smtp_url=smtp.url, data_dir=tmp_path_factory.mktemp("probed"))
    with listening(settings) as (url, app), httpx.Client(timeout=20) as http:
        app.include_router(probe)
        yield World(url, settings, Sql(database), smtp.mailbox, http)


def test_each_act_in_each_mode(probed: World) -> None:
    customer = probed.utility().customer().active()
    own = customer.logged_in()
    for act in ("look", "change", "owners", "undeclared"):
        assert own.post(f"/portal/probe/{act}").json() == str(customer.id)
    table = {
        AccessMode.READONLY: [200, READ_ONLY, NOT_ALLOWED, NOT_ALLOWED],
        AccessMode.FULL: [200, 200, NOT_ALLOWED, NOT_ALLOWED],
    }
    for mode, outcomes in table.items():
        employee = customer.impersonated(accessMode=mode)
        for act, outcome in zip(("look", "change", "owners", "undeclared"), outcomes, strict=True):
            answer = employee.post(f"/portal/probe/{act}")
            if outcome == 200:
                assert answer.json() == "employee-7"
            else:
                assert refusal(answer) == outcome


def test_an_employee_in_the_portal_has_no_door_to_the_back_office_nor_to_a_second_customer(active: Customer) -> None:
    inside = Client(active.utility.world, active.impersonated(accessMode="full").headers | active.utility.headers)
    path = f"{active.path}/impersonation-sessions"
    problem(inside.get(active.path), 401, "UNAUTHENTICATED")
    problem(inside.post(path, {"reason": "nesting is not a thing"}), 401, "UNAUTHENTICATED")
    problem(inside.post(f"{active.path}/invitations"), 401, "UNAUTHENTICATED")


def test_an_employee_in_the_portal_ends_no_session_of_the_customer(active: Customer) -> None:
    own = active.logged_in()
    [session] = own.get("/portal/sessions").json()["results"]
    employee = active.impersonated(accessMode="full")
    assert refusal(employee.delete(f"/portal/sessions/{session['id']}")) == NOT_ALLOWED
    assert employee.delete("/portal/sessions/current").status_code == 204
    assert own.get("/portal/me").status_code == 200


def test_headers_of_another_organisation_move_no_impersonation(active: Customer) -> None:
    employee = active.impersonated()
    other = active.utility.world.utility().headers
    for path in ("/portal/me", "/portal/sessions", "/portal/me/access-log"):
        assert refusal(employee.get(path, headers=other)) == (401, "SESSION_ENDED")
    assert refusal(employee.post("/portal/impersonations/current/end", headers=other)) == (401, "SESSION_ENDED")
    assert employee.get("/portal/me", headers=active.utility.headers).status_code == 200
