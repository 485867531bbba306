"""Bearer tokens under attack (RFC 8725): whatever is not exactly right is nobody."""

import base64
import hmac
import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws, jwt
from joserfc.jwk import OKPKey, RSAKey

from app.bearers import BearerVerifier, EmbeddedIssuer, embedded_keys
from app.domain.callers import ActorType
from app.errors import Unauthenticated
from app.issuer_keys import FixedKeys
from app.permissions import ROLES, Permission, Role
from app.settings import EMBEDDED_ISSUER
from tests.unit.issuing import (
    CLAIMS,
    KEY,
    KEYS,
    NOW,
    ORGANISATION,
    SECRET,
    TENANT,
    Clock,
    part,
    raw,
    read,
    refused,
    signed,
    token_of,
    verifier,
    without,
)


def test_a_genuine_token_says_who_it_is() -> None:
    bearer = read(token_of(CLAIMS | {"name": "Eva Maes"}))
    assert (bearer.actor.type, bearer.actor.id, bearer.actor.name) == (ActorType.EMPLOYEE, "employee-7", "Eva Maes")
    assert (bearer.tenant_id, bearer.organisation_ids) == (TENANT, frozenset({ORGANISATION}))
    assert bearer.permissions == ROLES[Role.READONLY]
    assert read(raw({"alg": "Ed25519", "kid": KEY.kid})) == read(token_of())


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", ""])
def test_a_token_without_a_signature_is_nobody(alg: str) -> None:
    head, body = part({"alg": alg, "kid": KEY.kid, "typ": "at+jwt"}), part(CLAIMS)
    genuine = token_of().rpartition(".")[2]
    for signature in ("", genuine):
        refused(f"{head}.{body}.{signature}")
    refused(f"{head}.{body}")


@pytest.mark.parametrize("kid", [KEY.kid, None])
def test_the_public_key_is_no_shared_secret(kid: str | None) -> None:
    public = KEY.as_dict(private=False)
    pem = OKPKey.import_key(public).as_pem(private=False)
    header = {"alg": "HS256", "typ": "at+jwt"} | ({"kid": kid} if kid else {})
    text = f"{part(header)}.{part(CLAIMS)}"
    for secret in (
        str(public["x"]).encode(),
        base64.urlsafe_b64decode(str(public["x"]) + "="),
        pem,
        json.dumps(public).encode(),
    ):
        signature = hmac.digest(secret, text.encode(), "sha256")
        refused(f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}")


def test_another_algorithm_of_the_same_family_is_nobody() -> None:
    refused(jwt.encode({"alg": "RS256", "kid": KEY.kid}, CLAIMS, RSAKey.generate_key(2048), algorithms=["RS256"]))
    refused(raw({"alg": "EdDSA", "kid": KEY.kid}))
    refused(raw({"alg": "Ed448", "kid": KEY.kid}))


def test_a_strangers_key_is_nobody() -> None:
    stranger = OKPKey.generate_key("Ed25519")
    refused(token_of(key=stranger))
    refused(token_of(key=stranger, kid=stranger.thumbprint()))
    refused(token_of(kid="unknown"))
    refused(token_of(kid=f"{KEY.kid}x"))


@pytest.mark.parametrize("kid", [5, None, [], {}, "", "../../etc/passwd", "' OR 1=1 --", "\x00"])
def test_a_strange_key_id_is_nobody_or_our_only_key(kid: object) -> None:
    header = {"alg": "Ed25519", "kid": kid}
    try:
        assert read(raw(header)).actor.id == "employee-7"
    except Unauthenticated:
        return
    assert kid in (None, ""), "only a missing id may fall back to our own key"


def test_a_key_that_the_token_brings_along_is_not_looked_at() -> None:
    stranger = OKPKey.generate_key("Ed25519")
    brought = {
        "jwk": stranger.as_dict(private=False),
        "jku": "https://evil.example.com/jwks.json",
        "x5u": "https://evil.example.com/cert.pem",
        "x5c": ["MIIB"],
    }
    for name, value in brought.items():
        for kid in (KEY.kid, stranger.thumbprint(), None):
            header = {"alg": "Ed25519", name: value} | ({"kid": kid} if kid else {})
            refused(signed(header, CLAIMS, stranger))


@pytest.mark.parametrize("critical", [["exp"], ["b64"], ["zf"], [], "exp", None, [1]])
def test_an_extension_that_must_be_understood_is_not(critical: object) -> None:
    refused(raw({"alg": "Ed25519", "kid": KEY.kid, "crit": critical, "zf": 1}))


def test_an_unencoded_payload_is_nobody() -> None:
    refused(raw({"alg": "Ed25519", "kid": KEY.kid, "b64": False, "crit": ["b64"]}))


