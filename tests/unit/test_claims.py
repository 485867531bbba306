"""The claims of a real issuer: by the names that it uses, and only those of access tokens."""

from typing import Any
from uuid import UUID

import pytest

from app.claims import ClaimNames, ClaimRules
from app.domain.callers import ActorType, Bearer
from app.errors import Unauthenticated
from app.permissions import ROLES, Permission, Role
from tests.unit.issuing import CLAIMS, ORGANISATION, TENANT, read, refused, token_of, without

DIRECTORY, PERSON = UUID(int=11), UUID(int=12)
# As Microsoft Entra writes an access token (version 2.0) for an API of one's own.
ENTRA: dict[str, Any] = {
    "aud": "6e74172b-be56-4843-9ff4-e66a39bb12e3",
    "iss": f"https://login.microsoftonline.com/{DIRECTORY}/v2.0",
    "iat": 1537231048,
    "nbf": 1537231048,
    "exp": 1537234948,
    "aio": "AXQAi/8IAAAAtAaZLo3ChMif6KOnttRB7eBq4/DccQzjcJGxPYy",
    "azp": "6731de76-14a6-49ae-97bc-6eba6914391e",
    "azpacr": "1",
    "name": "Eva Maes",
    "oid": str(PERSON),
    "preferred_username": "eva@example.com",
    "rh": "I",
    "scp": "access_as_user",
    "sub": "HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ",
    "tid": str(DIRECTORY),
    "uti": "fqiBqXLPj0eQa82S-IYFAA",
    "ver": "2.0",
}
HEADER = {"typ": "JWT", "alg": "RS256", "kid": "nOo3ZDrODXEK1jKWhXslHR_KXEg"}
MAPPED = ClaimRules(tenant_roles={"Portal.Admin": Role.ADMINISTRATOR, "Portal.Desk": Role.USER})


def entra(rules: ClaimRules | None = None, **claims: Any) -> Bearer:
    return (rules or ClaimRules()).bearer(HEADER, ENTRA | claims)


def test_entras_access_token_is_read_as_it_comes() -> None:
    bearer = entra()
    assert (bearer.actor.type, bearer.actor.id, bearer.actor.name) == (ActorType.EMPLOYEE, str(PERSON), "Eva Maes")
    assert (bearer.tenant_id, bearer.organisation_ids, bearer.permissions) == (DIRECTORY, frozenset(), frozenset())


def test_entras_application_is_called_by_its_client_id() -> None:
    application = {name: value for name, value in ENTRA.items() if name not in ("name", "preferred_username", "scp")}
    bearer = ClaimRules().bearer(HEADER, application | {"idtyp": "app"})
    assert bearer.actor.type is ActorType.APPLICATION
    assert bearer.actor.name == ENTRA["azp"]
    assert entra(name=None).actor.name is None, "an employee's client is not their name"


def test_our_own_claims_win_over_entras() -> None:
    assert entra(zf_tenant=str(TENANT)).tenant_id == TENANT


def test_a_mapped_role_holds_in_the_whole_tenant() -> None:
    bearer = entra(MAPPED, roles=["Portal.Desk", "Somebody.Elses"])
    assert bearer.permissions == ROLES[Role.USER]
    assert bearer.reaches(DIRECTORY, ORGANISATION)
    assert not bearer.reaches(TENANT, ORGANISATION)


def test_a_mapped_role_holds_where_the_token_says_if_it_says_so() -> None:
    bearer = entra(MAPPED, roles=["Portal.Admin"], zf_organisations=[str(ORGANISATION)])
    assert bearer.organisation_ids == frozenset({ORGANISATION})
    assert entra(MAPPED, roles=["Portal.Admin"], zf_organisations=[]).organisation_ids == frozenset()


def test_with_a_mapping_the_built_in_names_mean_nothing() -> None:
    for roles in (["administrator"], ["portal.admin"], "administrator", []):
        bearer = entra(MAPPED, roles=roles)
        assert (bearer.permissions, bearer.organisation_ids) == (frozenset(), frozenset())


