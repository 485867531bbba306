"""The story of the card, played against a running service: each request and each answer, readable."""

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
from rich.console import Console
from rich.json import JSON
from rich.rule import Rule
from rich.text import Text

from app.ids import new_id

_PASSWORD = "seven warm radiators"
_SECRETS = ("token", "accessToken", "password", "passwordConfirmation")
_LONGEST_WAIT = 15.0


class TourFailed(Exception):
    """The story took another turn; the text says where, and what to do."""


@dataclass(frozen=True, slots=True)
class Guide:
    """Whom the tour speaks for, and where it speaks."""

    url: str
    bearer: str
    tenant_id: UUID
    organisation_id: UUID


class Tour:
    """Plays the story with a customer made for it."""

    def __init__(self, guide: Guide, console: Console) -> None:
        self._guide = guide
        self._console = console
        self._http = httpx.Client(base_url=guide.url, timeout=20)
        self._number = str(20_000_000 + secrets.randbelow(1_000_000))
        self._email = f"jan.{self._number}@example.com"
        self._customer_id = new_id()

    def play(self) -> None:
        """The whole story.

        Raises: TourFailed.
        """
        with self._http:
            self._employee_invites()
            registration = self._customer_opens_the_mail()
            self._customer_registers(registration)
            self._customer_logs_in()
            self._employee_sees_it()
        self._console.print(f"\nThe mails of this story: [link]{self._guide.url}/mailbox[/]")

    def _employee_invites(self) -> None:
        self._chapter("A customer, known to the billing system, without a portal account")
        record = {"accountNumber": self._number, "displayName": "Jan Peeters", "language": "nl-BE"}
        self._employee("PUT", self._path, 201, record | {"email": self._email})
        self._employee("GET", f"{self._path}/portal", 200, only=("portalStatus", "hasAccount", "actions"))
        self._chapter("An employee presses “send invitation”")
        self._employee("POST", f"{self._path}/portal/invitations", 201)

    def _customer_opens_the_mail(self) -> str:
        self._chapter("The mail arrives, in the customer's own language")
        token = self._mailed("/register")
        self._chapter("The portal looks at the link; that spends nothing")
        self._portal("POST", "/portal/tokens/inspect", 200, {"token": token})
        return token

    def _customer_registers(self, token: str) -> None:
        self._chapter("A wrong customer number is refused, and the link stays usable")
        wrong = {"token": token, "customerNumber": "10000000", "password": _PASSWORD}
        self._portal("POST", "/portal/registrations", 422, wrong)
        self._chapter("The right one makes the account")
        self._portal("POST", "/portal/registrations", 201, wrong | {"customerNumber": self._number})
        self._chapter("The same link a second time")
        self._portal("POST", "/portal/registrations", 410, wrong | {"customerNumber": self._number})
        self._chapter("The customer confirms the address")
        self._portal("POST", "/portal/email-confirmations", 200, {"token": self._mailed("/confirm-email")})

    def _customer_logs_in(self) -> None:
        self._chapter("The customer logs in")
        answer = self._portal("POST", "/portal/sessions", 201, {"email": self._email, "password": _PASSWORD})
        session = {"Authorization": f"Bearer {answer['accessToken']}"}
        self._call("GET", "/portal/me", 200, session, only=("account", "customer"))

    def _employee_sees_it(self) -> None:
        self._chapter("The card says Active, and offers other buttons now")
        card = self._employee("GET", f"{self._path}/portal", 200, only=("portalStatus", "emailConfirmed", "actions"))
        if card["portalStatus"] != "active":
            raise TourFailed(f"The card says {card['portalStatus']}, not active.")
        self._chapter("And the log tells the story")
        log = self._employee("GET", f"{self._path}/portal/activities", 200, show=False)
        for entry in reversed(log["results"]):
            actor = entry["actor"]["name"] or entry["actor"]["id"]
            when = entry["occurredDateTime"][11:19]
            self._console.print(f"    [dim]{when}[/]  {entry['type']:<28} [dim]{entry['actor']['type']} {actor}[/]")

    @property
    def _path(self) -> str:
        return f"/customers/{self._customer_id}"

    @property
    def _organisation(self) -> dict[str, str]:
        return {"zf-tuuid": str(self._guide.tenant_id), "zf-ouuid": str(self._guide.organisation_id)}

    def _chapter(self, title: str) -> None:
        self._console.print()
        self._console.print(Rule(f"[bold]{title}[/]", align="left", style="dim"))

    def _employee(self, method: str, path: str, expected: int, body: Any = None, **shown: Any) -> dict[str, Any]:
        headers = self._organisation | {"Authorization": f"Bearer {self._guide.bearer}"}
        return self._call(method, path, expected, headers, body, **shown)

    def _portal(self, method: str, path: str, expected: int, body: Any) -> dict[str, Any]:
        return self._call(method, path, expected, self._organisation, body)

    def _call(
        self,
        method: str,
        path: str,
        expected: int,
        headers: Mapping[str, str],
        body: Any = None,
        *,
        only: tuple[str, ...] = (),
        show: bool = True,
    ) -> dict[str, Any]:
        self._console.print(f"  [bold cyan]{method}[/] {path}")
        if body is not None:
            self._json(body)
        try:
            answer = self._http.request(method, f"/api/portal/v1{path}", headers=dict(headers), json=body)
        except httpx.TransportError:
            raise TourFailed(
                f"Nothing answers at {self._guide.url}: start the service with 'make demo' or 'portal-access demo'."
            ) from None
        colour = "green" if answer.status_code < 400 else "yellow"
        self._console.print(f"  [bold {colour}]{answer.status_code}[/] {answer.reason_phrase}")
        found: dict[str, Any] = answer.json()
        if show:
            self._json({name: found[name] for name in only if name in found} if only else found)
            if only:
                self._console.print("    [dim]… and more[/]")
        if answer.status_code != expected:
            hint = " The service must run with the same PORTAL_SECRET_KEYS." if answer.status_code == 401 else ""
            raise TourFailed(f"{method} {path} answered {answer.status_code}, not {expected}.{hint}")
        return found

    def _json(self, value: Any) -> None:
        for line in JSON(json.dumps(_readable(value), ensure_ascii=False), indent=2).text.split():
            self._console.print(Text("    ") + line)

    def _mailed(self, page: str) -> str:
        """The token of the newest mail to our customer whose link leads to this page."""
        deadline = time.monotonic() + _LONGEST_WAIT
        while time.monotonic() < deadline:
            answer = self._http.get("/mailbox/messages")
            if answer.status_code == 404:
                raise TourFailed("The service sends real mails; the tour needs one that captures them.")
            for mail in answer.json():
                if mail["to"] == self._email and (link := _link(mail["text"], page)):
                    address = urlsplit(link)
                    self._console.print(f"  [bold magenta]mail[/] to {mail['to']}: [bold]{mail['subject']}[/]")
                    token = address.fragment.removeprefix("token=")
                    self._console.print(f"  {address.scheme}://{address.netloc}{address.path}#token={_short(token)}")
                    return token
            time.sleep(0.1)
        raise TourFailed(f"No mail with a link to {page} came within {_LONGEST_WAIT:.0f} s; does a worker run?")


def _link(text: str, page: str) -> str | None:
    return next((word for word in text.split() if f"{page}#token=" in word), None)


def _readable(value: Any) -> Any:
    """Secrets shortened; the card's buttons as one word each."""
    if isinstance(value, dict):
        return {
            name: _short(inner) if name in _SECRETS and isinstance(inner, str) else _readable(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list) and value and isinstance(value[0], dict) and "allowed" in value[0]:
        return {one["action"]: "yes" if one["allowed"] else one["key"] for one in value}
    if isinstance(value, list):
        return [_readable(inner) for inner in value]
    return value


def _short(secret: str) -> str:
    return f"{secret[:6]}…"
