"""Receivers that are down, slow, rude or gone: nothing is lost, nobody else waits, and the back office sees why."""

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from app.domain.webhooks import MOST_ATTEMPTS
from tests.journeys.reading import wait_for_jobs
from tests.support.receivers import Receiver, Reply, receiver, still
from tests.support.service import free_port
from tests.support.world import Utility
from tests.webhooks.partners import Partner, partner, wait


def fail(endpoint: Partner, times: int) -> None:
    """Let the newest delivery have had so many attempts in vain; the next one is due."""
    for number in range(1, times + 1):
        assert endpoint.attempted(number)["status"] != "delivered"
        endpoint.let_time_pass()


def test_one_that_fails_and_then_works_gets_it_under_the_same_id(shop: Utility, inbox: Receiver) -> None:
    inbox.replies = [Reply(500, body=b"<h1>no\x00pe</h1>\n" * 100), Reply(204)]
    endpoint = partner(shop, inbox)
    shop.customer().invite()
    failed = endpoint.delivery(lambda one: one["lastStatus"] == 500)
    assert failed["status"] == "pending"
    assert failed["lastError"].startswith("It answered 500 Internal Server Error: <h1>no pe</h1> <h1>")
    assert len(failed["lastError"]) < 250
    assert timedelta(seconds=4) < wait(failed) < timedelta(seconds=8)
    endpoint.let_time_pass()
    first, second = inbox.wait(2)
    assert first.id == second.id == failed["id"]
    assert first.body == second.body
    assert second.verified(endpoint.secret)
    delivered = endpoint.delivery(lambda one: one["status"] == "delivered")
    assert (delivered["attempts"], delivered["lastStatus"], delivered["lastError"]) == (2, 204, None)


def test_the_waits_grow_to_three_days(shop: Utility, inbox: Receiver) -> None:
    inbox.replies = [Reply(500)]
    endpoint = partner(shop, inbox)
    shop.customer().invite()
    waits = []
    for number in range(1, MOST_ATTEMPTS):
        waits.append(wait(endpoint.attempted(number)))
        endpoint.let_time_pass()
    assert waits == sorted(waits)
    assert timedelta(days=3) < sum(waits, timedelta()) < timedelta(days=4)


def test_one_that_never_takes_anything_is_switched_off_after_the_last_attempt(shop: Utility, inbox: Receiver) -> None:
    inbox.replies = [Reply(500)]
    endpoint = partner(shop, inbox)
    shop.customer().invite()
    fail(endpoint, MOST_ATTEMPTS)
    off = endpoint.once(lambda one: one["status"] == "disabled")
    assert "three days" in off["disabledReason"]
    assert off["disabledDateTime"]
    [delivery] = endpoint.deliveries()
    assert (delivery["status"], delivery["attempts"]) == ("failed", MOST_ATTEMPTS)
    assert delivery["nextAttemptDateTime"] is None
    shop.customer().invite()
    wait_for_jobs(shop)
    assert len(endpoint.deliveries()) == 1, "what happens while it is off is not told"
    [entry] = [
        one for one in shop.log("PortalSettingsChanged") if one["payload"].get("change", "").endswith("disabled")
    ]
    assert entry["actor"]["type"] == "system"
    assert entry["subject"] == {"type": "webhookendpoint", "id": endpoint.id}
    assert entry["payload"]["reason"] == off["disabledReason"]


def test_one_that_takes_other_things_stays_on(shop: Utility, inbox: Receiver) -> None:
    inbox.replies = [Reply(400)]
    endpoint = partner(shop, inbox)
    shop.customer().invite()
    fail(endpoint, MOST_ATTEMPTS - 2)
    endpoint.attempted(MOST_ATTEMPTS - 1)
    endpoint.let_pause_end()
    inbox.replies = [Reply()]
    endpoint.do("test")
    endpoint.delivery(lambda one: one["status"] == "delivered")
    inbox.replies = [Reply(400)]
    endpoint.let_time_pass()
    endpoint.until(lambda found: found[1]["status"] == "failed")
    assert endpoint.seen()["status"] == "enabled"


