"""Every POST of the back office that creates or sends takes an Idempotency-Key: walked through, each done twice."""

from collections.abc import Callable
from typing import Any

import pytest

from app.main import create_app
from app.permissions import Role
from app.routers.dependencies import BackOffice
from app.routers.openapi import guard
from app.routers.walking import operations
from tests.api.expect import problem
from tests.journeys.mails import once
from tests.support.service import test_settings
from tests.support.world import Customer, Utility
from tests.webhooks.partners import ENDPOINTS, Partner, partner

Deed = tuple[str, dict[str, Any] | None]

# A POST by its verb alone: it changes nothing, and its answer must be of this moment.
READING = {"introspectSession"}


def _posts() -> dict[str, BackOffice]:
    app = create_app(test_settings(database_url="postgresql://nobody@127.0.0.1/none"))
    found = {route.operation_id or route.name: guard(route) for verb, _, route in operations(app) if verb == "POST"}
    return {name: kind for name, kind in found.items() if isinstance(kind, BackOffice)}


POSTS = _posts()


def _revoking(customer: Customer) -> Deed:
    return f"{customer.path}/invitations/{customer.invite()['id']}/revoke", None


def _confirming(customer: Customer) -> Deed:
    customer.registered()
    return f"{customer.path}/email-confirmations", None


def _importing(customer: Customer) -> Deed:
    return f"{customer.path}/accounts", {"email": customer.email, "registeredDateTime": "2021-03-04T09:12:45Z"}


def _reactivating(customer: Customer) -> Deed:
    customer.active()
    other = customer.import_account(live=False).json()
    return f"{customer.path}/accounts/{other['accountId']}/reactivate", None


def _resending(customer: Customer) -> Deed:
    customer.invite()
    return f"{customer.path}/communications/{once(customer, 'successful')['id']}/resend", None


def _logging_out(customer: Customer) -> Deed:
    customer.active().logged_in()
    return f"{customer.path}/logout", None


def _impersonating(customer: Customer) -> Deed:
    return f"{customer.active().path}/impersonation-sessions", {"reason": "Help with an invoice"}


def _ending(customer: Customer) -> Deed:
    started = customer.active().impersonate()
    return f"{customer.path}/impersonation-sessions/{started['id']}/end", None


def _dry_run(customer: Customer) -> Deed:
    return "/organisation/invitation-batches", {"customerIds": [str(customer.id)], "onlyValidate": True}


def _cancelling(customer: Customer) -> Deed:
    path, body = _dry_run(customer)
    return f"{path}/{customer.utility.employee().post(path, body).json()['id']}/cancel", None


def _endpoint(customer: Customer) -> Partner:
    return partner(customer.utility, "https://partner.invalid/events")


def _redelivering(customer: Customer) -> Deed:
    test = _endpoint(customer).do("test")
    return f"{ENDPOINTS}/deliveries/{test['id']}/redeliver", None


# How each operation is done by an administrator; an operation without a row fails the first test.
DEEDS: dict[str, Callable[[Customer], Deed]] = {
    "sendInvitation": lambda customer: (f"{customer.path}/invitations", {"language": "nl-BE"}),
    "revokeInvitation": _revoking,
    "sendPasswordReset": lambda customer: (f"{customer.active().path}/password-resets", None),
    "sendEmailConfirmation": _confirming,
    "resetAccount": lambda customer: (f"{customer.active().path}/reset", {"reason": "Wrong person"}),
    "importAccount": _importing,
    "reactivateAccount": _reactivating,
    "resendCommunication": _resending,
    "logoutCustomer": _logging_out,
    "startImpersonation": _impersonating,
    "endImpersonation": _ending,
    "checkPortalUrl": lambda _customer: ("/organisation/portal-url-checks", None),
    "startInvitationBatch": _dry_run,
    "cancelInvitationBatch": _cancelling,
    "createWebhookEndpoint": lambda _customer: (
        ENDPOINTS,
        {"url": "https://partner.invalid/events", "types": ["PortalInvitationSent"]},
    ),
    "rotateWebhookSecret": lambda customer: (f"{_endpoint(customer).path}/rotate-secret", None),
    "enableWebhookEndpoint": lambda customer: (f"{_endpoint(customer).path}/enable", None),
    "testWebhookEndpoint": lambda customer: (f"{_endpoint(customer).path}/test", None),
    "redeliverWebhook": _redelivering,
    "createRole": lambda _customer: ("/organisation/roles", {"name": "Desk", "permissions": ["portal.read"]}),
    "assignRole": lambda _customer: (
        "/organisation/role-assignments",
        {"subject": "employee-8", "role": Role.USER.value},
    ),
}


