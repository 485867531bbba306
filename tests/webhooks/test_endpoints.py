"""Endpoints as administrators keep them."""

from uuid import UUID

import pytest

from app.domain.webhooks import MOST_ENDPOINTS
from app.ids import new_id
from app.permissions import Permission, Role
from tests.api.expect import problem
from tests.journeys.reading import refusal, wait_for_jobs
from tests.journeys.test_races import at_once
from tests.journeys.test_retention import tend
from tests.support.receivers import Receiver
from tests.support.world import Utility, World
from tests.webhooks.partners import ENDPOINTS, TYPES, Partner, create, partner

_URL = "https://8.8.8.8/events"  # public, and with these types never called


def test_an_endpoint_is_made_shown_changed_and_deleted(shop: Utility) -> None:
    answer = create(shop, _URL, types=["PortalEmailConfirmed", "PortalEmailConfirmed", "PortalAccountReset"])
    made = answer.json()
    assert answer.status_code == 201
    secret = made.pop("secret")
    assert secret.startswith("whsec_")
    assert made == {
        "id": made["id"],
        "url": _URL,
        "types": ["PortalAccountReset", "PortalEmailConfirmed"],
        "includePersonalData": False,
        "status": "enabled",
        "disabledReason": None,
        "disabledDateTime": None,
        "createdDateTime": made["createdDateTime"],
        "secretCreatedDateTime": made["createdDateTime"],
    }
    endpoint = Partner(shop, made)
    assert endpoint.seen() == made
    other = {"url": _URL + "/v2?key=k3y", "types": TYPES, "includePersonalData": True}
    changed = shop.employee().put(endpoint.path, other)
    assert (changed.status_code, changed.json()) == (200, made | other)
    back = shop.employee().put(endpoint.path, {"url": _URL, "types": TYPES}).json()
    assert back["includePersonalData"] is False, "what is left out goes back to its default"
    assert [shop.employee().delete(endpoint.path).status_code for _ in range(2)] == [204, 204]
    problem(shop.employee().get(endpoint.path), 404, "RESOURCE_NOT_FOUND")
    assert shop.employee().get(ENDPOINTS).json()["results"] == []
    kept = shop.world.sql.rows("SELECT * FROM webhook_endpoints WHERE id = $1", UUID(endpoint.id))
    assert [(one["sealed_secret"], one["sealed_previous_secret"]) for one in kept] == [(None, None)]


def test_the_log_tells_of_every_change_and_neither_secret_nor_path(shop: Utility) -> None:
    endpoint = partner(shop, f"{_URL}/k3y")
    shop.employee().put(endpoint.path, {"url": f"{_URL}/k3y", "types": TYPES})
    shop.employee().put(endpoint.path, {"url": f"{_URL}/k4y", "types": TYPES})
    rotated = endpoint.do("rotate-secret")
    shop.employee().delete(endpoint.path)
    entries = shop.log("PortalSettingsChanged")[1:]
    assert [one["payload"]["change"] for one in entries] == [
        "webhookendpointcreated",
        "webhookendpointchanged",
        "webhooksecretrotated",
        "webhookendpointdeleted",
    ]
    for one in entries:
        assert one["subject"] == {"type": "webhookendpoint", "id": endpoint.id}
        assert one["actor"]["id"] == "employee-7"
        assert one["payload"]["host"] == "8.8.8.8"
        assert not [word for word in ("k3y", "k4y", endpoint.secret, rotated["secret"]) if word in str(one)]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "events",
        "//8.8.8.8/events",
        "ftp://8.8.8.8/",
        "file:///etc/passwd",
        "http://8.8.8.8/events",
        "https://user:word@8.8.8.8/",
        "https://8.8.8.8/#part",
        "https://8.8.8.8/a b",
        "https://8.8.8.8:99999/",
        "https://",
        "https://127.1.2.3@10.0.0.1/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://168.63.129.16/",
        "https://2852039166/",
        "https://0xa9fea9fe/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://[fd00:ec2::254]/",
    ],
)
def test_a_url_that_can_be_seen_to_lead_nowhere_good_is_refused(shop: Utility, url: str) -> None:
    answer = create(shop, url)
    if url:
        assert refusal(answer) == (422, "INVALID_URL")
        assert [one["field"] for one in answer.json()["errors"]] == ["url"]
    else:
        assert refusal(answer) == (422, "VALIDATION_FAILED")
    endpoint = partner(shop, _URL)
    assert shop.employee().put(endpoint.path, {"url": url}).status_code == 422
    assert endpoint.seen()["url"] == _URL


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "127.1"])
def test_where_no_network_is_allowed_no_spelling_of_loopback_is(utility: Utility, host: str) -> None:
    for scheme in ("http", "https"):
        assert refusal(create(utility, f"{scheme}://{host}:8080/")) == (422, "INVALID_URL")


def test_a_name_that_is_not_known_yet_may_come(shop: Utility) -> None:
    assert create(shop, "https://receiver.invalid/events").status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": _URL, "types": ["Everything"]},
        {"url": _URL, "types": "PortalEmailConfirmed"},
        {"url": _URL, "includePersonalData": "yes"},
        {"url": _URL, "secret": "whsec_aaaa"},
        {"url": _URL, "status": "disabled"},
        {"url": "https://8.8.8.8/" + "a" * 2000},
    ],
)
def test_what_makes_no_sense_is_refused(shop: Utility, body: dict[str, object]) -> None:
    problem(shop.employee().post(ENDPOINTS, body), 422, "VALIDATION_FAILED")


