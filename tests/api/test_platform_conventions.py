"""What all of the platform's existing calls have in common: envelope, keys, content types, what is ignored."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.ids import new_id
from app.permissions import Permission, Role
from tests.api.expect import problem
from tests.api.platform_shapes import customer_of, nothing_in, refused_with
from tests.journeys.front_end import FrontEnd
from tests.journeys.reading import expires_in
from tests.support.world import Client, Customer, Utility

Refusing = Callable[[Customer], httpx.Response]


def _portal_off(customer: Customer) -> httpx.Response:
    customer.utility.change_settings(portalEnabled=False)
    return FrontEnd.of(customer).send("portalconfirmation")


def _portal_url_missing(customer: Customer) -> httpx.Response:
    customer.utility.change_settings(portalUrl=None)
    return FrontEnd.of(customer).send("portalconfirmation")


def _impersonation_off(customer: Customer) -> httpx.Response:
    customer.active().utility.change_settings(impersonationEnabled=False)
    return FrontEnd.of(customer).impersonate()


def _impersonating_the_unconfirmed(customer: Customer) -> httpx.Response:
    customer.registered()
    return FrontEnd.of(customer).impersonate()


def _resetting_the_unconfirmed(customer: Customer) -> httpx.Response:
    customer.registered()
    return FrontEnd.of(customer).send("portalresetpassword")


def _confirming_the_confirmed(customer: Customer) -> httpx.Response:
    return FrontEnd.of(customer.active()).send("portalconfirmation")


def _inviting_nobody(customer: Customer) -> httpx.Response:
    return FrontEnd.of(customer.utility.customer(email=None)).send("portalconfirmation")


def _expired(customer: Customer) -> httpx.Response:
    token = customer.registered()
    expires_in(customer.utility, customer.card()["pendingEmailConfirmation"]["id"], timedelta(seconds=-1))
    return FrontEnd.of(customer).confirm(token)


def _superseded(customer: Customer) -> httpx.Response:
    token = customer.registered()
    nothing_in(FrontEnd.of(customer).send("portalconfirmation"))
    return FrontEnd.of(customer).confirm(token)


def _revoked(customer: Customer) -> httpx.Response:
    token = customer.registered()
    customer_of(FrontEnd.of(customer).details(email="jan.other@example.com"))
    return FrontEnd.of(customer).confirm(token)


def _used(customer: Customer) -> httpx.Response:
    token, page = customer.registered(), FrontEnd.of(customer)
    customer_of(page.confirm(token))
    customer_of(page.details(email="jan.other@example.com"))
    return page.confirm(token)


# Each refusal that the contract gives another key here, and each that keeps its own.
REFUSALS: dict[str, tuple[Refusing, str]] = {
    "PORTAL_NOT_ENABLED": (_portal_off, "FEATURE_NOT_YET_AVAILABLE"),
    "FEATURE_NOT_ENABLED": (_impersonation_off, "FEATURE_NOT_YET_AVAILABLE"),
    "another communication": (lambda customer: FrontEnd.of(customer).send("invoice"), "FEATURE_NOT_YET_AVAILABLE"),
    "TOKEN_INVALID": (lambda customer: FrontEnd.of(customer).confirm("noise"), "CONFIRMATION_TOKEN_MISSING"),
    "TOKEN_EXPIRED": (_expired, "CONFIRMATION_TOKEN_MISSING"),
    "TOKEN_SUPERSEDED": (_superseded, "CONFIRMATION_TOKEN_MISSING"),
    "TOKEN_REVOKED": (_revoked, "CONFIRMATION_TOKEN_MISSING"),
    "TOKEN_USED": (_used, "CONFIRMATION_TOKEN_MISSING"),
    "EMAIL_NOT_CONFIRMED when impersonating": (_impersonating_the_unconfirmed, "EMAIL_CANNOT_BE_CHANGED"),
    "EMAIL_NOT_CONFIRMED when resetting": (_resetting_the_unconfirmed, "EMAIL_CANNOT_BE_CHANGED"),
    "EMAIL_ALREADY_CONFIRMED": (_confirming_the_confirmed, "EMAIL_CANNOT_BE_CHANGED"),
    "PORTAL_URL_MISSING": (_portal_url_missing, "PORTAL_URL_MISSING"),
    "USER_HAS_NO_EMAIL_ADDRESS": (_inviting_nobody, "USER_HAS_NO_EMAIL_ADDRESS"),
    "USER_NOT_FOUND": (lambda customer: FrontEnd.of(customer).reset(), "USER_NOT_FOUND"),
    "FIELD_NOT_AN_EMAILADRESS": (
        lambda customer: FrontEnd.of(customer.active()).details(email="jan at example"),
        "FIELD_NOT_AN_EMAILADRESS",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_has_the_key_that_the_platforms_clients_know(name: str, customer: Customer) -> None:
    refuse, key = REFUSALS[name]
    assert refused_with(refuse(customer)) == [key]


def test_a_refusal_says_in_words_what_to_do(customer: Customer) -> None:
    [message] = FrontEnd.of(customer).reset().json()["errors"]
    assert message["message"] == (
        "The customer has no portal account. Send an invitation so that the customer can register."
    )


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "communicationEmail"),
        ({"communicationEmail": 5}, "communicationEmail"),
        ({"communicationEmail": "jan@example.com", "sendCommunication": "yes"}, "sendCommunication"),
    ],
)
def test_wrong_input_is_a_refusal_that_names_the_field(body: dict[str, Any], field: str, active: Customer) -> None:
    answer = FrontEnd.of(active).post("/portal/reset", body)
    assert refused_with(answer) == ["VALIDATION_FAILED"]
    [message] = answer.json()["errors"]
    assert message["messageValues"] == [{"dataType": "string", "value": field, "capitalize": False}]
    assert active.card()["hasAccount"] is True


@pytest.mark.parametrize("raw", [b"", b"null", b"[]", b"{", b'{"a": 1, "a": 2}', b'{"email": NaN}', b'"\\ud800"'])
def test_what_cannot_be_read_is_a_refusal(raw: bytes, customer: Customer) -> None:
    url = FrontEnd.of(customer).address("/portal/confirm")
    headers = customer.utility.bearer() | {"Content-Type": "application/json"}
    answer = customer.utility.world.http.post(url, content=raw, headers=headers)
    assert refused_with(answer) == ["VALIDATION_FAILED"]


def test_an_id_that_is_none_is_a_refusal(utility: Utility) -> None:
    answer = utility.employee().get(f"{utility.world.url}/api/md/Customers/not-an-id")
    assert refused_with(answer) == ["VALIDATION_FAILED"]


def test_an_unknown_customer_is_told_as_everywhere(utility: Utility) -> None:
    foreign = utility.world.utility().customer()
    for unknown in (Customer(utility, new_id(), {}), Customer(utility, foreign.id, foreign.record)):
        page = FrontEnd.of(unknown, utility.employee())
        for answer in (
            page.client.get(page.address()),
            page.confirm("noise"),
            page.details(email="jan@example.com"),
            page.post("/portal/reset", {"communicationEmail": "jan@example.com"}),
            page.send("portalconfirmation"),
            page.send("invoice"),
            page.impersonate(),
        ):
            problem(answer, 404, "CUSTOMER_DOES_NOT_EXIST")


@pytest.mark.parametrize(
    "media_type", ["application/json", "text/json", "TEXT/JSON; charset=utf-8", "application/merge-patch+json"]
)
def test_json_may_be_called_in_the_platforms_ways(media_type: str, customer: Customer) -> None:
    token, page = customer.registered(), FrontEnd.of(customer)
    headers = customer.utility.bearer() | {"Content-Type": media_type}
    body = json.dumps({"confirmAccountToken": token}).encode()
    answer = customer.utility.world.http.post(page.address("/portal/confirm"), content=body, headers=headers)
    assert customer_of(answer).portalProperties.emailConfirmed is True


@pytest.mark.parametrize("media_type", ["text/plain", "application/xml", "text/json+xml", "nonsense"])
def test_what_is_not_json_is_told_as_everywhere(media_type: str, customer: Customer) -> None:
    headers = customer.utility.bearer() | {"Content-Type": media_type}
    url = FrontEnd.of(customer).address("/portaldetails")
    problem(customer.utility.world.http.post(url, content=b"{}", headers=headers), 415, "UNSUPPORTED_MEDIA_TYPE")


def test_text_json_stays_the_platforms_own(customer: Customer) -> None:
    url = f"{customer.utility.world.url}/api/portal/v1{customer.path}/invitations"
    headers = customer.utility.bearer() | {"Content-Type": "text/json"}
    problem(customer.utility.world.http.post(url, content=b"{}", headers=headers), 415, "UNSUPPORTED_MEDIA_TYPE")


def test_a_large_body_and_a_wrong_method_are_told_as_everywhere(customer: Customer) -> None:
    page = FrontEnd.of(customer)
    problem(page.details(padding="x" * 65_536), 413, "PAYLOAD_TOO_LARGE")
    problem(page.client.delete(page.address()), 405, "METHOD_NOT_ALLOWED")
    problem(page.client.get(f"{customer.utility.world.url}/api/md/Nowhere"), 404, "RESOURCE_NOT_FOUND")


def test_fields_that_nobody_knows_are_ignored(active: Customer) -> None:
    page = FrontEnd.of(active)
    extra = {"status": "active", "organisationId": str(new_id()), "portalProperties": {"emailConfirmed": True}}
    assert customer_of(page.details(**extra)).portalProperties.email == active.email
    assert customer_of(page.post("/portal/reset", {"communicationEmail": active.email} | extra))
    assert active.card()["pendingInvitation"] is None


def test_calls_without_a_body_read_none(customer: Customer) -> None:
    url = FrontEnd.of(customer).address("/send/portalconfirmation")
    headers = customer.utility.bearer() | {"Content-Type": "text/plain"}
    nothing_in(customer.utility.world.http.post(url, content=b"whatever", headers=headers))


def test_the_headers_are_needed_as_everywhere(customer: Customer) -> None:
    page = FrontEnd.of(customer)
    bearer = {"Authorization": customer.utility.bearer()["Authorization"]}
    http = customer.utility.world.http
    problem(http.get(page.address(), headers=bearer), 400, "ORGANISATION_HEADER_INVALID")
    wrong = bearer | {"zf-tuuid": "none", "zf-ouuid": "none"}
    problem(http.get(page.address(), headers=wrong), 400, "ORGANISATION_HEADER_INVALID")


def _bearer(utility: Utility, organisations: list[UUID] | None) -> dict[str, str]:
    token = utility.world.issuer.issue(
        tenant_id=utility.tenant, organisations=organisations, roles=[Role.ADMINISTRATOR], subject="front-end"
    )
    return {"Authorization": f"Bearer {token}"}


def test_sending_may_leave_the_organisation_to_a_bearer_that_has_one(customer: Customer) -> None:
    utility = customer.utility
    page = FrontEnd.of(customer, Client(utility.world, _bearer(utility, [utility.organisation])))
    nothing_in(page.send("portalconfirmation"))
    assert customer.log() == ["PortalInvitationSent"]
    customer.active()
    nothing_in(page.send("portalresetpassword"))
    assert refused_with(page.send("invoice")) == ["FEATURE_NOT_YET_AVAILABLE"]
    problem(page.impersonate(), 400, "ORGANISATION_HEADER_INVALID")


def test_sending_needs_the_headers_of_a_bearer_that_has_several_or_none(customer: Customer) -> None:
    utility = customer.utility
    for organisations in (None, [], [utility.organisation, new_id()]):
        page = FrontEnd.of(customer, Client(utility.world, _bearer(utility, organisations)))
        problem(page.send("portalconfirmation"), 400, "ORGANISATION_HEADER_INVALID")
    half = _bearer(utility, [utility.organisation]) | {"zf-ouuid": str(utility.organisation)}
    problem(
        FrontEnd.of(customer, Client(utility.world, half)).send("portalconfirmation"),
        400,
        "ORGANISATION_HEADER_INVALID",
    )
    assert customer.log() == []


def test_sending_a_reset_needs_its_own_permission(active: Customer) -> None:
    only_inviting = active.utility.employee(None, Permission.PORTAL_INVITE)
    problem(FrontEnd.of(active, only_inviting).send("portalresetpassword"), 403, "PERMISSION_INVALID")
    only_resetting = active.utility.employee(None, Permission.PORTAL_RESET_PASSWORD)
    nothing_in(FrontEnd.of(active, only_resetting).send("portalresetpassword"))
    problem(FrontEnd.of(active, only_resetting).send("portalconfirmation"), 403, "PERMISSION_INVALID")


def test_subscription_keys_are_tolerated(customer: Customer) -> None:
    page = FrontEnd.of(customer)
    found = page.client.get(page.address("?subscription-key=4711"), headers={"apim-sub": "4711"})
    assert customer_of(found).id == customer.id
    assert "4711" not in page.client.get(page.address("/nowhere?subscription-key=4711")).text