def _of_platform(customer: Customer, rest: str, body: dict[str, Any] | None = None) -> Deed:
    return f"{customer.utility.world.url}/api/md/Customers/{customer.id}{rest}", body


def _settings_of_platform(customer: Customer, rest: str, body: dict[str, Any] | None = None) -> Deed:
    return f"{customer.utility.world.url}/api/cfg/PortalSettings{rest}", body


# Refused each time, so that there is no first answer to repeat.
REFUSING = {"sendToPlatformCustomer"}

DEEDS |= {
    "impersonatePlatformCustomer": lambda customer: _of_platform(customer.active(), "/portal/impersonate"),
    "confirmPlatformCustomer": lambda customer: _of_platform(
        customer, "/portal/confirm", {"confirmAccountToken": customer.registered()}
    ),
    "resetPlatformCustomer": lambda customer: _of_platform(
        customer.active(), "/portal/reset", {"communicationEmail": customer.email, "sendCommunication": True}
    ),
    "changePlatformPortalDetails": lambda customer: _of_platform(
        customer.active(), "/portaldetails", {"email": "jan.other@example.com", "sendCommunication": True}
    ),
    "sendPlatformConfirmation": lambda customer: _of_platform(customer, "/send/portalconfirmation"),
    "sendPlatformPasswordReset": lambda customer: _of_platform(customer.active(), "/send/portalresetpassword"),
    "changePlatformPortalSettings": lambda customer: _settings_of_platform(customer, "", {"primaryColor": "#0b6e4f"}),
    "putPlatformPageNotification": lambda customer: _settings_of_platform(
        customer, "/notification", {"pageIdentifier": "login", "notificationType": "warning"}
    ),
    "deletePlatformPageNotification": lambda customer: _settings_of_platform(customer, "/notification/login/delete"),
}


def test_every_post_of_the_back_office_takes_a_key() -> None:
    assert set(DEEDS) == set(POSTS) - READING - REFUSING, "give the operation a row in DEEDS, and its guard an answer"
    assert {name for name, kind in POSTS.items() if kind.answer is None} == READING


def test_the_document_shows_the_key_where_it_is_taken() -> None:
    document = create_app(test_settings(database_url="postgresql://nobody@127.0.0.1/none")).openapi()
    named = {
        operation["operationId"]
        for methods in document["paths"].values()
        for operation in methods.values()
        if "Idempotency-Key" in {parameter["name"] for parameter in operation.get("parameters", ())}
    }
    assert named == set(DEEDS) | REFUSING


def _entries(utility: Utility) -> int:
    """How much is in the log, but for what the mail worker adds in its own time."""
    return int(
        utility.world.sql.value(
            "SELECT count(*) FROM activities WHERE organisation_id = $1 AND type NOT LIKE 'PortalCommunication%ed'"
            " AND type <> 'PortalCommunicationSent'",
            utility.organisation,
        )
    )


@pytest.mark.parametrize("name", DEEDS)
def test_a_repetition_gets_the_first_answer_and_has_no_effect(name: str, customer: Customer) -> None:
    utility, sql = customer.utility, customer.utility.world.sql
    path, body = DEEDS[name](customer)
    employee, key = utility.employee(), {"Idempotency-Key": f"{name}-1"}
    first = employee.post(path, body, headers=key)
    assert (first.status_code, "idempotency-replayed" in first.headers) == (POSTS[name].status, False), first.text
    done = _entries(utility)
    again = employee.post(path, body, headers=key)
    assert (again.status_code, again.headers["idempotency-replayed"]) == (first.status_code, "true")
    assert again.content == first.content
    assert _entries(utility) == done
    problem(employee.post(f"{path}?again=1", body, headers=key), 422, "IDEMPOTENCY_KEY_REUSED")
    [kept] = sql.rows("SELECT body FROM idempotency_answers WHERE organisation_id = $1", utility.organisation)
    for secret in ("#token=", "zfp_", "whsec_"):
        assert secret not in kept["body"]
