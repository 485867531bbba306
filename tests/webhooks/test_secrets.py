"""The signing secret: told once, kept encrypted, replaced without a gap."""

import asyncio
import base64
import logging
from datetime import timedelta
from uuid import UUID

import asyncpg
import httpx
import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from tests.journeys.reading import wait_for_jobs
from tests.journeys.test_races import at_once
from tests.support.databases import Sql
from tests.support.receivers import Receiver
from tests.support.world import Utility
from tests.webhooks.partners import ENDPOINTS, TYPES, Partner, partner

_URL = "https://8.8.8.8/events"


def dump(sql: Sql) -> bytes:
    """Everything that stands in the database."""

    async def read() -> bytes:
        connection = await asyncpg.connect(sql._url)
        try:
            tables = await connection.fetch(
                "SELECT quote_ident(table_name) AS name FROM information_schema.tables"
                " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
            )
            texts = []
            for table in tables:
                rows = await connection.fetch(f"SELECT * FROM {table['name']}")
                texts += [
                    bytes(value) if isinstance(value, bytes) else str(value).encode() for row in rows for value in row
                ]
            return b"\n".join(texts)
        finally:
            await connection.close()

    return asyncio.run(read())


def verifies(endpoint: Partner, inbox: Receiver, secret: str) -> bool:
    """Whether a test that is sent now was signed by this secret too."""
    sent = endpoint.do("test")["id"]
    endpoint.delivery(lambda one: one["id"] == sent and one["status"] == "delivered")
    [message] = [one for one in inbox.received if one.id == sent]
    try:
        message.verified(secret)
    except WebhookVerificationError:
        return False
    return True


def let_overlap_pass(endpoint: Partner) -> None:
    changed = endpoint.utility.world.sql.run(
        "UPDATE webhook_endpoints SET previous_secret_until = now() WHERE id = $1 AND previous_secret_until > now()",
        UUID(endpoint.id),
    )
    assert changed == "UPDATE 1"


def test_the_secret_is_told_once_and_stands_nowhere(
    shop: Utility, inbox: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        endpoint = partner(shop, inbox, types=[])
        first = endpoint.secret
        second = endpoint.do("rotate-secret", headers={"Idempotency-Key": "r"})["secret"]
        endpoint.do("test")
        wait_for_jobs(shop)
    kept = dump(shop.world.sql)
    assert endpoint.id.encode() in kept
    for secret in (first, second):
        raw = base64.b64decode(secret.removeprefix("whsec_"))
        assert len(raw) >= 24
        for form in (secret.encode(), secret[6:].encode(), raw, base64.urlsafe_b64encode(raw), raw.hex().encode()):
            assert form not in kept
        for answer in (endpoint.seen(), endpoint.deliveries(), shop.employee().get(ENDPOINTS).json()):
            assert secret[6:] not in str(answer)
        assert secret[6:] not in caplog.text
        assert not [one for one in inbox.received if secret[6:].encode() in one.body]


def test_after_a_rotation_both_secrets_sign_for_a_day(shop: Utility, inbox: Receiver) -> None:
    endpoint = partner(shop, inbox)
    rotated = endpoint.do("rotate-secret")
    assert rotated["secret"] != endpoint.secret
    assert rotated["secretCreatedDateTime"] > endpoint.created["secretCreatedDateTime"]
    assert verifies(endpoint, inbox, endpoint.secret)
    assert verifies(endpoint, inbox, rotated["secret"])
    assert len(inbox.received[0].headers["webhook-signature"].split()) == 2
    left = shop.world.sql.value(
        "SELECT previous_secret_until - now() FROM webhook_endpoints WHERE id = $1", UUID(endpoint.id)
    )
    assert timedelta(hours=23, minutes=55) < left <= timedelta(hours=24)
    let_overlap_pass(endpoint)
    assert not verifies(endpoint, inbox, endpoint.secret)
    assert verifies(endpoint, inbox, rotated["secret"])


def test_rotations_at_once_leave_two_secrets_that_were_told(shop: Utility, inbox: Receiver) -> None:
    endpoint = partner(shop, inbox)
    told = [answer["secret"] for answer in at_once([lambda: endpoint.do("rotate-secret")] * 6)]
    assert len(set(told)) == 6
    assert sorted(verifies(endpoint, inbox, secret) for secret in told) == [False] * 4 + [True] * 2


def repeat(answers: list[httpx.Response]) -> list[httpx.Response]:
    first, again = answers
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert first.status_code == again.status_code
    return answers


def test_a_repeated_creation_makes_one_and_tells_its_secret_again(shop: Utility) -> None:
    body, key = {"url": _URL, "types": TYPES}, {"Idempotency-Key": "create"}
    first, again = repeat([shop.employee().post(ENDPOINTS, body, headers=key) for _ in range(2)])
    assert first.json() == again.json()
    assert first.json()["secret"].startswith("whsec_")
    assert len(shop.employee().get(ENDPOINTS).json()["results"]) == 1
    endpoint = Partner(shop, first.json())
    endpoint.do("rotate-secret")
    later = shop.employee().post(ENDPOINTS, body, headers=key)
    assert later.json() == first.json() | {"secret": None}, "the secret of then is no more"


def test_a_repeated_rotation_rotates_once(shop: Utility, inbox: Receiver) -> None:
    endpoint, key = partner(shop, inbox), {"Idempotency-Key": "rotate"}
    answers = [shop.employee().post(f"{endpoint.path}/rotate-secret", headers=key) for _ in range(2)]
    first, again = repeat(answers)
    assert first.json() == again.json()
    assert verifies(endpoint, inbox, endpoint.secret), "the one before is still the first"
    assert verifies(endpoint, inbox, first.json()["secret"])


@pytest.mark.parametrize("what", ["test", "enable"])
def test_other_repetitions_are_answered_alike(shop: Utility, inbox: Receiver, what: str) -> None:
    endpoint, key = partner(shop, inbox), {"Idempotency-Key": what}
    first, again = repeat([shop.employee().post(f"{endpoint.path}/{what}", headers=key) for _ in range(2)])
    assert first.json() == again.json()
