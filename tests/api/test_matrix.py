"""Who may call what: every operation of the application, tried as every kind of caller (contract sections 4, 5, 10)."""

from dataclasses import dataclass
from functools import cache
from uuid import UUID

import httpx
import pytest

from app.bearers import EmbeddedIssuer, embedded_keys
from app.clock import utc_now
from app.ids import new_id
from app.main import create_app
from app.permissions import Permission, Role
from app.routers.openapi import guard
from app.routers.walking import operations
from tests.api.expect import problem
from tests.support.service import test_settings
from tests.support.world import Client, Customer, Utility, World

ANONYMOUS, SESSION, LEAVING, OPERATOR, PROVIDER = "anonymous", "session", "leaving", "operator", "provider"
EITHER, ANYONE = "session or anonymous", "anyone"

# The contract's table, written out. An operation without a row here fails the first test.
TABLE: dict[str, str] = {
    "putCustomer": "customer.write",
    "putCustomers": "customer.write",
    "getCard": "portal.read",
    "sendInvitation": "portal.invite",
    "listInvitations": "portal.read",
    "revokeInvitation": "portal.invite",
    "sendPasswordReset": "portal.resetpassword",
    "sendEmailConfirmation": "portal.invite",
    "resetAccount": "portal.resetaccount",
    "importAccount": "portal.import",
    "listAccounts": "portal.read",
    "reactivateAccount": "portal.resetaccount",
    "listCommunications": "portal.read",
    "resendCommunication": "portal.invite",
    "logoutCustomer": "portal.resetaccount",
    "startImpersonation": "portal.impersonate",
    "listImpersonations": "portal.read",
    "endImpersonation": "portal.impersonate",
    "listOrganisationImpersonations": "portal.activity.read",
    "introspectSession": "portal.introspect",
    "listDocuments": "portal.read",
    "listActivities": "portal.activity.read",
    "getDiagnosis": "portal.read",
    "listOrganisationActivities": "portal.activity.read",
    "verifyActivities": "portal.activity.read",
    "listPortalAccounts": "portal.read",
    "getStatistics": "portal.read",
    "startInvitationBatch": "portal.invite",
    "getInvitationBatch": "portal.invite",
    "listInvitationBatchResults": "portal.invite",
    "cancelInvitationBatch": "portal.invite",
    "watchInvitationBatch": "portal.invite",
    "getPortalSettings": "portal.settings.read",
    "putPortalSettings": "portal.settings.write",
    "checkPortalUrl": "portal.settings.write",
    "listRoles": "access.write",
    "createRole": "access.write",
    "getRole": "access.write",
    "putRole": "access.write",
    "deleteRole": "access.write",
    "listRoleAssignments": "access.write",
    "assignRole": "access.write",
    "removeRoleAssignment": "access.write",
    "findPlatformCustomer": "portal.read",
    "getPlatformCustomerByAccountNumber": "portal.read",
    "getPlatformCustomer": "portal.read",
    "impersonatePlatformCustomer": "portal.impersonate",
    "confirmPlatformCustomer": "portal.invite",
    "resetPlatformCustomer": "portal.resetaccount",
    "changePlatformPortalDetails": "portal.invite",
    "sendPlatformConfirmation": "portal.invite",
    "sendPlatformPasswordReset": "portal.resetpassword",
    "sendToPlatformCustomer": "portal.invite",
    "getPlatformPortalSettings": ANYONE,
    "changePlatformPortalSettings": "portal.settings.write",
    "putPlatformPageNotification": "portal.settings.write",
    "deletePlatformPageNotification": "portal.settings.write",
    "listWebhookEndpoints": "portal.webhooks.write",
    "createWebhookEndpoint": "portal.webhooks.write",
    "getWebhookEndpoint": "portal.webhooks.write",
    "putWebhookEndpoint": "portal.webhooks.write",
    "deleteWebhookEndpoint": "portal.webhooks.write",
    "rotateWebhookSecret": "portal.webhooks.write",
    "enableWebhookEndpoint": "portal.webhooks.write",
    "testWebhookEndpoint": "portal.webhooks.write",
    "listWebhookDeliveries": "portal.webhooks.write",
    "redeliverWebhook": "portal.webhooks.write",
    "receiveMailEvents": PROVIDER,
    "receivePlatformEvent": PROVIDER,
    "inspectToken": ANONYMOUS,
    "register": ANONYMOUS,
    "confirmEmail": ANONYMOUS,
    "resendConfirmation": ANONYMOUS,
    "forgotPassword": ANONYMOUS,
    "completePasswordReset": ANONYMOUS,
    "logIn": ANONYMOUS,
    "redeemImpersonation": ANONYMOUS,
    "listSessions": SESSION,
    "endSession": SESSION,
    "getMe": SESSION,
    "changePassword": SESSION,
    "changeEmail": SESSION,
    "getAccessLog": SESSION,
    "listMyDocuments": SESSION,
    "viewDocument": SESSION,
    "reportError": EITHER,
    "logOut": LEAVING,
    "endOwnImpersonation": LEAVING,
    "getHealth": OPERATOR,
    "getReadiness": OPERATOR,
    "getMetrics": OPERATOR,
    "listCapturedMails": OPERATOR,
    "show_mailbox": OPERATOR,
    "getIssuer": OPERATOR,
    "getIssuerKeys": OPERATOR,
    "showExplorer": OPERATOR,
    "getPartOfDocument": OPERATOR,
}
_READONLY = {"portal.read", "portal.activity.read", "portal.settings.read"}
ROLES: dict[Role, set[str]] = {
    Role.ADMINISTRATOR: {permission.value for permission in Permission},
    # Everything in section 4 but impersonate, import and reset the account.
    Role.USER: _READONLY | {"customer.write", "portal.invite", "portal.resetpassword"},
    Role.READONLY: _READONLY,
}
BODIES: dict[str, dict[str, object]] = {
    "putCustomer": {"accountNumber": "M-1", "displayName": "Matrix"},
    "sendInvitation": {},
    "sendEmailConfirmation": {},
    "importAccount": {"email": "matrix@example.com", "registeredDateTime": "2021-03-04T09:12:45Z"},
    "startInvitationBatch": {"customerIds": [str(new_id())], "onlyValidate": True},
    "putPortalSettings": {"name": "Matrix", "portalEnabled": True, "portalUrl": "https://portal.example.com"},
    "createRole": {"name": "Matrix", "permissions": ["access.write"]},
    "putRole": {"name": "Matrix", "permissions": ["access.write"]},
    "assignRole": {"subject": "employee-matrix", "roleId": str(new_id())},
    "confirmPlatformCustomer": {"confirmAccountToken": "noise"},
    "resetPlatformCustomer": {"communicationEmail": "matrix@example.com"},
    "changePlatformPortalDetails": {},
    "changePlatformPortalSettings": {},
    "putPlatformPageNotification": {"pageIdentifier": "login", "notificationType": "neutral"},
    "createWebhookEndpoint": {"url": "https://8.8.8.8/matrix", "types": ["PortalInvitationBatchStarted"]},
    "putWebhookEndpoint": {"url": "https://8.8.8.8/matrix"},
    "inspectToken": {"token": "noise"},
    "startImpersonation": {"reason": "Looking through the matrix"},
    "redeemImpersonation": {"token": "noise"},
    "register": {"token": "noise", "customerNumber": "1", "password": "seven warm radiators"},
    "confirmEmail": {"token": "noise"},
    "resendConfirmation": {"email": "nobody@example.com"},
    "forgotPassword": {"email": "nobody@example.com"},
    "completePasswordReset": {"token": "noise", "password": "seven warm radiators"},
    "reportError": {"page": "/invoices"},
    "logIn": {"email": "nobody@example.com", "password": "seven warm radiators"},
    "changePassword": {"currentPassword": "seven warm radiators", "password": "seven warm radiators"},
    "changeEmail": {"currentPassword": "seven warm radiators", "email": "matrix@example.com"},
}


