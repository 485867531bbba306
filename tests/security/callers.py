"""Each kind of caller of the service, as Schemathesis takes them: the headers they send, or how they sign."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

from app.permissions import Permission
from app.tokens import Purpose, TokenSigner
from tests.support import mail_provider, platform
from tests.support.world import NEW_PASSWORD, Client, Customer

Headers = Mapping[str, str]
_ENDED = ("/portal/sessions/current", "/portal/impersonations/current/end")


@dataclass(frozen=True)
class Caller:
    """`schemes` are the document's security schemes that they know how to fill; `only` is what they have a right to."""

    schemes: frozenset[str] = frozenset()
    headers: Headers = field(default_factory=dict)
    auth: AuthBase | None = None
    only: str | None = None

    def may_call(self, operation: Mapping[str, Any]) -> bool:
        """Whether the operation is one of theirs."""
        alternatives = operation["security"] or [{}]
        fits = any(set(alternative) == self.schemes for alternative in alternatives)
        return fits and self.only in (None, operation["operationId"])


class Sessions(AuthBase):
    """Sessions of the portal: who has just ended theirs comes in anew."""

    def __init__(self, come_in: Callable[[], Client]) -> None:
        self._come_in = come_in
        self._session = come_in().headers

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(self._session)
        request.register_hook("response", self._look)
        return request

    def _look(self, answer: requests.Response, **_: Any) -> None:
        if answer.ok and urlsplit(answer.url).path.endswith(_ENDED):
            self._session = self._come_in().headers


class Signed(AuthBase):
    """Calls whose body is signed."""

    def __init__(self, headers: Callable[[bytes], Headers]) -> None:
        self._headers = headers

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        body = request.body or b""
        request.headers.update(self._headers(body.encode() if isinstance(body, str) else body))
        return request


def _platform_signature(body: bytes) -> Headers:
    return {"X-Webhook-Signature-256": f"sha256={platform.signature(body)}"}


def _mail_providers_signature(body: bytes) -> Headers:
    return {name: value for name, value in mail_provider.signed(body).items() if name.startswith("X-")}


def with_password(customer: Customer) -> Customer:
    """The customer with an account whose password is the new one; no mail has to arrive for it."""
    utility = customer.utility
    assert customer.import_account().status_code == 201
    assert customer.send_reset().status_code == 201
    sent = "SELECT id FROM tokens WHERE organisation_id = $1 AND customer_id = $2 AND purpose = $3"
    token_id = utility.world.sql.value(sent, utility.organisation, customer.id, Purpose.PASSWORD_RESET)
    signer = TokenSigner(utility.world.settings.secret_keys)
    token = signer.sign(Purpose.PASSWORD_RESET, utility.organisation, token_id)
    assert customer.choose_password(token).status_code == 200
    return customer


def _log_in(customer: Customer) -> Client:
    answer = customer.log_in(password=NEW_PASSWORD)
    assert answer.status_code == 201, answer.text
    return Client(customer.utility.world, {"Authorization": f"Bearer {answer.json()['accessToken']}"})


_EMPLOYEES = frozenset({"bearer", "tenant", "organisation"})
_SESSIONS = frozenset({"portalSession"})

CALLERS: Mapping[str, Callable[[Customer], Caller]] = {
    "employee": lambda customer: Caller(_EMPLOYEES, customer.utility.bearer()),
    "introspecting service": lambda customer: Caller(
        _EMPLOYEES,
        customer.utility.bearer(None, Permission.PORTAL_INTROSPECT, application=True),
        only="introspectSession",
    ),
    "customer": lambda customer: Caller(_SESSIONS, auth=Sessions(lambda: _log_in(customer))),
    "employee as the customer": lambda customer: Caller(
        _SESSIONS, auth=Sessions(lambda: customer.impersonated(accessMode="full"))
    ),
    "employee looking as the customer": lambda customer: Caller(
        _SESSIONS, auth=Sessions(lambda: customer.impersonated(accessMode="readonly"))
    ),
    "anonymous": lambda customer: Caller(frozenset({"tenant", "organisation"}), customer.utility.headers),
    "platform": lambda _: Caller(frozenset({"platformSignature"}), auth=Signed(_platform_signature)),
    "mail provider": lambda _: Caller(
        frozenset({"mailProviderSignature", "mailProviderTimestamp"}), auth=Signed(_mail_providers_signature)
    ),
    "operator": lambda _: Caller(),
}


def lines(value: Any) -> bytes:
    """A body of JSON lines, of which Schemathesis makes one."""
    return json.dumps(value).encode() + b"\n"
