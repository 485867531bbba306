"""The people of the tests: a utility with its employees and customers, each with a client of their own."""

import secrets
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx

from app.bearers import EmbeddedIssuer, embedded_keys
from app.clock import utc_now
from app.ids import new_id
from app.permissions import Permission, Role
from app.settings import Settings
from tests.support.databases import Sql
from tests.support.mail import Mail, Mailbox

PASSWORD = "seven warm radiators"
NEW_PASSWORD = "nine cold windmills"


@dataclass(frozen=True)
class World:
    """A running service with its database and its mail server."""

    url: str
    settings: Settings
    sql: Sql
    mailbox: Mailbox
    http: httpx.Client
    issuer: EmbeddedIssuer = field(init=False)

    def __post_init__(self) -> None:
        keys = embedded_keys(self.settings.secret_keys)
        object.__setattr__(self, "issuer", EmbeddedIssuer(keys, self.settings.oidc_audience, utc_now))

    def utility(self, **settings: Any) -> "Utility":
        """A new organisation of a new tenant, with its portal switched on."""
        utility = Utility(self, new_id(), new_id())
        utility.change_settings(**settings)
        return utility


@dataclass(frozen=True)
class Utility:
    """An organisation. `employee()` and `portal` are clients that speak for its people."""

    world: World
    tenant: UUID
    organisation: UUID

    @property
    def headers(self) -> dict[str, str]:
        return {"zf-tuuid": str(self.tenant), "zf-ouuid": str(self.organisation)}

    def bearer(self, role: Role | None = Role.ADMINISTRATOR, *permissions: Permission, **claims: Any) -> dict[str, str]:
        """Headers of an employee (or application) of this organisation."""
        given: dict[str, Any] = {"subject": "employee-7", "name": "Eva Maes"} | claims
        token = self.world.issuer.issue(
            tenant_id=self.tenant,
            organisations=[self.organisation],
            roles=[role] if role else [],
            permissions=permissions,
            **given,
        )
        return {"Authorization": f"Bearer {token}"} | self.headers

    def employee(self, role: Role | None = Role.ADMINISTRATOR, *permissions: Permission, **claims: Any) -> "Client":
        """Someone of the back office."""
        return Client(self.world, self.bearer(role, *permissions, **claims))

    def newcomer(self, subject: str, *permissions: Permission, role: Role | None = None) -> "Client":
        """Someone of the tenant whose token names no organisation: what they may do here, an assignment gives them."""
        token = self.world.issuer.issue(
            tenant_id=self.tenant,
            organisations=[],
            roles=[role] if role else [],
            permissions=permissions,
            subject=subject,
            name="Noor Jansen",
        )
        return Client(self.world, {"Authorization": f"Bearer {token}"} | self.headers)

    def role(self, *permissions: Permission, name: str = "Service desk") -> str:
        """A new role of the organisation's own; its id."""
        body = {"name": name, "permissions": [permission.value for permission in permissions]}
        answer = self.employee().post("/organisation/roles", body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def assign(self, subject: str, role: Role | str) -> str:
        """Give someone a role: a built-in one, or one of the organisation's own by its id. The assignment's id."""
        given = {"role": role.value} if isinstance(role, Role) else {"roleId": role}
        answer = self.employee().post("/organisation/role-assignments", {"subject": subject} | given)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def log(self, kind: str) -> list[dict[str, Any]]:
        """The organisation's activities of one type, oldest first."""
        answer = self.employee().get(f"/organisation/activities?pageSize=200&type={kind}")
        assert answer.status_code == 200, answer.text
        return list(reversed(answer.json()["results"]))

    @property
    def portal(self) -> "Client":
        """The portal, before anyone has logged in."""
        return Client(self.world, self.headers)

    def change_settings(self, **given: Any) -> None:
        """Replace the organisation's settings; the portal is on unless told otherwise."""
        settings = {"name": "Zonneveld Warmte", "portalEnabled": True, "portalUrl": "https://portal.example.com"}
        answer = self.employee().put("/organisation/portal-settings", settings | given)
        assert answer.status_code in (200, 201), answer.text

    def customer(self, **given: Any) -> "Customer":
        """A new customer with a number and an address of their own."""
        customer = self.new_customer(**given)
        assert customer.save().status_code == 201
        return customer

    def new_customer(self, **given: Any) -> "Customer":
        """The same, of whom the service does not know yet."""
        number = str(secrets.randbelow(90_000_000) + 10_000_000)
        record = {
            "accountNumber": number,
            "displayName": "Jan Peeters",
            "email": f"jan.{number}@example.com",
            "language": "en-GB",
        } | given
        return Customer(self, new_id(), record)


@dataclass(frozen=True)
class Client:
    """Calls the API with someone's headers; paths are relative to /api/portal/v1."""

    world: World
    headers: dict[str, str]

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str], **given: Any) -> httpx.Response:
        url = path if path.startswith("http") else f"{self.world.url}/api/portal/v1{path}"
        content = {"json": body} if body is not None else {}
        return self.world.http.request(method, url, headers=self.headers | headers, **content, **given)

    def get(self, path: str, **given: Any) -> httpx.Response:
        return self._send("GET", path, None, given.pop("headers", {}), **given)

    def post(self, path: str, body: Any = None, **given: Any) -> httpx.Response:
        return self._send("POST", path, body, given.pop("headers", {}), **given)

    def put(self, path: str, body: Any = None, **given: Any) -> httpx.Response:
        return self._send("PUT", path, body, given.pop("headers", {}), **given)

    def delete(self, path: str, **given: Any) -> httpx.Response:
        return self._send("DELETE", path, None, given.pop("headers", {}), **given)