@dataclass(frozen=True)
class Operation:
    """One operation of the application."""

    id: str
    method: str
    path: str

    @property
    def who(self) -> str:
        return TABLE[self.id]


@cache
def every_operation() -> tuple[Operation, ...]:
    app = create_app(test_settings(database_url="postgresql://nobody@127.0.0.1/none"))
    return tuple(Operation(route.operation_id or route.name, method, path) for method, path, route in operations(app))


def of(*kinds: str) -> list[Operation]:
    return [one for one in every_operation() if TABLE.get(one.id) in kinds]


def back_office() -> list[Operation]:
    permissions = {permission.value for permission in Permission}
    return [one for one in every_operation() if TABLE.get(one.id) in permissions]


def named(one: object) -> str | None:
    return one.id if isinstance(one, Operation) else None


every_back_office = pytest.mark.parametrize("operation", back_office(), ids=named)
every_anonymous = pytest.mark.parametrize("operation", of(ANONYMOUS), ids=named)
every_session = pytest.mark.parametrize("operation", of(SESSION, LEAVING), ids=named)


@dataclass(frozen=True)
class Scene:
    """A utility with a customer who is logged in, another utility of the same tenant, and a stranger."""

    utility: Utility
    sister: Utility
    stranger: Utility
    customer: Customer
    newcomer: Customer

    def send(self, operation: Operation, headers: dict[str, str], customer: UUID | None = None) -> httpx.Response:
        path = (
            operation.path.replace("{customerId}", str(customer or self._known(operation)))
            .replace("{customeruuid}", str(customer or self._known(operation)))
            .replace("{accountNumber}", self.customer.number)
            .replace("{subType}", "invoice")
            .replace("{pageIdentifier}", "login")
            .replace("{invitationId}", str(new_id()))
            .replace("{accountId}", str(new_id()))
            .replace("{communicationId}", str(new_id()))
            .replace("{sessionId}", str(new_id()))
            .replace("{batchId}", str(new_id()))
            .replace("{roleId}", str(new_id()))
            .replace("{assignmentId}", str(new_id()))
            .replace("{impersonationId}", str(new_id()))
            .replace("{documentId}", str(new_id()))
            .replace("{endpointId}", str(new_id()))
            .replace("{deliveryId}", str(new_id()))
            .replace("{organisationId}", str(self.utility.organisation))
        )
        body = BODIES.get(operation.id)
        if operation.id == "putCustomer":
            body = self.customer.record
        url = f"{self.utility.world.url}{path}"
        if operation.id == "putCustomers":
            body = self.customer.record | {"customerId": str(self.customer.id)}
            headers = headers | {"Content-Type": "application/x-ndjson"}
        form = {"token": "noise"} if operation.id == "introspectSession" else None
        return self.utility.world.http.request(operation.method, url, headers=headers, json=body, data=form)

    def _known(self, operation: Operation) -> UUID:
        """The customer who is logged in, but for what would take the account away."""
        return (self.newcomer if operation.id in ("resetAccount", "resetPlatformCustomer") else self.customer).id

    @property
    def session(self) -> dict[str, str]:
        return self.customer.logged_in().headers


