"""How many statements an operation takes: each is a round trip to the database, and one more must not creep in."""

from collections.abc import Iterator

import pytest

from app.permissions import Role
from tests.support.watching import Watched, watching
from tests.support.world import PASSWORD, Client, Customer, World, handed_over


@pytest.fixture(scope="module")
def watched(world: World) -> Iterator[Watched]:
    with watching(world) as running:
        yield running


@pytest.fixture
def employee(active: Customer, watched: Watched) -> Client:
    """An administrator. Whose the organisation is, the service has read before."""
    known = watched.by(active.utility.employee())
    assert known.get(active.path).status_code == 200
    return known


@pytest.fixture
def portal(employee: Client, active: Customer, watched: Watched) -> Client:
    """The portal before login, of an organisation that the service knows."""
    return watched.by(active.utility.portal)


def test_the_card(active: Customer, employee: Client, watched: Watched) -> None:
    assert len(watched.behind(lambda: employee.get(active.path))) == 1


def test_what_was_assigned_to_an_employee_is_read_at_every_call(active: Customer, watched: Watched) -> None:
    reader = watched.by(active.utility.employee(Role.READONLY))
    assert len(watched.behind(lambda: reader.get(active.path))) == 2


def test_oneself(active: Customer, watched: Watched) -> None:
    client = watched.by(active.logged_in())
    assert len(watched.behind(lambda: client.get("/portal/me"))) == 1


def test_introspection(active: Customer, employee: Client, watched: Watched) -> None:
    token = active.logged_in().headers["Authorization"].removeprefix("Bearer ")
    form = {"data": {"token": token}}
    url = f"{watched.world.url}/api/portal/v1/portal/sessions/introspect"
    assert len(watched.behind(lambda: watched.world.http.post(url, headers=employee.headers, **form))) == 1


def test_a_page_of_activities(active: Customer, employee: Client, watched: Watched) -> None:
    assert len(watched.behind(lambda: employee.get(f"{active.path}/activities?pageSize=50"))) == 1


def test_inspecting_a_link_that_was_viewed_before(active: Customer, portal: Client, watched: Watched) -> None:
    token = active.utility.customer().invited()
    assert portal.post("/portal/tokens/inspect", {"token": token}).status_code == 200
    assert len(watched.behind(lambda: portal.post("/portal/tokens/inspect", {"token": token}))) == 1


def test_the_first_view_of_a_link(active: Customer, portal: Client, watched: Watched) -> None:
    token = active.utility.customer().invited()
    assert len(watched.behind(lambda: portal.post("/portal/tokens/inspect", {"token": token}))) == 4


def test_an_invitation(active: Customer, employee: Client, watched: Watched) -> None:
    invited = active.utility.customer()
    assert len(watched.behind(lambda: employee.post(f"{invited.path}/invitations"))) == 6


def test_an_invitation_with_a_key_that_makes_it_happen_once(
    active: Customer, employee: Client, watched: Watched
) -> None:
    invited, key = active.utility.customer(), {"Idempotency-Key": "invite once"}
    assert len(watched.behind(lambda: employee.post(f"{invited.path}/invitations", headers=key))) == 10


def test_a_registration(active: Customer, portal: Client, watched: Watched) -> None:
    invited = active.utility.customer()
    given = {"token": invited.invited(), "customerNumber": invited.number, "password": PASSWORD}
    assert len(watched.behind(lambda: portal.post("/portal/registrations", given))) == 11


def test_a_confirmation(active: Customer, portal: Client, watched: Watched) -> None:
    token = active.utility.customer().registered()
    assert len(watched.behind(lambda: portal.post("/portal/email-confirmations", {"token": token}))) == 6


def test_a_forgotten_password(active: Customer, portal: Client, watched: Watched) -> None:
    assert len(watched.behind(lambda: portal.post("/portal/password-resets", {"email": active.email}))) == 0


def test_a_login(active: Customer, portal: Client, watched: Watched) -> None:
    given = {"email": active.email, "password": PASSWORD}
    assert len(watched.behind(lambda: portal.post("/portal/sessions", given))) == 5


def test_the_start_of_an_impersonation(active: Customer, employee: Client, watched: Watched) -> None:
    path, given = f"{active.path}/impersonation-sessions", {"reason": "Help with an invoice"}
    assert len(watched.behind(lambda: employee.post(path, given))) == 6


def test_the_redemption_of_a_hand_off(active: Customer, portal: Client, watched: Watched) -> None:
    given = {"token": handed_over(active.impersonate())}
    assert len(watched.behind(lambda: portal.post("/portal/impersonations/redeem", given))) == 6


def test_the_end_of_an_impersonation(active: Customer, employee: Client, watched: Watched) -> None:
    path = f"{active.path}/impersonation-sessions/{active.impersonate()['id']}/end"
    assert len(watched.behind(lambda: employee.post(path))) == 6
