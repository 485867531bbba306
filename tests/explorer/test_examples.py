"""What the explorer fills in works: each operation takes its own examples, for the sample organisation."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from argon2 import PasswordHasher

from app.cli import document_settings
from app.main import create_app
from app.permissions import Role
from app.routers.explorer import Demonstration
from app.seed import ORGANISATION, PASSWORD, TENANT, sample_customers

_ORGANISATION = {"zf-tuuid": str(TENANT), "zf-ouuid": str(ORGANISATION)}
_JAN, _AMELIE = sample_customers()[:2]
_DOCUMENT = create_app(document_settings()).openapi()


def _example(parameter: dict[str, Any]) -> str | None:
    """What stands in a field before anyone types: the first example."""
    choices = [choice["value"] for choice in parameter.get("examples", {}).values()]
    choices += parameter["schema"].get("examples", [])
    return str(choices[0]) if choices else None


def _filled_in() -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Each operation whose address the explorer can fill in: name, method, path and operation."""
    for path, methods in _DOCUMENT["paths"].items():
        for method, operation in methods.items():
            needed = [one for one in operation.get("parameters", ()) if one["required"]]
            values = {one["name"]: _example(one) for one in needed}
            if None not in values.values():
                query = urlencode({one["name"]: values[one["name"]] for one in needed if one["in"] == "query"})
                yield operation["operationId"], method, f"{path.format(**values)}?{query}", operation


def _body(operation: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """The body that the explorer fills in, and the header that says what it is."""
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        example = content.get("example")
        if example is None:
            name = content["schema"]["$ref"].rpartition("/")[2]
            example = _DOCUMENT["components"]["schemas"][name]["examples"][0]
        text = example if isinstance(example, str) else urlencode(example) if "form" in kind else json.dumps(example)
        return text, {"Content-Type": kind}
    return "", {}


_CALLS = list(_filled_in())
# What no example can hold: a token out of a mail, the state of this very moment, a provider's signature.
_REFUSED = {
    **dict.fromkeys(("inspectToken", "register", "confirmEmail", "completePasswordReset"), "TOKEN_INVALID"),
    "redeemImpersonation": "TOKEN_INVALID",
    "sendEmailConfirmation": "EMAIL_ALREADY_CONFIRMED",
    "endOwnImpersonation": "RESOURCE_NOT_FOUND",
    "receiveMailEvents": "RESOURCE_NOT_FOUND",
    "confirmPlatformCustomer": "CONFIRMATION_TOKEN_MISSING",
}


@pytest.fixture
def back_office(demonstration: tuple[str, Demonstration]) -> Iterator[httpx.Client]:
    """An administrator's client; of the samples, Amélie Dubois alone has an account."""
    url, shown = demonstration
    bearer = {"Authorization": f"Bearer {shown.bearer(Role.ADMINISTRATOR)}"}
    account = {
        "email": _AMELIE.email,
        "registeredDateTime": "2026-01-02T09:30:00Z",
        "emailConfirmedDateTime": "2026-01-02T09:40:00Z",
        "passwordHash": PasswordHasher().hash(PASSWORD),
        "live": True,
    }
    with httpx.Client(base_url=url, headers=_ORGANISATION | bearer) as client:
        for customer in (_JAN, _AMELIE):
            answer = client.post(f"/api/portal/v1/customers/{customer.customer_id}/portal/reset")
            assert answer.status_code in (200, 409)
        known = client.post(f"/api/portal/v1/customers/{_AMELIE.customer_id}/portal/accounts", json=account)
        assert known.status_code == 201
        yield client


def _headers(operation: dict[str, Any], back_office: httpx.Client) -> dict[str, str]:
    """Those of the operation's lock."""
    schemes = {scheme for alternative in operation["security"] for scheme in alternative}
    if "portalSession" not in schemes:
        return dict(back_office.headers) if "bearer" in schemes else _ORGANISATION
    given = {"email": _AMELIE.email, "password": PASSWORD}
    opened = back_office.post("/api/portal/v1/portal/sessions", json=given)
    return {"Authorization": f"Bearer {opened.json()['accessToken']}"}


@pytest.mark.parametrize(("name", "method", "path", "operation"), _CALLS, ids=[call[0] for call in _CALLS])
def test_an_operation_takes_its_own_example(
    back_office: httpx.Client, name: str, method: str, path: str, operation: dict[str, Any]
) -> None:
    url = back_office.base_url.join(path)
    body, kind = _body(operation)
    answer = httpx.request(method, url, headers=_headers(operation, back_office) | kind, content=body)
    if name in _REFUSED:
        (refusal,) = answer.json().get("errors") or [answer.json()]
        assert refusal["key"] == _REFUSED[name]
    else:
        assert answer.status_code < 300, answer.text