@pytest.fixture(scope="module")
def scene(world: World) -> Scene:
    utility = world.utility()
    sister = Utility(world, utility.tenant, new_id())
    sister.change_settings()
    return Scene(utility, sister, world.utility(), utility.customer().active(), utility.customer())


def let_in(answer: httpx.Response) -> None:
    assert answer.status_code not in (401, 403, 405, 415), answer.text
    assert answer.status_code < 500, answer.text


def forged(utility: Utility) -> dict[str, str]:
    stranger = EmbeddedIssuer(embedded_keys(["somebody-elses-secret-0123456789-qwertz"]), "portal-access", utc_now)
    token = stranger.issue(tenant_id=utility.tenant, organisations=None, roles=[Role.ADMINISTRATOR])
    return utility.headers | {"Authorization": f"Bearer {token}"}


def test_every_operation_stands_in_the_table_and_is_guarded_as_it_says() -> None:
    found = every_operation()
    assert {one.id for one in found} == set(TABLE), "give the operation a row in TABLE, or take the row away"
    app = create_app(test_settings(database_url="postgresql://nobody@127.0.0.1/none"))
    guards = {route.operation_id or route.name: guard(route) for _, _, route in operations(app)}
    kinds = {"Anonymous": ANONYMOUS, "LoggedIn": SESSION, "LoggingOut": LEAVING, "NoneType": OPERATOR}
    kinds |= {"SignedByMailProvider": PROVIDER, "SignedByPlatform": PROVIDER, "Visiting": EITHER}
    kinds |= {"FindingPortal": ANYONE}
    for name, one in guards.items():
        declared = getattr(one, "permission", None) or kinds[type(one).__name__]
        assert declared == TABLE[name], name
    each = 3 + 2 * len(Role) + 2 * len(Permission) + 2 + 3 + 6
    cells = len(back_office()) * each + len(of(ANONYMOUS)) * 6 + len(of(SESSION, LEAVING)) * 9 + len(of(OPERATOR))
    each = 3 + len(Role) + len(Permission) + 2 + 6
    cells = (
        len(back_office()) * each + len(of(ANONYMOUS)) * 6 + len(of(SESSION, LEAVING)) * 9 + len(of(OPERATOR, PROVIDER))
    )
    print(f"the matrix: {len(found)} operations, {cells} cells")  # noqa: T201


