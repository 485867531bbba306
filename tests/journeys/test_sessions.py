"""Portal sessions: recognised, listed, ended by the customer and by time."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from tests.journeys.reading import inspect, refusal, sessions
from tests.support.world import Client, Customer, Utility


@pytest.fixture
def active(customer: Customer) -> Customer:
    """A customer with a confirmed account."""
    return customer.active()


def me(client: Client, **headers: str) -> tuple[int, str] | int:
    """How the portal greets this session: 200, or the refusal."""
    answer = client.get("/portal/me", headers=headers)
    return 200 if answer.status_code == 200 else refusal(answer)


def age(customer: Customer, column: str, by: timedelta) -> None:
    """Let time pass for the customer's sessions."""
    customer.utility.world.sql.run(
        f"UPDATE sessions SET {column} = {column} - $2::interval WHERE customer_id = $1", customer.id, by
    )


ENDED = (401, "SESSION_ENDED")


def test_me_tells_who_is_logged_in(active: Customer) -> None:
    body = active.logged_in().get("/portal/me").json()
    registered = active.card()["registeredDateTime"]
    assert body["account"] == {
        "email": active.email,
        "emailConfirmed": True,
        "registeredDateTime": registered,
        "portalStatus": "active",
    }
    assert body["customer"] == {
        "customerId": str(active.id),
        "accountNumber": active.number,
        "displayName": "Jan Peeters",
        "language": "en-GB",
    }
    assert body["organisation"]["organisationId"] == str(active.utility.organisation)
    assert body["organisation"]["name"] == "Zonneveld Warmte"
    assert set(body["organisation"]["features"]) == {
        "documents",
        "invoices",
        "advancePaymentAdjustable",
        "editContactDetails",
    }
    assert body["organisation"]["pageNotifications"] == []
    assert body["impersonation"] is None


@pytest.mark.asvs("7.2.4")
def test_each_login_has_a_token_of_its_own_that_lives_twelve_hours(active: Customer) -> None:
    first, second = active.log_in().json(), active.log_in().json()
    assert first["accessToken"] != second["accessToken"]
    assert first["customerId"] == str(active.id)
    started = active.utility.world.sql.value("SELECT min(created_at) FROM sessions WHERE customer_id = $1", active.id)
    assert datetime.fromisoformat(first["expiresDateTime"]) - started == timedelta(hours=12)


def test_the_list_shows_which_session_asks(active: Customer) -> None:
    laptop, phone = active.logged_in(), active.logged_in()
    listed = sessions(phone)
    assert [one["current"] for one in listed] == [True, False]
    assert [one["current"] for one in sessions(laptop)] == [False, True]
    assert listed[0]["createdDateTime"] > listed[1]["createdDateTime"]
    assert listed[0]["ipAddress"] == "127.0.0.1"
    assert listed[0]["userAgent"].startswith("python-httpx/")


def test_the_list_comes_in_pages(active: Customer) -> None:
    clients = [active.logged_in() for _ in range(3)]
    first = clients[0].get("/portal/sessions?pageSize=2").json()
    assert first["hasNextPage"] is True
    second = clients[0].get("/portal/sessions?pageSize=2", headers={"continuationToken": first["nextPageToken"]}).json()
    assert second["hasNextPage"] is False
    assert second["nextPageToken"] is None
    assert [one["id"] for one in first["results"] + second["results"]] == [one["id"] for one in sessions(clients[0])]


@pytest.mark.asvs("7.5.2")
def test_one_session_ends_another(active: Customer) -> None:
    laptop, phone = active.logged_in(), active.logged_in()
    lost = sessions(phone)[0]["id"]
    assert laptop.delete(f"/portal/sessions/{lost}").status_code == 204
    assert me(phone) == ENDED
    assert me(laptop) == 200
    assert [one["current"] for one in sessions(laptop)] == [True]
    assert laptop.delete(f"/portal/sessions/{lost}").status_code == 204
    assert active.log().count("PortalLoggedOut") == 1


@pytest.mark.asvs("7.4.1")
def test_logging_out_twice_is_fine_and_happens_once(active: Customer) -> None:
    laptop, phone = active.logged_in(), active.logged_in()
    for _ in range(2):
        answer = laptop.delete("/portal/sessions/current")
        assert answer.status_code == 204
        assert answer.content == b""
    assert me(laptop) == ENDED
    assert me(phone) == 200
    assert active.log().count("PortalLoggedOut") == 1


def test_a_session_can_be_ended_by_its_own_id(active: Customer) -> None:
    client = active.logged_in()
    assert client.delete(f"/portal/sessions/{sessions(client)[0]['id']}").status_code == 204
    assert me(client) == ENDED


@pytest.mark.asvs("8.2.2")
def test_nobody_ends_another_customers_session(active: Customer) -> None:
    neighbour = active.utility.customer().active()
    theirs = neighbour.logged_in()
    mine = active.logged_in()
    foreign = mine.delete(f"/portal/sessions/{sessions(theirs)[0]['id']}")
    unknown = mine.delete(f"/portal/sessions/{active.id}")
    assert refusal(foreign) == refusal(unknown) == (404, "RESOURCE_NOT_FOUND")
    assert me(theirs) == 200
    assert "PortalLoggedOut" not in neighbour.log() + active.log()


