"""What partners are told, and that it is genuine."""

from datetime import datetime

import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from app.domain.activities import ActivityType
from tests.journeys.reading import wait_for_jobs
from tests.support.receivers import Receiver
from tests.support.world import Utility
from tests.webhooks.partners import partner

_PERSONAL = ("example.com", "Eva Maes", "employee-7", "127.0.0.1", "python-httpx")


def test_an_invitation_reaches_the_partner_signed(shop: Utility, inbox: Receiver) -> None:
    endpoint = partner(shop, inbox)
    customer = shop.customer()
    invitation = customer.invite()
    [message] = inbox.wait()
    told = message.verified(endpoint.secret)
    [entry] = [one for one in customer.activities() if one["type"] == "PortalInvitationSent"]
    assert told == {
        "type": "PortalInvitationSent",
        "timestamp": entry["occurredDateTime"],
        "data": {
            "id": entry["id"],
            "type": "PortalInvitationSent",
            "occurredDateTime": entry["occurredDateTime"],
            "customerId": str(customer.id),
            "subject": {"type": "invitation", "id": invitation["id"]},
            "actor": {"type": "employee"},
        },
    }
    assert message.headers["content-type"] == "application/json"
    delivery = endpoint.delivery(lambda one: one["status"] == "delivered")
    assert delivery["id"] == message.id
    assert (delivery["activityId"], delivery["type"]) == (entry["id"], entry["type"])
    assert (delivery["attempts"], delivery["lastStatus"], delivery["lastError"]) == (1, 200, None)
    assert delivery["nextAttemptDateTime"] is None
    assert datetime.fromisoformat(delivery["deliveredDateTime"]) >= datetime.fromisoformat(delivery["createdDateTime"])


def test_no_other_secret_and_no_other_body_verifies(shop: Utility, inbox: Receiver) -> None:
    endpoint, other = partner(shop, inbox), partner(shop, inbox, types=["PortalEmailConfirmed"])
    shop.customer().invite()
    [message] = inbox.wait()
    with pytest.raises(WebhookVerificationError):
        message.verified(other.secret)
    changed = type(message)(message.path, message.headers, message.body.replace(b"employee", b"customer"))
    with pytest.raises(WebhookVerificationError):
        changed.verified(endpoint.secret)


def test_persons_stay_out_of_it_unless_they_are_asked_for(shop: Utility, inbox: Receiver) -> None:
    without = partner(shop, f"{inbox.url}?without", types=[])
    full = partner(shop, f"{inbox.url}?full", types=[], includePersonalData=True)
    customer = shop.customer()
    customer.invite(email=f"new.{customer.number}@example.com")
    wait_for_jobs(shop)
    for endpoint, path in ((without, "/events?without"), (full, "/events?full")):
        messages = [one for one in inbox.received if one.path == path]
        text = " ".join(str(one.verified(endpoint.secret)) for one in messages)
        for person in (*_PERSONAL, customer.number):
            assert (person in text) is (endpoint is full), (person, text)
    [told] = [
        one.content
        for one in inbox.received
        if one.path == "/events?full" and one.content["type"] == "PortalInvitationSent"
    ]
    [entry] = [one for one in customer.activities() if one["type"] == "PortalInvitationSent"]
    assert told["data"] == entry


def test_types_choose_and_none_means_all(shop: Utility, inbox: Receiver) -> None:
    everything = partner(shop, inbox, types=[])
    some = partner(shop, inbox, types=["PortalInvitationRevoked", "PortalEmailConfirmed"])
    customer = shop.customer()
    invitation = customer.invite()
    shop.employee().post(f"{customer.path}/invitations/{invitation['id']}/revoke")
    wait_for_jobs(shop)
    assert [one["type"] for one in some.deliveries()] == ["PortalInvitationRevoked"]
    told = {one["activityId"]: one["type"] for one in everything.deliveries()}
    logged = shop.employee().get("/organisation/activities?pageSize=200").json()["results"]
    since = [one for one in logged if one["occurredDateTime"] > everything.created["createdDateTime"]]
    # Its own creation was written in the transaction that made it, and counts already.
    assert set(told) == {one["id"] for one in since}
    assert len(inbox.received) == len(everything.deliveries()) + 1


def test_what_happens_elsewhere_or_before_is_not_told(shop: Utility, inbox: Receiver) -> None:
    shop.customer().invite()
    endpoint = partner(shop, inbox)
    other = shop.world.utility()
    other.customer().invite()
    wait_for_jobs(other)
    wait_for_jobs(shop)
    assert (inbox.received, endpoint.deliveries()) == ([], [])


def test_several_activities_of_one_deed_are_told_once_each(shop: Utility, inbox: Receiver) -> None:
    endpoint = partner(shop, inbox, types=["PortalInvitationSent", "PortalInvitationSuperseded"])
    customer = shop.customer()
    customer.invite()
    customer.invite()
    wait_for_jobs(shop)
    kinds = sorted(one.content["type"] for one in inbox.received)
    assert kinds == ["PortalInvitationSent", "PortalInvitationSent", "PortalInvitationSuperseded"]
    assert len({one.id for one in inbox.received}) == 3
    assert {one["status"] for one in endpoint.deliveries()} == {"delivered"}


def test_a_test_comes_whatever_the_types_are(shop: Utility, inbox: Receiver) -> None:
    endpoint = partner(shop, inbox)
    asked = endpoint.do("test")
    [message] = inbox.wait()
    assert asked["status"] == "pending"
    assert (message.id, asked["activityId"]) == (asked["id"], None)
    told = message.verified(endpoint.secret)
    assert told["type"] == "PortalWebhookTest"
    assert told["data"]["subject"] == {"type": "webhookendpoint", "id": endpoint.id}
    assert set(told["data"]) == {"id", "type", "occurredDateTime", "customerId", "subject", "actor"}
    assert endpoint.delivery(lambda one: one["status"] == "delivered")["type"] == "PortalWebhookTest"


def test_a_test_s_type_is_no_activity_s() -> None:
    assert "PortalWebhookTest" not in {kind.value for kind in ActivityType}


def test_many_at_once_are_all_told(shop: Utility, inbox: Receiver) -> None:
    endpoint = partner(shop, inbox)
    customers = [shop.customer() for _ in range(25)]
    for customer in customers:
        customer.invite()
    messages = inbox.wait(25, 30)
    assert {one.verified(endpoint.secret)["data"]["customerId"] for one in messages} == {
        str(customer.id) for customer in customers
    }
    wait_for_jobs(shop)
    assert len(inbox.received) == 25