def test_without_a_mapping_no_role_reaches_further_than_the_token_names() -> None:
    bearer = entra(roles=["administrator"])
    assert bearer.permissions == ROLES[Role.ADMINISTRATOR]
    assert not bearer.reaches(DIRECTORY, ORGANISATION)


def test_claims_are_found_by_other_names_and_paths() -> None:
    names = ClaimNames(
        subject=("employee_number", "sub"),
        tenant=("https://example.com/tenant",),
        organisations=("utility.organisations",),
        roles=("resource_access.portal.roles", "realm_access.roles"),
        permissions=("scope",),
        name=("display_name",),
    )
    claims = {
        "exp": 1,
        "sub": "s-1",
        "employee_number": "e-9",
        "https://example.com/tenant": str(TENANT),
        "utility": {"organisations": [str(ORGANISATION)]},
        "realm_access": {"roles": ["readonly"]},
        "scope": "openid portal.invite",
        "display_name": "Eva",
        "typ": "Bearer",
    }
    bearer = ClaimRules(names).bearer({}, claims)
    assert (bearer.actor.id, bearer.actor.name, bearer.tenant_id) == ("e-9", "Eva", TENANT)
    assert bearer.organisation_ids == frozenset({ORGANISATION})
    assert bearer.permissions == ROLES[Role.READONLY] | {Permission.PORTAL_INVITE}
    del claims["employee_number"]
    assert ClaimRules(names).bearer({}, claims).actor.id == "s-1"


@pytest.mark.parametrize("broken", [{"realm_access": "roles"}, {"realm_access": []}, {"realm_access": None}, {}])
def test_a_path_that_leads_nowhere_is_a_missing_claim(broken: dict[str, Any]) -> None:
    rules = ClaimRules(ClaimNames(roles=("realm_access.roles",)))
    assert rules.bearer(HEADER, ENTRA | broken).permissions == frozenset()


def test_a_token_that_names_no_organisation_has_none() -> None:
    bearer = read(token_of(without("zf_organisations")))
    assert bearer.organisation_ids == frozenset()
    refused(token_of(CLAIMS | {"zf_organisations": None}))
    refused(token_of(CLAIMS | {"zf_organisations": {"*": True}}))


@pytest.mark.parametrize("kind", ["at+jwt", "AT+JWT", "application/at+jwt", "JWT", "jwt", "application/jwt", None])
def test_an_access_token_calls_itself_one_or_just_a_jwt(kind: str | None) -> None:
    assert read(token_of(typ=kind)).actor.id == "employee-7"


@pytest.mark.parametrize(
    "kind", ["id+jwt", "logout+jwt", "secevent+jwt", "dpop+jwt", "JWS", "", "at", "jwt ", 5, ["JWT"], {"at+jwt": 1}]
)
def test_a_jwt_of_another_kind_is_nobody(kind: object) -> None:
    with pytest.raises(Unauthenticated):
        ClaimRules().bearer({"typ": kind}, CLAIMS)


@pytest.mark.parametrize("header", ["JWT", "at+jwt"])
@pytest.mark.parametrize(
    "mark",
    [
        {"nonce": "n-0S6_WzA2Mj"},
        {"at_hash": "MTIzNDU2Nzg5MDEyMzQ1Ng"},
        {"c_hash": "LDktKdoQak3Pk0cnXxCltA"},
        {"s_hash": "x"},
        {"typ": "ID"},
        {"typ": "ID", "nonce": "n"},
        {"typ": "Refresh"},
        {"typ": None},
        {"token_use": "id"},
        {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}},
    ],
    ids=str,
)
def test_an_id_token_is_no_access_token(mark: dict[str, Any], header: str) -> None:
    refused(token_of(CLAIMS | mark, typ=header))


def test_what_says_that_it_is_an_access_token_may_repeat_the_nonce() -> None:
    assert read(token_of(CLAIMS | {"typ": "Bearer", "nonce": "n-0S6_WzA2Mj"}, typ="JWT"))
    assert read(token_of(CLAIMS | {"token_use": "access"}, typ="JWT"))