def test_one_that_is_gone_is_switched_off_at_once(shop: Utility, inbox: Receiver) -> None:
    inbox.replies = [Reply(410)]
    endpoint = partner(shop, inbox)
    shop.customer().invite()
    off = endpoint.once(lambda one: one["status"] == "disabled")
    assert "410" in off["disabledReason"]
    waiting = endpoint.delivery(lambda one: one["lastStatus"] == 410)
    assert (waiting["status"], waiting["nextAttemptDateTime"]) == ("pending", None)
    endpoint.let_time_pass()
    wait_for_jobs(shop)
    assert len(inbox.received) == 1
    inbox.replies = [Reply()]
    on = endpoint.do("enable")
    assert (on["status"], on["disabledReason"], on["disabledDateTime"]) == ("enabled", None, None)
    assert endpoint.delivery(lambda one: one["status"] == "delivered")["id"] == waiting["id"]
    assert [one.id for one in inbox.received] == [waiting["id"]] * 2
    endpoint.do("enable")
    assert [one["payload"]["change"] for one in shop.log("PortalSettingsChanged")[1:]] == [
        "webhookendpointcreated",
        "webhookendpointdisabled",
        "webhookendpointenabled",
    ]


def test_one_that_is_down_gets_it_when_it_is_up(shop: Utility) -> None:
    port = free_port()
    endpoint = partner(shop, f"http://127.0.0.1:{port}/events")
    shop.customer().invite()
    down = endpoint.delivery(lambda one: one["lastError"] is not None)
    assert (down["status"], down["lastStatus"]) == ("pending", None)
    assert "cannot be reached" in down["lastError"]
    with receiver(port) as inbox:
        endpoint.let_time_pass()
        assert inbox.wait()[0].verified(endpoint.secret)
        endpoint.delivery(lambda one: one["status"] == "delivered")


@pytest.mark.parametrize("patience", ["120", "date"])
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_heeded_by_everything_that_waits(
    shop: Utility, inbox: Receiver, status: int, patience: str
) -> None:
    after = format_datetime(datetime.now(UTC) + timedelta(seconds=122), usegmt=True) if patience == "date" else patience
    inbox.replies = [Reply(status, {"Retry-After": after}), Reply()]
    endpoint = partner(shop, inbox)
    shop.customer().invite()
    limited = endpoint.delivery(lambda one: one["lastStatus"] == status)
    assert timedelta(seconds=110) < wait(limited) < timedelta(seconds=130)
    shop.customer().invite()
    still(inbox.received, 1, 1.5)
    endpoint.let_time_pass()
    inbox.wait(3)
    wait_for_jobs(shop)
    assert {one["status"] for one in endpoint.deliveries()} == {"delivered"}
    assert len(inbox.received) == 3


@pytest.mark.parametrize("after", ["99999999999999", "-5", "soon", "Thu, 99 Foo 2026"])
def test_an_odd_retry_after_does_no_harm(shop: Utility, inbox: Receiver, after: str) -> None:
    inbox.replies = [Reply(429, {"Retry-After": after})]
    endpoint = partner(shop, inbox)
    shop.customer().invite()
    assert wait(endpoint.delivery(lambda one: one["lastStatus"] == 429)) <= timedelta(hours=24, seconds=5)


def test_a_redirect_is_not_followed(shop: Utility, inbox: Receiver) -> None:
    with receiver() as elsewhere:
        inbox.replies = [Reply(307, {"Location": elsewhere.url}), Reply(302, {"Location": "http://169.254.169.254/"})]
        endpoint = partner(shop, inbox)
        shop.customer().invite()
        assert endpoint.delivery(lambda one: one["lastStatus"] == 307)["status"] == "pending"
        endpoint.let_time_pass()
        assert endpoint.delivery(lambda one: one["lastStatus"] == 302)["status"] == "pending"
        assert elsewhere.received == []


