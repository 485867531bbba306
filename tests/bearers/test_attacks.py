"""Attacks with bearer tokens over HTTP, on a service that believes a real issuer (RFC 8725): all of them end in 401."""

import base64
import hmac
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from app.ids import new_id
from app.permissions import Permission
from tests.api.expect import problem
from tests.bearers.issuer import Issuer
from tests.support.service import listening, test_settings
from tests.support.world import Utility, World
from tests.unit.issuing import part


@dataclass(frozen=True)
class Scene:
    """A service, the issuer that it believes, and a utility to get at."""

    url: str
    issuer: Issuer
    utility: Utility

    @property
    def claims(self) -> dict[str, Any]:
        """All that an administrator's token needs."""
        return {
            "zf_tenant": str(self.utility.tenant),
            "zf_organisations": [str(self.utility.organisation)],
            "roles": ["administrator"],
        }

    def token(self, header: dict[str, Any] | None = None, **claims: Any) -> str:
        return self.issuer.token(header, **self.claims | claims)

    def get(self, token: str, **headers: str) -> httpx.Response:
        path = f"{self.url}/api/portal/v1/organisation/portal-settings"
        return httpx.get(path, headers={"Authorization": f"Bearer {token}"} | self.utility.headers | headers)

    def parts(self) -> tuple[str, str, str]:
        """A genuine token's header, claims and signature."""
        header, claims, signature = self.token().split(".")
        return header, claims, signature


@pytest.fixture(scope="module")
def scene(world: World, database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("real-issuer")
    with Issuer().running() as issuer:
        settings = test_settings(database_url=database, data_dir=folder, oidc_issuer=issuer.url, run_worker=False)
        with listening(settings) as (url, _):
            yield Scene(url, issuer, world.utility())


def _unsigned(alg: str, keep: bool) -> Callable[[Scene], str]:
    def attack(scene: Scene) -> str:
        _, claims, signature = scene.parts()
        return f"{part({'alg': alg, 'kid': scene.issuer.key.kid})}.{claims}.{signature if keep else ''}"

    return attack


def _public_key_as_secret(scene: Scene) -> str:
    _, claims, _ = scene.parts()
    text = f"{part({'alg': 'HS256', 'kid': scene.issuer.key.kid})}.{claims}"
    signature = hmac.digest(scene.issuer.key.as_pem(private=False), text.encode(), "sha256")
    return f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def _own_key(**header: Any) -> Callable[[Scene], str]:
    def attack(scene: Scene) -> str:
        mine = RSAKey.generate_key(2048)
        brought = {name: mine.as_dict(private=False) if name == "jwk" else value for name, value in header.items()}
        claims = json.loads(base64.urlsafe_b64decode(scene.parts()[1] + "=="))
        head = {"alg": "RS256", "kid": scene.issuer.key.kid} | brought
        return jwt.encode({name: value for name, value in head.items() if value is not None}, claims, mine)

    return attack


def _changed_claims(scene: Scene) -> str:
    header, claims, signature = scene.parts()
    read = json.loads(base64.urlsafe_b64decode(claims + "=="))
    return f"{header}.{part(read | {'roles': ['administrator'], 'sub': 'someone-else'})}.{signature}"


def _shared_secret(scene: Scene) -> str:
    claims = json.loads(base64.urlsafe_b64decode(scene.parts()[1] + "=="))
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key("portal-access-portal-access-0123"))


def _with(header: dict[str, Any] | None = None, **claims: Any) -> Callable[[Scene], str]:
    return lambda scene: scene.token(header, **claims)