@pytest.mark.asvs("7.3.1")
def test_a_session_ends_after_thirty_idle_minutes(active: Customer) -> None:
    client = active.logged_in()
    age(active, "last_seen_at", timedelta(minutes=29))
    assert me(client) == 200
    age(active, "last_seen_at", timedelta(minutes=29))  # the call before counts as a sign of life
    assert me(client) == 200
    age(active, "last_seen_at", timedelta(minutes=31))
    assert me(client) == ENDED
    assert me(client) == ENDED


@pytest.mark.asvs("7.3.2")
def test_a_session_ends_after_twelve_hours_in_any_case(active: Customer) -> None:
    client = active.logged_in()
    age(active, "expires_at", timedelta(hours=12) - timedelta(minutes=1))
    assert me(client) == 200
    age(active, "expires_at", timedelta(minutes=2))
    assert me(client) == ENDED
    assert active.logged_in() != client


@pytest.mark.parametrize("column", ["last_seen_at", "expires_at"])
def test_a_session_that_time_has_ended_is_not_listed_and_can_be_logged_out(column: str, active: Customer) -> None:
    old = active.logged_in()
    age(active, column, timedelta(hours=13))
    assert [one["current"] for one in sessions(active.logged_in())] == [True]
    assert old.delete("/portal/sessions/current").status_code == 204
    assert "PortalLoggedOut" not in active.log()


def test_a_sign_of_life_moves_when_the_customer_was_last_active(active: Customer) -> None:
    client = active.logged_in()
    active.utility.world.sql.run(
        "UPDATE accounts SET last_active_at = last_active_at - interval '1 day' WHERE customer_id = $1", active.id
    )
    before = active.card()["lastActiveDateTime"]
    age(active, "last_seen_at", timedelta(minutes=5))
    assert me(client) == 200
    assert active.card()["lastActiveDateTime"] > before


def test_its_own_organisations_headers_are_welcome_and_anothers_are_refused(active: Customer) -> None:
    client = active.logged_in()
    assert me(client, **active.utility.headers) == 200
    other = active.utility.world.utility().headers
    assert me(client, **other) == ENDED
    assert me(client) == 200
    for path in ("/portal/sessions", f"/portal/sessions/{sessions(client)[0]['id']}"):
        answer = client.get(path, headers=other) if path.endswith("s") else client.delete(path, headers=other)
        assert refusal(answer) == ENDED
    assert me(client) == 200


def test_another_organisations_headers_log_nobody_out(active: Customer) -> None:
    client = active.logged_in()
    answer = client.delete("/portal/sessions/current", headers=active.utility.world.utility().headers)
    assert refusal(answer) == ENDED
    assert me(client) == 200


def test_a_session_token_opens_no_door_of_the_back_office(active: Customer) -> None:
    client = Client(active.utility.world, active.logged_in().headers | active.utility.headers)
    assert refusal(client.get(active.path)) == (401, "UNAUTHENTICATED")
    assert refusal(client.post(f"{active.path}/invitations")) == (401, "UNAUTHENTICATED")


def test_an_employees_bearer_is_no_portal_session(utility: Utility) -> None:
    assert refusal(utility.employee().get("/portal/me")) == (401, "UNAUTHENTICATED")
    assert refusal(utility.portal.get("/portal/me")) == (401, "UNAUTHENTICATED")


def test_a_changed_token_is_nobodys(active: Customer) -> None:
    bearer = active.logged_in().headers["Authorization"]
    for position in (len("Bearer "), len("Bearer zfp_"), 30, 60, len(bearer) - 1):
        changed = bearer[:position] + ("A" if bearer[position] != "A" else "B") + bearer[position + 1 :]
        assert me(Client(active.utility.world, {"Authorization": changed})) == (401, "UNAUTHENTICATED")


@pytest.mark.asvs("6.5.2")
def test_the_database_knows_no_session_token(active: Customer) -> None:
    token = active.log_in().json()["accessToken"]
    row = active.utility.world.sql.value("SELECT s::text FROM sessions s WHERE customer_id = $1", active.id)
    assert token not in row
    assert UUID(row.split(",")[1])  # and the row is the session's


def test_while_the_portal_is_off_a_session_waits(active: Customer) -> None:
    client, leaving = active.logged_in(), active.logged_in()
    active.utility.change_settings(portalEnabled=False)
    off = (409, "PORTAL_NOT_ENABLED")
    assert me(client) == off
    assert refusal(client.get("/portal/sessions")) == off
    assert leaving.delete("/portal/sessions/current").status_code == 204
    active.utility.change_settings()
    assert me(client) == 200
    assert me(leaving) == ENDED


def test_while_the_portal_is_off_links_can_be_looked_at_and_addresses_confirmed(customer: Customer) -> None:
    token = customer.registered()
    customer.utility.change_settings(portalEnabled=False)
    assert inspect(customer.utility, token).json()["state"] == "pending"
    assert customer.confirm(token).status_code == 200
