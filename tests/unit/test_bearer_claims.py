"""What the claims of a well-signed bearer token mean, and which shapes mean nobody."""

from typing import Any
from uuid import UUID

import pytest

from app.domain.callers import ActorType
from app.errors import Unauthenticated
from app.permissions import ROLES, Permission, Role
from tests.unit.issuing import CLAIMS, ORGANISATION, TENANT, read, refused, token_of, without


@pytest.mark.parametrize(
    "claims",
    [
        {"zf_tenant": "noise"},
        {"zf_tenant": 5},
        {"zf_tenant": None},
        {"zf_tenant": "*"},
        {"zf_organisations": 5},
        {"zf_organisations": None},
        {"zf_organisations": ["noise"]},
        {"zf_organisations": [5]},
        {"zf_organisations": [None]},
        {"zf_organisations": "noise"},
        {"roles": 5},
        {"roles": [[]]},
        {"permissions": 5},
        {"permissions": [{}]},
        {"sub": ""},
        {"sub": 5},
        {"sub": ["employee-7"]},
    ],
    ids=str,
)
def test_a_claim_of_another_shape_is_nobody(claims: dict[str, Any]) -> None:
    refused(token_of(CLAIMS | claims))


@pytest.mark.parametrize("name", [5, ["Eva"], {"first": "Eva"}, True, "Eva\x00Maes", "Eva\r\nMaes", "\x1b[31mEva"])
def test_a_name_of_another_shape_never_reaches_the_log_as_it_is(name: object) -> None:
    try:
        bearer = read(token_of(CLAIMS | {"name": name}))
    except Unauthenticated:
        return
    assert bearer.actor.name is None or (isinstance(bearer.actor.name, str) and bearer.actor.name.isprintable())


def test_roles_and_permissions_that_nobody_knows_are_ignored() -> None:
    claims = CLAIMS | {"roles": ["owner", "readonly", ""], "permissions": ["portal.invite", "portal.*", "*", 5]}
    assert read(token_of(claims)).permissions == ROLES[Role.READONLY] | {Permission.PORTAL_INVITE}
    assert read(token_of(CLAIMS | {"roles": ["Administrator"], "permissions": []})).permissions == frozenset()
    assert read(token_of(without("roles", "permissions"))).permissions == frozenset()


def test_a_star_means_every_organisation_of_the_tenant_alone() -> None:
    for star in ("*", ["*"]):
        bearer = read(token_of(CLAIMS | {"zf_organisations": star}))
        assert bearer.organisation_ids is None
        assert bearer.reaches(TENANT, UUID(int=99))
        assert not bearer.reaches(UUID(int=98), ORGANISATION)


def test_no_organisation_is_none() -> None:
    bearer = read(token_of(CLAIMS | {"zf_organisations": []}))
    assert not bearer.reaches(TENANT, ORGANISATION)


def test_entras_object_id_wins_over_the_subject() -> None:
    assert read(token_of(CLAIMS | {"oid": "entra-1"})).actor.id == "entra-1"
    assert read(token_of(CLAIMS | {"oid": ""})).actor.id == "employee-7"


def test_an_application_is_one_by_its_kind_of_token_alone() -> None:
    assert read(token_of(CLAIMS | {"idtyp": "app", "azp": "partner"})).actor.type is ActorType.APPLICATION
    for kind in ("user", "APP", "", None, ["app"], True):
        assert read(token_of(CLAIMS | {"idtyp": kind})).actor.type is ActorType.EMPLOYEE