def test_one_that_hangs_is_given_up_in_time(shop: Utility, inbox: Receiver) -> None:
    inbox.replies = [Reply(hangs=True)]
    endpoint = partner(shop, inbox)
    shop.customer().invite()
    slow = endpoint.delivery(lambda one: one["lastError"] is not None)
    assert (slow["lastStatus"], slow["lastError"]) == (None, "It did not answer within 2 seconds.")
    assert wait(slow) < timedelta(seconds=2 + 5 * 1.1 + 1), "the time-out, the wait, and a little"


def test_one_that_drips_its_refusal_is_not_heard_out(shop: Utility, inbox: Receiver) -> None:
    inbox.replies = [Reply(500, body=b"x" * 1000, drips=True)]
    endpoint = partner(shop, inbox)
    shop.customer().invite()
    assert wait(endpoint.attempted(1)) < timedelta(seconds=2 + 5 * 1.1 + 1)


@pytest.mark.parametrize("status", [200, 500])
def test_a_huge_answer_is_not_read(shop: Utility, inbox: Receiver, status: int) -> None:
    inbox.replies = [Reply(status, body=b"A" * 50_000_000)]
    endpoint = partner(shop, inbox)
    shop.customer().invite()
    delivery = endpoint.delivery(lambda one: one["lastStatus"] == status)
    assert delivery["status"] == ("delivered" if status == 200 else "pending")
    assert len(delivery["lastError"] or "") < 250


def test_the_others_do_not_wait_for_one_that_hangs(shop: Utility, inbox: Receiver) -> None:
    with receiver() as hanging:
        hanging.replies = [Reply(hangs=True)]
        stuck, fine = partner(shop, hanging), partner(shop, inbox)
        customers = [shop.customer() for _ in range(30)]
        for customer in customers:
            customer.invite()
        hanging.wait(1)
        inbox.wait(30)
        customers[-1].mail()
        fine.until(lambda found: {one["status"] for one in found} == {"delivered"})
        assert {one["status"] for one in stuck.deliveries()} == {"pending"}
        assert len(hanging.received) <= 16, "a few at once, then it is left alone for a while"
        hanging.replies = [Reply()]
        time.sleep(2)  # whatever hangs at this moment is given up
        stuck.let_time_pass()
        stuck.until(lambda found: {one["status"] for one in found} == {"delivered"})


def test_an_endpoint_deleted_meanwhile_hears_no_more(shop: Utility, inbox: Receiver) -> None:
    inbox.replies = [Reply(500)]
    endpoint = partner(shop, inbox)
    shop.customer().invite()
    endpoint.delivery(lambda one: one["lastStatus"] == 500)
    assert shop.employee().delete(endpoint.path).status_code == 204
    endpoint.let_time_pass()
    wait_for_jobs(shop)
    assert len(inbox.received) == 1


def test_what_waits_goes_to_a_new_url(shop: Utility, inbox: Receiver) -> None:
    inbox.replies = [Reply(500)]
    endpoint = partner(shop, inbox)
    shop.customer().invite()
    waiting = endpoint.delivery(lambda one: one["lastStatus"] == 500)
    with receiver() as moved:
        answer = shop.employee().put(endpoint.path, {"url": moved.url, "types": ["PortalEmailConfirmed"]})
        assert answer.status_code == 200
        endpoint.let_time_pass()
        assert moved.wait()[0].id == waiting["id"]


def test_a_delivery_is_sent_again_under_its_id(shop: Utility, inbox: Receiver) -> None:
    endpoint = partner(shop, inbox)
    shop.customer().invite()
    delivered = endpoint.delivery(lambda one: one["status"] == "delivered")
    answer = endpoint.redeliver(delivered)
    assert (answer.status_code, answer.json()["status"]) == (202, "pending")
    first, second = inbox.wait(2)
    assert first.id == second.id
    assert first.body == second.body
    assert endpoint.delivery(lambda one: one["status"] == "delivered")["attempts"] == 1
    assert len(endpoint.deliveries()) == 1
