"""Bearer tokens of a real issuer: its keys are found, kept, renewed and never guessed."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.errors import TemporarilyUnavailable
from app.ids import new_id
from app.issuer_keys import IssuerKeys
from tests.bearers.issuer import Issuer
from tests.support.service import listening, test_settings
from tests.support.world import World


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


def kids(keys: IssuerKeys, kid: str | None) -> list[str | None]:
    """The ids of the keys that are offered for a token with this key id."""
    return [key.kid for key in asyncio.run(keys.keys(kid)).keys]


def test_a_service_with_a_real_issuer_believes_it_and_no_longer_the_embedded_one(
    issuer: Issuer, world: World, database: str, tmp_path: Path
) -> None:
    utility = world.utility()
    settings = test_settings(database_url=database, data_dir=tmp_path, oidc_issuer=issuer.url, run_worker=False)
    claims = {"zf_tenant": str(utility.tenant), "zf_organisations": ["*"], "roles": ["readonly"], "name": "Eva"}
    with listening(settings) as (url, _):
        path = f"{url}/api/portal/v1/organisation/portal-settings"
        real = {"Authorization": f"Bearer {issuer.token(**claims)}"} | utility.headers
        assert httpx.get(path, headers=real).status_code == 200
        assert httpx.get(path, headers=utility.bearer()).status_code == 401
        for wrong in ({"iss": "https://other.example.com"}, {"aud": "another-service"}, {"exp": 1}):
            headers = {"Authorization": f"Bearer {issuer.token(**claims | wrong)}"} | utility.headers
            assert httpx.get(path, headers=headers).status_code == 401
        foreign = {"Authorization": f"Bearer {issuer.token(**claims | {'zf_tenant': str(new_id())})}"}
        assert httpx.get(path, headers=foreign | utility.headers).status_code == 403
    assert issuer.calls["/keys"] == 1


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