@every_back_office
def test_the_back_office_needs_a_genuine_bearer(operation: Operation, scene: Scene) -> None:
    problem(scene.send(operation, scene.utility.headers), 401, "UNAUTHENTICATED")
    problem(scene.send(operation, forged(scene.utility)), 401, "UNAUTHENTICATED")
    problem(scene.send(operation, scene.utility.headers | scene.session), 401, "UNAUTHENTICATED")


@pytest.mark.parametrize("role", Role, ids=str)
@every_back_office
def test_a_role_may_do_what_the_contract_says(operation: Operation, role: Role, scene: Scene) -> None:
    answer = scene.send(operation, scene.utility.bearer(role))
    if operation.who in ROLES[role]:
        let_in(answer)
    else:
        assert operation.who in problem(answer, 403, "PERMISSION_INVALID")["detail"]


@pytest.mark.parametrize("missing", Permission, ids=str)
@every_back_office
@pytest.mark.asvs("8.2.1")
def test_one_missing_permission_closes_its_operations_only(
    operation: Operation, missing: Permission, scene: Scene
) -> None:
    others = [permission for permission in Permission if permission is not missing]
    answer = scene.send(operation, scene.utility.bearer(None, *others))
    if missing.value == operation.who:
        assert missing.value in problem(answer, 403, "PERMISSION_INVALID")["detail"]
    else:
        let_in(answer)


@every_back_office
@pytest.mark.asvs("8.2.1")
def test_its_permission_alone_is_enough(operation: Operation, scene: Scene) -> None:
    let_in(scene.send(operation, scene.utility.bearer(None, Permission(operation.who))))
    problem(scene.send(operation, scene.utility.bearer(None)), 403, "PERMISSION_INVALID")


@pytest.fixture(scope="module")
def assigned(scene: Scene) -> Scene:
    """Subjects with assigned roles: each built-in one, each permission alone, each permission missing."""
    for role in Role:
        scene.utility.assign(f"has-{role}", role)
    for permission in Permission:
        others = [one for one in Permission if one is not permission]
        scene.utility.assign(f"has-{permission}", scene.utility.role(permission, name=f"Only {permission}"))
        scene.utility.assign(f"lacks-{permission}", scene.utility.role(*others, name=f"All but {permission}"))
    return scene


@pytest.mark.parametrize("role", Role, ids=str)
@every_back_office
def test_an_assigned_role_may_do_what_the_contract_says(operation: Operation, role: Role, assigned: Scene) -> None:
    answer = assigned.send(operation, assigned.utility.newcomer(f"has-{role}").headers)
    if operation.who in ROLES[role]:
        let_in(answer)
    else:
        assert operation.who in problem(answer, 403, "PERMISSION_INVALID")["detail"]


