"""The platform's own call: signed, kept whole, and the same event when it comes twice."""

import json
from datetime import timedelta
from functools import partial

import pytest

from app.ids import new_id
from tests.journeys.platforms import states
from tests.journeys.reading import refusal
from tests.journeys.test_races import at_once
from tests.support.platform import send, signature
from tests.support.service import listening, test_settings
from tests.support.world import Customer, Utility


def test_an_event_is_kept_whole_and_answered_at_once(customer: Customer) -> None:
    utility = customer.utility
    body = {"_type": "customerdetailschanged", "customerId": str(customer.id), "meter": {"ean": ["541", None, 1.5]}}
    answer = send(utility, json.dumps(body).encode())
    assert answer.status_code == 202
    [kept] = utility.world.sql.rows("SELECT * FROM platform_events WHERE organisation_id = $1", utility.organisation)
    assert str(kept["id"]) == answer.json()["eventId"]
    assert json.loads(kept["body"]) == body
    assert (kept["kind"], kept["customer_id"]) == ("customerdetailschanged", customer.id)
    assert kept["correlation_id"] == answer.headers["x-correlation-id"]


def test_the_signature_counts_with_its_prefix_and_bare_in_any_case(utility: Utility) -> None:
    for number, write in enumerate(["sha256={}", "{}", "sha256={}"]):
        body = json.dumps({"_type": "meterread", "number": number}).encode()
        signed = signature(body) if number < 2 else signature(body).upper()
        assert send(utility, body, {"X-Webhook-Signature-256": write.format(signed)}).status_code == 202


def test_what_the_platform_did_not_sign_is_refused(customer: Customer) -> None:
    body = b'{"_type": "customerdetailschanged"}'
    good = signature(body)
    wrong = [
        None,
        "",
        "sha256=",
        "noise",
        good[:-1],
        f"{good}0",
        f"sha1={good}",
        f"sha256=sha256={good}",
        signature(body + b" "),
        signature(body, "another secret"),
        signature(body, ""),
    ]
    for one in wrong:
        answer = send(customer.utility, body, {} if one is None else {"X-Webhook-Signature-256": one})
        assert refusal(answer) == (401, "UNAUTHENTICATED")
        assert "PORTAL_PLATFORM_WEBHOOK_SECRET" in answer.json()["solution"]
        assert good not in answer.text
    assert states(customer.utility) == []


def test_an_unknown_organisation_is_told_to_the_platform_alone(utility: Utility) -> None:
    body, nobody = b'{"_type": "customercreated"}', new_id()
    assert refusal(send(utility, body, organisation=nobody)) == (404, "RESOURCE_NOT_FOUND")
    assert refusal(send(utility, body, {}, organisation=nobody)) == (401, "UNAUTHENTICATED")


def test_without_a_secret_there_is_no_such_operation(utility: Utility) -> None:
    world = utility.world
    settings = test_settings(
        database_url=str(world.settings.database_url), smtp_url=world.settings.smtp_url, run_worker=False
    )
    body = b'{"_type": "customercreated"}'
    with listening(settings) as (url, _):
        path = f"{url}/api/portal/v1/platform-webhooks/{utility.organisation}"
        for signed in (signature(body), signature(body, "")):
            answer = world.http.post(path, content=body, headers={"X-Webhook-Signature-256": signed})
            assert refusal(answer) == (404, "RESOURCE_NOT_FOUND")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"noise",
        b"[]",
        b"null",
        b"{}",
        b'{"_type": 1}',
        b'{"_type": ""}',
        b'{"_type": "x", "_type": "y"}',
        b'{"_type": "x", "name": "\\u0000"}',
        b'{"_type": "x", "name": "\\ud800"}',
        b'{"_type": "x", "age": NaN}',
        b'{"_type": "x", "age": ' + b"9" * 5000 + b"}",
        b'{"_type": "' + b"x" * 101 + b'"}',
        b'{"_type": "x", "deep": ' + b"[" * 100 + b"]" * 100 + b"}",
    ],
    ids=lambda body: body[:24],
)
def test_what_is_no_event_is_told_so(utility: Utility, body: bytes) -> None:
    assert refusal(send(utility, body)) == (422, "VALIDATION_FAILED")
    assert states(utility) == []


def test_an_event_larger_than_bodies_may_be_is_refused(utility: Utility) -> None:
    body = json.dumps({"_type": "x", "text": "x" * 65_536}).encode()
    assert refusal(send(utility, body)) == (413, "PAYLOAD_TOO_LARGE")


def test_the_same_body_within_five_minutes_is_the_same_event(customer: Customer) -> None:
    utility, sql = customer.utility, customer.utility.world.sql
    body = json.dumps({"_type": "customerdetailschanged", "customerId": str(customer.id)}).encode()
    first, again = send(utility, body), send(utility, body)
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json() == again.json()
    older = "UPDATE platform_events SET received_at = received_at - $2::interval WHERE organisation_id = $1"
    sql.run(older, utility.organisation, timedelta(minutes=4, seconds=55))
    assert send(utility, body).status_code == 200
    sql.run(older, utility.organisation, timedelta(seconds=6))
    later = send(utility, body)
    assert later.status_code == 202
    assert later.json() != first.json()


def test_the_same_body_for_a_sister_is_another_event(utility: Utility) -> None:
    sister = Utility(utility.world, utility.tenant, new_id())
    sister.change_settings()
    body = json.dumps({"_type": "contractsigned", "eventId": str(new_id())}).encode()
    assert [send(one, body).status_code for one in (utility, sister, utility)] == [202, 202, 200]


def test_the_same_body_many_times_at_once_is_kept_once(utility: Utility) -> None:
    body = json.dumps({"_type": "customercreated", "eventId": str(new_id())}).encode()
    answers = at_once([partial(send, utility, body)] * 20)
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [202]
    assert len({answer.content for answer in answers}) == 1
    assert len(states(utility)) == 1
