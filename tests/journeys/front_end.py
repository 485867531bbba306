"""The platform's front end: it knows its own calls alone, and reads every answer with its own strict eyes."""

from dataclasses import dataclass
from typing import Any

import httpx

from tests.api.platform_shapes import PlatformCustomer, PlatformSettings, customer_of, settings_of
from tests.support.world import Client, Customer, Utility


def cfg(utility: Utility, rest: str = "") -> str:
    """The address of the portal settings."""
    return f"{utility.world.url}/api/cfg/PortalSettings{rest}"


@dataclass(frozen=True)
class FrontEnd:
    """The page of one customer, used by an administrator unless another client is given."""

    customer: Customer
    client: Client

    @classmethod
    def of(cls, customer: Customer, client: Client | None = None) -> "FrontEnd":
        return cls(customer, client or customer.utility.employee())

    def address(self, rest: str = "") -> str:
        return f"{self.client.world.url}/api/md/Customers/{self.customer.id}{rest}"

    def post(self, rest: str, body: Any = None, **headers: str) -> httpx.Response:
        return self.client.post(self.address(rest), body, headers=headers)

    def shown(self) -> PlatformCustomer:
        """The customer as the page shows them."""
        return customer_of(self.client.get(self.address()))

    def send(self, kind: str) -> httpx.Response:
        return self.post(f"/send/{kind}")

    def reset(self, **body: Any) -> httpx.Response:
        return self.post("/portal/reset", {"communicationEmail": self.customer.email} | body)

    def confirm(self, token: str | None) -> httpx.Response:
        return self.post("/portal/confirm", {"confirmAccountToken": token})

    def details(self, **body: Any) -> httpx.Response:
        return self.post("/portaldetails", body)

    def impersonate(self) -> httpx.Response:
        return self.post("/portal/impersonate")


def portal_settings(utility: Utility) -> PlatformSettings:
    """The settings as the portal reads them."""
    return settings_of(utility.portal.get(cfg(utility)))