@pytest.mark.parametrize("missing", Permission, ids=str)
@every_back_office
def test_one_permission_missing_in_an_assigned_role_closes_its_operations_only(
    operation: Operation, missing: Permission, assigned: Scene
) -> None:
    answer = assigned.send(operation, assigned.utility.newcomer(f"lacks-{missing}").headers)
    if missing.value == operation.who:
        assert missing.value in problem(answer, 403, "PERMISSION_INVALID")["detail"]
    else:
        let_in(answer)


@every_back_office
def test_an_assigned_permission_is_enough_and_ends_at_its_organisation(operation: Operation, assigned: Scene) -> None:
    subject = f"has-{operation.who}"
    let_in(assigned.send(operation, assigned.utility.newcomer(subject).headers))
    for place in (assigned.sister, assigned.stranger):
        problem(assigned.send(operation, place.newcomer(subject).headers), 403, "PERMISSION_INVALID")


@every_back_office
@pytest.mark.asvs("8.4.1")
def test_a_bearer_ends_at_its_organisation_and_tenant(operation: Operation, scene: Scene) -> None:
    mine = scene.utility.bearer()
    for place in (
        scene.sister.headers,
        scene.stranger.headers,
        {"zf-tuuid": str(scene.stranger.tenant), "zf-ouuid": str(scene.utility.organisation)},
        {"zf-tuuid": str(scene.utility.tenant), "zf-ouuid": str(scene.stranger.organisation)},
    ):
        problem(scene.send(operation, mine | place), 403, "PERMISSION_INVALID")
    everywhere = scene.utility.world.issuer.issue(
        tenant_id=scene.utility.tenant, organisations=None, roles=[Role.ADMINISTRATOR]
    )
    of_the_tenant = {"Authorization": f"Bearer {everywhere}"}
    taken = {"zf-tuuid": str(scene.utility.tenant), "zf-ouuid": str(scene.stranger.organisation)}
    problem(scene.send(operation, of_the_tenant | taken), 403, "PERMISSION_INVALID")
    let_in(scene.send(operation, of_the_tenant | scene.utility.headers))


@every_back_office
def test_permission_is_checked_before_existence(operation: Operation, scene: Scene) -> None:
    if not {"{customerId}", "{customeruuid}"} & set(operation.path.split("/")) or operation.id == "putCustomer":
        return
    foreign = scene.stranger.customer().id
    problem(scene.send(operation, scene.utility.bearer(None), new_id()), 403, "PERMISSION_INVALID")
    unknown = problem(scene.send(operation, scene.utility.bearer(), new_id()), 404, "CUSTOMER_DOES_NOT_EXIST")
    hidden = problem(scene.send(operation, scene.utility.bearer(), foreign), 404, "CUSTOMER_DOES_NOT_EXIST")
    own = ("instance", "correlationId")
    assert {k: v for k, v in unknown.items() if k not in own} == {k: v for k, v in hidden.items() if k not in own}


@every_anonymous
def test_an_anonymous_call_needs_the_organisation_and_no_bearer(operation: Operation, scene: Scene) -> None:
    plain = scene.send(operation, scene.utility.headers)
    assert plain.status_code < 500
    assert plain.status_code != 403
    key = plain.json().get("key")
    assert key != "UNAUTHENTICATED"
    for bearer in (scene.utility.bearer(), forged(scene.utility), scene.utility.headers | scene.session):
        again = scene.send(operation, bearer)
        assert (again.status_code, again.json().get("key")) == (plain.status_code, key), "a bearer changes nothing"
    problem(scene.send(operation, {}), 400, "ORGANISATION_HEADER_INVALID")
    mixed = {"zf-tuuid": str(scene.stranger.tenant), "zf-ouuid": str(scene.utility.organisation)}
    problem(scene.send(operation, mixed), 400, "ORGANISATION_HEADER_INVALID")


@every_session
def test_a_portal_call_needs_a_session(operation: Operation, scene: Scene) -> None:
    problem(scene.send(operation, scene.utility.headers), 401, "UNAUTHENTICATED")
    problem(scene.send(operation, scene.utility.bearer()), 401, "UNAUTHENTICATED")
    problem(scene.send(operation, forged(scene.utility)), 401, "UNAUTHENTICATED")
    let_in(scene.send(operation, scene.session))
    let_in(scene.send(operation, scene.utility.headers | scene.session))