@pytest.mark.parametrize(
    "issuer", ["", "urn:portal-access", EMBEDDED_ISSUER + "/", EMBEDDED_ISSUER.upper(), [EMBEDDED_ISSUER], None, 1]
)
def test_the_issuer_is_compared_exactly(issuer: object) -> None:
    refused(token_of(CLAIMS | {"iss": issuer}))


@pytest.mark.parametrize("audience", ["", "portal", "portal-access ", "PORTAL-ACCESS", [], ["other"], None, 1, {}])
def test_the_audience_is_compared_exactly(audience: object) -> None:
    refused(token_of(CLAIMS | {"aud": audience}))


def test_one_audience_of_several_is_enough() -> None:
    assert read(token_of(CLAIMS | {"aud": ["other", "portal-access"]})).tenant_id == TENANT


@pytest.mark.parametrize("missing", ["iss", "aud", "exp", "sub", "zf_tenant"])
def test_what_is_needed_must_be_there(missing: str) -> None:
    refused(token_of(without(missing)))


def test_times_have_a_minute_of_leeway() -> None:
    now = int(NOW.timestamp())
    assert read(token_of(CLAIMS | {"exp": now - 30}))
    assert read(token_of(CLAIMS | {"nbf": now + 30}))
    refused(token_of(CLAIMS | {"exp": now - 61}))
    refused(token_of(CLAIMS | {"nbf": now + 61}))
    refused(token_of(CLAIMS | {"nbf": now + 3600}))


@pytest.mark.parametrize("wrong", ["soon", None, [], {}, "9999999999", True, 1e400, -1, 0])
@pytest.mark.parametrize("claim", ["exp", "nbf"])
def test_a_time_that_is_none_is_refused(claim: str, wrong: object) -> None:
    if claim == "nbf" and wrong in (-1, 0, None):
        return
    refused(raw({"alg": "Ed25519", "kid": KEY.kid}, CLAIMS | {claim: wrong}))


def test_a_remembered_token_ends_in_time_as_well() -> None:
    clock = Clock()
    mine, token = verifier(clock), token_of()
    assert read(token, mine) == read(token, mine)
    clock.now = NOW + timedelta(seconds=3600 + 59)
    assert read(token, mine)
    clock.now = NOW + timedelta(seconds=3600 + 61)
    refused(token, mine)
    refused(token, mine)


def test_a_token_not_yet_valid_is_looked_at_again_later() -> None:
    clock = Clock()
    mine, token = verifier(clock), token_of(CLAIMS | {"nbf": int(NOW.timestamp()) + 600})
    refused(token, mine)
    clock.now = NOW + timedelta(seconds=600)
    assert read(token, mine)


def test_what_the_embedded_issuer_issues_is_read_back() -> None:
    issuer = EmbeddedIssuer(KEYS, "portal-access", Clock())
    token = issuer.issue(
        tenant_id=TENANT,
        organisations=None,
        roles=[Role.USER],
        permissions=[Permission.PORTAL_IMPERSONATE],
        subject="app-1",
        name="Billing",
        application=True,
    )
    bearer = read(token)
    assert (bearer.actor.type, bearer.actor.id, bearer.actor.name) == (ActorType.APPLICATION, "app-1", "Billing")
    assert bearer.permissions == ROLES[Role.USER] | {Permission.PORTAL_IMPERSONATE}
    assert bearer.organisation_ids is None


def test_every_key_of_the_ring_verifies_and_a_removed_one_does_not() -> None:
    other = "another-secret-of-the-unit-tests-987654"
    ring = BearerVerifier(
        keys=FixedKeys(embedded_keys([other, SECRET])), issuer=EMBEDDED_ISSUER, audience="portal-access", clock=Clock()
    )
    assert read(token_of(), ring)
    refused(token_of(), verifier(secret=other))


def test_all_nodes_derive_the_same_key() -> None:
    assert embedded_keys([SECRET]).as_dict(private=True) == embedded_keys([SECRET]).as_dict(private=True)
    assert SECRET not in json.dumps(embedded_keys([SECRET]).as_dict(private=True))


def test_a_token_of_another_shape_is_nobody() -> None:
    token = token_of()
    for noise in (
        "",
        ".",
        "..",
        "a.b.c",
        token + ".",
        "." + token,
        token + "=",
        token[:-1],
        token * 200,
        "\ud800",
        "é",
    ):
        refused(noise)
    whole = jws.serialize_json({"protected": {"alg": "Ed25519", "kid": KEY.kid}}, b"{}", KEY, algorithms=["Ed25519"])
    refused(json.dumps(whole))
    payloads: tuple[object, ...] = ([], "text", 5, None)
    for payload in payloads:
        refused(raw({"alg": "Ed25519", "kid": KEY.kid}, payload))


@given(st.text(max_size=200))
def test_noise_is_nobody(noise: str) -> None:
    refused(noise)