@dataclass(frozen=True)
class Customer:
    """A customer, and what they and their utility do about the portal."""

    utility: Utility
    id: UUID
    record: dict[str, Any]

    @property
    def path(self) -> str:
        return f"/customers/{self.id}/portal"

    @property
    def number(self) -> str:
        return str(self.record["accountNumber"])

    @property
    def email(self) -> str:
        return str(self.record["email"])

    def save(self, **changed: Any) -> httpx.Response:
        """Tell the service about the customer."""
        return self.utility.employee().put(f"/customers/{self.id}", self.record | changed)

    def card(self) -> dict[str, Any]:
        """The card as an administrator sees it."""
        answer = self.utility.employee().get(self.path)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def log(self) -> list[str]:
        """The types of the customer's activities, oldest first; but what the mail worker adds in its own time."""
        mailed = ("PortalCommunicationSent", "PortalCommunicationFailed")
        return [entry["type"] for entry in reversed(self.activities()) if entry["type"] not in mailed]

    def activities(self) -> list[dict[str, Any]]:
        """The customer's activities, newest first."""
        answer = self.utility.employee().get(f"{self.path}/activities?pageSize=200")
        assert answer.status_code == 200, answer.text
        return list(answer.json()["results"])

    def invite(self, **body: Any) -> dict[str, Any]:
        """An employee sends an invitation."""
        answer = self.utility.employee().post(f"{self.path}/invitations", body or None)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def mail(self, count: int = 1, address: str | None = None) -> Mail:
        """The newest mail to the customer, once there are `count`."""
        return self.utility.world.mailbox.wait(address or self.email, count)

    def invited(self) -> str:
        """The token of a new invitation, out of the mail."""
        return self.utility.world.mailbox.of(self.invite()["communication"]["id"]).token

    def register(self, token: str, **given: Any) -> httpx.Response:
        """The registration page."""
        body = {"token": token, "customerNumber": self.number, "password": PASSWORD} | given
        return self.utility.portal.post("/portal/registrations", body)

    def registered(self) -> str:
        """With an account that waits for its confirmation; the confirmation's token."""
        answer = self.register(self.invited())
        assert answer.status_code == 201, answer.text
        mails = self.utility.world.mailbox
        count = 1
        while not (mail := mails.wait(self.email, count)).page.endswith("/confirm-email"):
            count += 1  # and not one more than there are by now: it may have come since
        return mail.token

    def confirm(self, token: str) -> httpx.Response:
        """The confirmation page."""
        return self.utility.portal.post("/portal/email-confirmations", {"token": token})

    def import_account(self, **given: Any) -> httpx.Response:
        """An administrator takes over an account of an older system; confirmed and live unless told otherwise."""
        body = {
            "email": self.email,
            "registeredDateTime": "2021-03-04T09:12:45Z",
            "emailConfirmedDateTime": "2021-03-04T09:20:02Z",
            "live": True,
        }
        return self.utility.employee().post(f"{self.path}/accounts", body | given)

    def accounts(self) -> list[dict[str, Any]]:
        """Every account known for the customer, the one registered last first."""
        answer = self.utility.employee().get(f"{self.path}/accounts")
        assert answer.status_code == 200, answer.text
        return list(answer.json()["results"])

    def active(self) -> "Customer":
        """With a confirmed account."""
        assert self.confirm(self.registered()).status_code == 200
        return self

    def send_reset(self, body: Any = None, **headers: str) -> httpx.Response:
        """An employee has a reset link mailed."""
        return self.utility.employee().post(f"{self.path}/password-resets", body, headers=headers)

    def choose_password(self, token: str, **given: Any) -> httpx.Response:
        """The page that a reset link opens."""
        body = {"token": token, "password": NEW_PASSWORD} | given
        return self.utility.portal.post("/portal/password-resets/complete", body)

    def log_in(self, **given: Any) -> httpx.Response:
        """The login page."""
        return self.utility.portal.post("/portal/sessions", {"email": self.email, "password": PASSWORD} | given)

    def log_out(self) -> httpx.Response:
        """An employee logs the customer out."""
        return self.utility.employee().post(f"{self.path}/logout")

    def logged_in(self) -> Client:
        """A client with a new session of an active account."""
        answer = self.log_in()
        assert answer.status_code == 201, answer.text
        return Client(self.utility.world, {"Authorization": f"Bearer {answer.json()['accessToken']}"})

    def impersonate(self, employee: Client | None = None, **given: Any) -> dict[str, Any]:
        """An employee logs in as the customer: the answer with its link."""
        body = {"reason": "Help with an invoice", **given}
        answer = (employee or self.utility.employee()).post(f"{self.path}/impersonation-sessions", body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def redeem(self, started: dict[str, Any]) -> httpx.Response:
        """The portal's page that the link opens."""
        return self.utility.portal.post("/portal/impersonations/redeem", {"token": handed_over(started)})

    def impersonated(self, employee: Client | None = None, **given: Any) -> Client:
        """The employee's client in the portal."""
        answer = self.redeem(self.impersonate(employee, **given))
        assert answer.status_code == 201, answer.text
        return Client(self.utility.world, {"Authorization": f"Bearer {answer.json()['accessToken']}"})

    def impersonations(self) -> list[dict[str, Any]]:
        """Who was logged in as the customer, newest first."""
        answer = self.utility.employee().get(f"{self.path}/impersonation-sessions")
        assert answer.status_code == 200, answer.text
        return list(answer.json()["results"])


def handed_over(started: dict[str, Any]) -> str:
    """The token in the link that hands an impersonation over to the portal."""
    page, _, token = str(started["portalLoginUrl"]).partition("#token=")
    assert page.endswith("/impersonate")
    return token