@every_session
def test_an_ended_session_opens_nothing(operation: Operation, scene: Scene) -> None:
    ended = scene.session
    assert Client(scene.utility.world, ended).delete("/portal/sessions/current").status_code == 204
    answer = scene.send(operation, ended)
    if operation.id == "endOwnImpersonation":
        problem(answer, 404, "RESOURCE_NOT_FOUND")
    elif operation.who == LEAVING:
        assert answer.status_code == 204, "logging out twice is logged out again"
    else:
        problem(answer, 401, "SESSION_ENDED")


@every_session
@pytest.mark.asvs("8.4.1")
def test_a_session_ends_at_its_organisation(operation: Operation, scene: Scene) -> None:
    for place in (scene.sister.headers, scene.stranger.headers):
        problem(scene.send(operation, scene.session | place), 401, "SESSION_ENDED")


@every_session
def test_a_session_ends_at_its_tenant(operation: Operation, scene: Scene) -> None:
    mixed = {"zf-tuuid": str(scene.stranger.tenant), "zf-ouuid": str(scene.utility.organisation)}
    problem(scene.send(operation, scene.session | mixed), 401, "SESSION_ENDED")


@pytest.mark.parametrize("operation", of(EITHER), ids=named)
def test_an_open_call_takes_a_session_or_the_organisations_headers(operation: Operation, scene: Scene) -> None:
    ended = scene.session
    assert Client(scene.utility.world, ended).delete("/portal/sessions/current").status_code == 204
    for headers in (scene.utility.headers, scene.session, scene.utility.headers | scene.session, ended):
        let_in(scene.send(operation, headers))
    problem(scene.send(operation, {}), 400, "ORGANISATION_HEADER_INVALID")
    mixed = {"zf-tuuid": str(scene.stranger.tenant), "zf-ouuid": str(scene.utility.organisation)}
    problem(scene.send(operation, mixed), 400, "ORGANISATION_HEADER_INVALID")
    for bearer in (scene.utility.bearer(), forged(scene.utility)):
        problem(scene.send(operation, bearer), 401, "UNAUTHENTICATED")
    for place in (scene.sister.headers, scene.stranger.headers, mixed):
        problem(scene.send(operation, scene.session | place), 401, "SESSION_ENDED")
        problem(scene.send(operation, ended | place), 401, "SESSION_ENDED")


@pytest.mark.parametrize("operation", of(ANYONE), ids=named)
def test_what_anyone_may_read_needs_no_bearer_and_no_organisation(operation: Operation, scene: Scene) -> None:
    let_in(scene.send(operation, {}))
    plain = scene.send(operation, scene.utility.headers)
    assert plain.status_code == 200
    for headers in (scene.utility.bearer(), forged(scene.utility), scene.utility.headers | scene.session):
        assert scene.send(operation, headers).content == plain.content, "a bearer changes nothing"
    mixed = {"zf-tuuid": str(scene.stranger.tenant), "zf-ouuid": str(scene.utility.organisation)}
    for headers in (mixed, {"zf-ouuid": str(scene.utility.organisation)}):
        problem(scene.send(operation, headers), 400, "ORGANISATION_HEADER_INVALID")


@pytest.mark.parametrize("operation", of(PROVIDER), ids=named)
def test_a_providers_call_needs_its_signature_and_no_bearer_helps(operation: Operation, scene: Scene) -> None:
    for headers in ({}, scene.utility.headers, scene.utility.bearer(), forged(scene.utility), scene.session):
        problem(scene.send(operation, headers), 401, "UNAUTHENTICATED")


@pytest.mark.parametrize("operation", of(OPERATOR), ids=named)
def test_operators_pages_need_nobody(operation: Operation, scene: Scene) -> None:
    if operation.path.startswith("/mailbox"):
        assert scene.send(operation, {}).status_code == 404, "with an SMTP server there is no captured mail"
    else:
        assert scene.send(operation, {}).status_code == 200
