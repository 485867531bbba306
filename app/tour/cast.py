"""The customer of a story, and what they do in more than one of them."""

import secrets
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from app.ids import new_id
from app.tour.stage import Stage

PASSWORD = "seven warm radiators"


@dataclass(frozen=True, slots=True)
class Customer:
    """A made-up customer of the sample organisation."""

    name: str
    id: UUID = field(default_factory=new_id)
    number: str = field(default_factory=lambda: str(20_000_000 + secrets.randbelow(1_000_000)))

    @property
    def email(self) -> str:
        """Their address."""
        return f"{self.name.split()[0].lower()}.{self.number}@example.com"

    @property
    def path(self) -> str:
        """Their record in the back office."""
        return f"/customers/{self.id}"

    def record(self, **more: Any) -> dict[str, Any]:
        """What the billing system knows."""
        known = {"accountNumber": self.number, "displayName": self.name, "language": "nl-BE", "email": self.email}
        return known | more

    def known(self, stage: Stage, **more: Any) -> None:
        """The billing system tells of the customer."""
        stage.employee("PUT", self.path, 201, self.record(**more), show=False)

    def registered(self, stage: Stage) -> None:
        """From the invitation to the confirmed account, without a word."""
        self.known(stage)
        stage.employee("POST", f"{self.path}/portal/invitations", 201, show=False)
        self.register(stage)

    def register(self, stage: Stage, count: int = 1) -> None:
        """Follow the newest invitation, and confirm the address."""
        given = {"token": stage.mail(self.email, "/register", count), "customerNumber": self.number}
        stage.portal("POST", "/portal/registrations", 201, given | {"password": PASSWORD})
        token = stage.mail(self.email, "/confirm-email", count)
        stage.portal("POST", "/portal/email-confirmations", 200, {"token": token})

    def log_in(self, stage: Stage, password: str = PASSWORD, expected: int = 201) -> str:
        """The login page; the session's token."""
        body = {"email": self.email, "password": password}
        return str(stage.portal("POST", "/portal/sessions", expected, body).get("accessToken", ""))
