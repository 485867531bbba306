"""The embedded issuer publishes its keys like a real one: another service can believe it by its address alone."""

from pathlib import Path

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from app.bearers import EmbeddedIssuer, embedded_keys
from app.clock import utc_now
from app.permissions import Role
from app.settings import SettingsError
from tests.bearers.issuer import Issuer
from tests.support.service import SECRET, Process, environment, free_port, listening, test_settings, wait_until_ready
from tests.support.world import World

DISCOVERY = "/.well-known/openid-configuration"


def test_what_is_published_verifies_the_tokens_and_is_no_secret(world: World) -> None:
    found = httpx.get(f"{world.url}{DISCOVERY}").json()
    assert found["issuer"] == world.settings.embedded_issuer
    assert found["jwks_uri"].startswith(found["issuer"])
    keys = httpx.get(f"{world.url}/.well-known/jwks.json").json()
    assert all("d" not in key for key in keys["keys"])
    token = world.utility().bearer()["Authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, KeySet.import_key_set(keys), algorithms=["Ed25519"]).claims
    assert claims["iss"] == found["issuer"]


def test_one_service_believes_another_ones_issuer(world: World, database: str, tmp_path: Path) -> None:
    port, utility = free_port(), world.utility()
    name = f"http://127.0.0.1:{port}"
    variables = environment(world.settings, PORTAL_EMBEDDED_ISSUER=name)
    issuing = Process(["serve", "--no-worker", "--port", str(port)], variables, tmp_path / "issuer.log")
    try:
        wait_until_ready(name)
        believing = test_settings(
            database_url=database,
            data_dir=tmp_path,
            secret_keys=(SECRET[::-1],),
            oidc_issuer=name,
            run_worker=False,
        )
        with listening(believing) as (service, _):
            issuer = EmbeddedIssuer(embedded_keys([SECRET]), "portal-access", utc_now, name)
            token = issuer.issue(tenant_id=utility.tenant, organisations=None, roles=[Role.READONLY])
            path = f"{service}/api/portal/v1/organisation/portal-settings"
            seen = httpx.get(path, headers={"Authorization": f"Bearer {token}"} | utility.headers)
            assert seen.status_code == 200, seen.text
            assert httpx.get(path, headers=utility.bearer()).status_code == 401, "of an issuer by another name"
    finally:
        issuing.stop()


def test_with_a_real_issuer_nothing_is_published(world: World, database: str, tmp_path: Path) -> None:
    with Issuer().running() as issuer:
        settings = test_settings(database_url=database, data_dir=tmp_path, oidc_issuer=issuer.url, run_worker=False)
        with listening(settings) as (url, _):
            for path in (DISCOVERY, "/.well-known/jwks.json"):
                assert httpx.get(f"{url}{path}").status_code == 404


def test_it_is_impossible_in_production(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="PORTAL_OIDC_ISSUER"):
        test_settings(
            environment="production",
            data_dir=tmp_path,
            database_url="postgresql://portal@127.0.0.1/portal",
            smtp_url="smtp://127.0.0.1",
        )