def test_another_organisations_are_not_there(shop: Utility, inbox: Receiver) -> None:
    endpoint = partner(shop, inbox)
    endpoint.do("test")
    delivery = endpoint.delivery(lambda one: one["status"] == "delivered")
    stranger = shop.world.utility()
    sister = Utility(shop.world, shop.tenant, new_id())
    sister.change_settings()
    for elsewhere in (stranger, sister):
        client = elsewhere.employee()
        for answer in (
            client.get(endpoint.path),
            client.put(endpoint.path, {"url": _URL}),
            client.delete(endpoint.path),
            client.post(f"{endpoint.path}/rotate-secret"),
            client.post(f"{endpoint.path}/test"),
            client.post(f"{endpoint.path}/enable"),
            client.get(f"{endpoint.path}/deliveries"),
            client.post(f"{ENDPOINTS}/deliveries/{delivery['id']}/redeliver"),
        ):
            problem(answer, 404, "RESOURCE_NOT_FOUND")
        assert client.get(ENDPOINTS).json()["results"] == []
    assert endpoint.seen() == {name: value for name, value in endpoint.created.items() if name != "secret"}


def test_permission_comes_before_existence(shop: Utility) -> None:
    for client in (shop.employee(Role.USER), shop.employee(None, Permission.PORTAL_SETTINGS_WRITE)):
        problem(client.get(f"{ENDPOINTS}/{new_id()}"), 403, "PERMISSION_INVALID")
        problem(client.post(f"{ENDPOINTS}/deliveries/{new_id()}/redeliver"), 403, "PERMISSION_INVALID")


def test_an_organisation_that_is_not_known_has_none(posting: World) -> None:
    nobody = Utility(posting, new_id(), new_id())
    problem(create(nobody, _URL), 404, "RESOURCE_NOT_FOUND")
    assert nobody.employee().get(ENDPOINTS).json()["results"] == []


def test_an_organisation_has_so_many_at_most_however_they_come(shop: Utility) -> None:
    answers = at_once([lambda: create(shop, _URL)] * (MOST_ENDPOINTS + 5))
    refused = [answer for answer in answers if answer.status_code != 201]
    assert len(refused) == 5
    assert {refusal(answer) for answer in refused} == {(409, "WEBHOOK_ENDPOINT_LIMIT_REACHED")}
    listed = shop.employee().get(ENDPOINTS, params={"pageSize": 15}).json()
    rest = shop.employee().get(ENDPOINTS, params={"continuationToken": listed["nextPageToken"]}).json()
    assert len({one["id"] for one in listed["results"] + rest["results"]}) == MOST_ENDPOINTS
    made = [one["createdDateTime"] for one in listed["results"] + rest["results"]]
    assert made == sorted(made, reverse=True)
    shop.employee().delete(f"{ENDPOINTS}/{listed['results'][0]['id']}")
    assert create(shop, _URL).status_code == 201


def test_deliveries_are_paged_and_chosen_by_status(shop: Utility, inbox: Receiver) -> None:
    endpoint = partner(shop, inbox)
    sent = [endpoint.do("test")["id"] for _ in range(5)]
    endpoint.until(lambda found: {one["status"] for one in found} == {"delivered"})
    first = shop.employee().get(f"{endpoint.path}/deliveries", params={"pageSize": 3}).json()
    assert first["hasNextPage"] is True
    more = {"pageSize": 3, "continuationToken": first["nextPageToken"]}
    second = shop.employee().get(f"{endpoint.path}/deliveries", params=more).json()
    assert second["hasNextPage"] is False
    assert [one["id"] for one in first["results"] + second["results"]] == sent[::-1]
    assert len(endpoint.deliveries(status="delivered")) == 5
    assert endpoint.deliveries(status="failed") == endpoint.deliveries(status="pending") == []
    problem(shop.employee().get(f"{endpoint.path}/deliveries?status=lost"), 422, "VALIDATION_FAILED")


def test_nothing_is_sent_to_an_endpoint_that_is_off(shop: Utility, inbox: Receiver) -> None:
    endpoint = partner(shop, inbox)
    endpoint.do("test")
    delivery = endpoint.delivery(lambda one: one["status"] == "delivered")
    shop.world.sql.run(
        "UPDATE webhook_endpoints SET disabled_at = now(), disabled_reason = 'Because.' WHERE id = $1",
        UUID(endpoint.id),
    )
    for answer in (shop.employee().post(f"{endpoint.path}/test"), endpoint.redeliver(delivery)):
        assert problem(answer, 409, "WEBHOOK_ENDPOINT_DISABLED")["detail"] == "Because."
    shop.employee().put(endpoint.path, {"url": inbox.url})
    assert endpoint.seen()["status"] == "disabled"
    wait_for_jobs(shop)
    assert len(inbox.received) == 1


def test_deliveries_are_kept_for_thirty_days(shop: Utility, inbox: Receiver) -> None:
    endpoint = partner(shop, inbox)
    old, new = (endpoint.do("test")["id"] for _ in range(2))
    endpoint.until(lambda found: {one["status"] for one in found} == {"delivered"})
    for delivery, age in ((old, "30 days 1 hour"), (new, "29 days 23 hours")):
        shop.world.sql.run(
            f"UPDATE webhook_deliveries SET created_at = now() - interval '{age}' WHERE id = $1", UUID(delivery)
        )
    tend(shop)
    assert [one["id"] for one in endpoint.deliveries()] == [new]
