"""The mail provider's own call: signed, larger than others, and read leniently."""

import base64
import json
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from app.ids import new_id
from app.settings import SettingsError
from tests.api.expect import problem
from tests.journeys.mails import newest
from tests.journeys.test_delivery_reports import bounce, event, invited
from tests.support.mail_provider import URL, send, shown, signed
from tests.support.service import listening, test_settings
from tests.support.world import Customer, World


def test_what_the_provider_did_not_sign_is_refused(world: World, customer: Customer) -> None:
    mail = invited(customer)
    body = json.dumps([bounce(customer, mail)]).encode()
    good = signed(body)
    signature, timestamp = list(good)[:2]
    stranger = ec.generate_private_key(ec.SECP256R1())
    wrong: list[dict[str, str]] = [
        {},
        {name: value for name, value in good.items() if name != signature},
        {name: value for name, value in good.items() if name != timestamp},
        good | {signature: ""},
        good | {signature: "noise"},
        good | {signature: base64.b64encode(b"noise").decode()},
        good | {timestamp: str(int(good[timestamp]) + 1)},
        good | {timestamp: "noise"},
        good | {timestamp: "-1"},
        signed(body + b" "),
        signed(body, key=stranger),
    ]
    for headers in wrong:
        answer = problem(send(world, body, headers), 401, "UNAUTHENTICATED")
        assert "signature" in answer["detail"]
    assert newest(customer)["status"] == "successful"


@pytest.mark.parametrize(("hours", "taken"), [(-24, True), (-25.1, False), (0.1, True), (0.3, False)])
def test_a_signature_counts_for_as_long_as_the_provider_repeats(world: World, hours: float, taken: bool) -> None:
    answer = send(world, b"[]", signed(b"[]", time.time() + hours * 3600))
    if taken:
        assert answer.json() == {"accepted": 0}
    else:
        problem(answer, 401, "UNAUTHENTICATED")


@pytest.mark.parametrize(
    "body", [b"", b"noise", b"{}", b"null", b"\xff", b"[" * 100_000, b"[" + b"9" * 5000 + b"]"], ids=lambda b: b[:8]
)
def test_what_is_no_list_of_events_is_told_so(world: World, body: bytes) -> None:
    problem(send(world, body), 422, "VALIDATION_FAILED")


def test_a_batch_may_be_a_mebibyte_large(world: World, customer: Customer) -> None:
    mail = invited(customer)
    events = [event(customer, new_id(), "delivered") for _ in range(3000)] + [event(customer, mail, "delivered")]
    body = json.dumps(events).encode()
    assert len(body) > 768 * 1024
    assert send(world, body.ljust(1024 * 1024)).json() == {"accepted": 3001}
    assert newest(customer)["deliveredDateTime"]
    problem(send(world, body.ljust(1024 * 1024 + 1)), 413, "PAYLOAD_TOO_LARGE")


def test_without_a_key_of_the_provider_there_is_no_such_operation(world: World) -> None:
    settings = test_settings(
        database_url=str(world.settings.database_url), smtp_url=world.settings.smtp_url, run_worker=False
    )
    with listening(settings) as (url, _):
        problem(world.http.post(url + URL, content=b"[]", headers=signed(b"[]")), 404, "RESOURCE_NOT_FOUND")


def test_another_curve_is_no_key_of_the_provider() -> None:
    with pytest.raises(SettingsError, match="PORTAL_MAIL_EVENTS_PUBLIC_KEY"):
        test_settings(mail_events_public_key=shown(ec.generate_private_key(ec.SECP384R1())))