ATTACKS: dict[str, Callable[[Scene], str]] = {
    "alg none": _unsigned("none", keep=False),
    "alg None with a signature": _unsigned("None", keep=True),
    "alg empty": _unsigned("", keep=True),
    "public key as HMAC secret": _public_key_as_secret,
    "HMAC with a guess": _shared_secret,
    "another RSA algorithm": _with({"alg": "RS512"}),
    "another padding than the key's": _with({"alg": "PS256"}),
    "another's key under the issuer's kid": _own_key(),
    "another's key without kid": _own_key(kid=None),
    "unknown kid": _own_key(kid="unknown"),
    "kid as a path": _own_key(kid="../../dev/null"),
    "jwk in the header": _own_key(jwk=True),
    "jku in the header": _own_key(jku="https://evil.example.com/keys"),
    "x5u in the header": _own_key(x5u="https://evil.example.com/cert.pem"),
    "unknown crit": _with({"crit": ["zf"], "zf": 1}),
    "changed claims": _changed_claims,
    "another issuer": _with(iss="https://issuer.example.com"),
    "an issuer that begins like ours": lambda scene: scene.token(iss=f"{scene.issuer.url}.evil.example.com"),
    "half of the issuer": lambda scene: scene.token(iss=scene.issuer.url[:-1]),
    "a list with the issuer": lambda scene: scene.token(iss=[scene.issuer.url]),
    "no issuer": _with(iss=None),
    "another audience": _with(aud="another-service"),
    "half of the audience": _with(aud="portal"),
    "no audience": _with(aud=None),
    "expired": _with(exp=1_500_000_000),
    "not yet valid": _with(nbf=4_000_000_000),
    "no expiry": _with(exp=None),
    "no subject": _with(sub=None),
    "ID token by its nonce": _with(nonce="n-0S6_WzA2Mj"),
    "ID token by its at_hash": _with(at_hash="MTIzNDU2Nzg5MDEyMzQ1Ng"),
    "ID token by its type": _with({"typ": "id+jwt"}),
    "ID token by its typ claim": _with(typ="ID"),
    "logout token": _with({"typ": "logout+jwt"}),
    "the embedded issuer's token": lambda scene: scene.utility.bearer()["Authorization"].removeprefix("Bearer "),
}


def test_the_issuers_token_opens_the_door(scene: Scene) -> None:
    assert scene.get(scene.token()).status_code == 200
    assert scene.get(scene.token({"typ": "at+jwt"})).status_code == 200


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
@pytest.mark.asvs("9.1.1", "9.1.2", "9.1.3", "9.2.1", "9.2.3")
def test_an_attack_ends_in_401(scene: Scene, attack: Callable[[Scene], str]) -> None:
    problem(scene.get(attack(scene)), 401, "UNAUTHENTICATED")


def test_all_attacks_together_ask_the_issuer_once_a_minute_at_most(scene: Scene) -> None:
    scene.get(scene.token())
    before, began = scene.issuer.calls["/keys"], time.monotonic()
    for attack in ATTACKS.values():
        scene.get(attack(scene))
    assert scene.issuer.calls["/keys"] - before <= 1 + (time.monotonic() - began) // 60


def test_the_token_ends_at_its_tenant_and_organisation(scene: Scene, world: World) -> None:
    other = world.utility()
    problem(scene.get(scene.token(), **other.headers), 403, "PERMISSION_INVALID")
    problem(scene.get(scene.token(zf_tenant=str(new_id()))), 403, "PERMISSION_INVALID")


def test_entras_names_and_words_of_ones_own_are_a_setting(
    scene: Scene, world: World, database: str, tmp_path: Path
) -> None:
    settings = test_settings(
        database_url=database,
        data_dir=tmp_path,
        oidc_issuer=scene.issuer.url,
        oidc_roles="Portal.Admin=administrator, Portal.Reader = readonly",
        run_worker=False,
    )
    utility, person = scene.utility, str(new_id())
    token = scene.issuer.token(tid=str(utility.tenant), oid=person, roles=["Portal.Reader"], name="Eva Maes")
    administrator = scene.issuer.token(tid=str(utility.tenant), roles=["administrator"])
    with listening(settings) as (url, _):
        mapped = Scene(url, scene.issuer, utility)
        assert mapped.get(token).status_code == 200
        problem(mapped.get(administrator), 403, "PERMISSION_INVALID")
        body = {"name": "Hello"}
        path = f"{url}/api/portal/v1/organisation/portal-settings"
        headers = {"Authorization": f"Bearer {token}"} | utility.headers
        problem(httpx.put(path, headers=headers, json=body), 403, "PERMISSION_INVALID")
        utility.assign(person, utility.role(Permission.PORTAL_SETTINGS_WRITE))
        assert httpx.put(path, headers=headers, json=body).status_code == 200
    (change, *_) = utility.log("PortalSettingsChanged")[-1:]
    assert change["actor"] == {"type": "employee", "id": person, "name": "Eva Maes"}
