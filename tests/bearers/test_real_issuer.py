"""The keys of a real issuer: found, kept, renewed beside the requests, and never guessed."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from app.errors import TemporarilyUnavailable
from app.issuer_keys import IssuerKeys
from tests.bearers.issuer import Issuer


class Watch:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer().running() as running:
        yield running


@pytest.fixture
def watch() -> Watch:
    return Watch()


async def settled(keys: IssuerKeys) -> None:
    """Once no renewal runs any more."""
    if keys._renewal is not None:
        await keys._renewal


def kids(keys: IssuerKeys, kid: str | None) -> list[str | None]:
    """The ids of the keys that are offered for a token with this key id."""
    return [key.kid for key in asyncio.run(keys.keys(kid)).keys]


def test_keys_are_found_by_discovery_once_and_kept(issuer: Issuer, watch: Watch) -> None:
    keys = IssuerKeys(issuer.url, None, watch)
    for _ in range(5):
        assert kids(keys, "first") == ["first"]
    assert issuer.calls == {"/.well-known/openid-configuration": 1, "/keys": 1}


def test_unknown_key_ids_cause_at_most_one_fetch_a_minute(issuer: Issuer, watch: Watch) -> None:
    keys = IssuerKeys(issuer.url, f"{issuer.url}/keys", watch)
    kids(keys, "first")
    watch.seconds += 61
    for number in range(20):
        kids(keys, f"unknown-{number}")
    assert issuer.calls["/keys"] == 2


def test_a_new_key_of_the_issuer_is_found_when_a_token_names_it(issuer: Issuer, watch: Watch) -> None:
    keys = IssuerKeys(issuer.url, None, watch)
    kids(keys, "first")
    issuer.rotate()
    watch.seconds += 61
    assert kids(keys, issuer.key.kid) == [issuer.key.kid]


def test_while_the_issuer_is_away_kept_keys_serve_for_a_day_and_then_nothing_does(issuer: Issuer, watch: Watch) -> None:
    keys = IssuerKeys(issuer.url, None, watch)
    kids(keys, "first")
    issuer.away = True
    watch.seconds += 23 * 3600
    assert kids(keys, "first") == ["first"]
    watch.seconds += 2 * 3600
    with pytest.raises(TemporarilyUnavailable):
        kids(keys, "first")


def test_an_issuer_that_never_answered_lets_nobody_in(issuer: Issuer, watch: Watch) -> None:
    issuer.away = True
    with pytest.raises(TemporarilyUnavailable):
        kids(IssuerKeys(issuer.url, None, watch), "first")


def test_a_discovery_document_of_another_issuer_is_not_believed(issuer: Issuer, watch: Watch) -> None:
    with pytest.raises(TemporarilyUnavailable):
        kids(IssuerKeys(issuer.url.replace("127.0.0.1", "localhost"), None, watch), "first")


@pytest.mark.parametrize("address", ["http://127.0.0.1:port/keys", "http://127.0.0.1/\0", "http://[::1/keys", "keys"])
def test_an_issuer_whose_keys_have_no_address_lets_nobody_in(issuer: Issuer, watch: Watch, address: str) -> None:
    issuer.documents["/.well-known/openid-configuration"] = {"issuer": issuer.url, "jwks_uri": address}
    with pytest.raises(TemporarilyUnavailable):
        kids(IssuerKeys(issuer.url, None, watch), "first")


def test_before_the_first_keys_the_issuer_is_asked_again_soon(issuer: Issuer, watch: Watch) -> None:
    keys = IssuerKeys(issuer.url, f"{issuer.url}/keys", watch)
    issuer.away = True
    for _ in range(5):
        with pytest.raises(TemporarilyUnavailable):
            kids(keys, "first")
    assert issuer.calls["/keys"] == 1
    issuer.away = False
    watch.seconds += 5
    assert kids(keys, "first") == ["first"]


def test_old_keys_serve_while_new_ones_are_fetched_beside_the_request(issuer: Issuer, watch: Watch) -> None:
    keys = IssuerKeys(issuer.url, f"{issuer.url}/keys", watch)

    async def story() -> None:
        await keys.keys("first")
        issuer.rotate()
        issuer.slowness = 2
        watch.seconds += 3601
        began = time.monotonic()
        for _ in range(20):
            assert [key.kid for key in (await keys.keys("first")).keys] == ["first"]
        assert time.monotonic() - began < issuer.slowness, "nobody waits for a slow issuer"
        await settled(keys)
        assert [key.kid for key in (await keys.keys(issuer.key.kid)).keys] == [issuer.key.kid]

    asyncio.run(story())
    assert issuer.calls["/keys"] == 2


def test_an_hour_without_the_issuer_is_one_try_a_minute_and_nobody_waits(issuer: Issuer, watch: Watch) -> None:
    keys = IssuerKeys(issuer.url, f"{issuer.url}/keys", watch)

    async def story() -> None:
        await keys.keys("first")
        issuer.away = True
        watch.seconds += 3600
        for _ in range(10):
            watch.seconds += 60
            for _ in range(5):
                assert [key.kid for key in (await keys.keys("first")).keys] == ["first"]
            await settled(keys)

    asyncio.run(story())
    assert issuer.calls["/keys"] == 11


def test_an_unknown_key_waits_for_one_fetch_that_many_share(issuer: Issuer, watch: Watch) -> None:
    keys = IssuerKeys(issuer.url, f"{issuer.url}/keys", watch)

    async def story() -> None:
        await keys.keys("first")
        issuer.rotate()
        issuer.slowness = 0.2
        watch.seconds += 61
        new = issuer.key.kid
        found = await asyncio.gather(*(keys.keys(new) for _ in range(50)))
        assert {key.kid for one in found for key in one.keys} == {new}

    asyncio.run(story())
    assert issuer.calls["/keys"] == 2


def test_closing_leaves_no_renewal_behind(issuer: Issuer, watch: Watch) -> None:
    keys = IssuerKeys(issuer.url, f"{issuer.url}/keys", watch)

    async def story() -> None:
        await keys.keys("first")
        issuer.slowness = 5
        watch.seconds += 3601
        await keys.keys("first")
        await asyncio.sleep(0.1)
        await keys.close()
        assert len(asyncio.all_tasks()) == 1

    began = time.monotonic()
    asyncio.run(story())
    assert time.monotonic() - began < issuer.slowness


def test_keys_of_other_kinds_and_uses_are_left_out(issuer: Issuer, watch: Watch) -> None:
    usable = issuer.key.as_dict(private=False)
    issuer.more_keys = [
        {"kty": "oct", "kid": "shared", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"},
        {**usable, "kid": "for-encryption", "use": "enc"},
        {"kty": "future", "kid": "of-tomorrow"},
        {"kty": "EC", "kid": "broken", "crv": "P-256"},
    ]
    assert kids(IssuerKeys(issuer.url, None, watch), "first") == ["first"]


@pytest.mark.parametrize("keys", [[], [{"kty": "oct", "kid": "shared", "k": "c2VjcmV0"}], ["text"], "text", None])
def test_an_issuer_without_usable_keys_lets_nobody_in(issuer: Issuer, watch: Watch, keys: object) -> None:
    issuer.documents["/keys"] = {"keys": keys}
    with pytest.raises(TemporarilyUnavailable):
        kids(IssuerKeys(issuer.url, None, watch), "first")
