"""The stage of the tour: calls to a running service and the mails it captured, readable on a terminal."""

import json
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

_SECRETS = ("token", "accessToken", "password", "currentPassword", "passwordConfirmation", "passwordHash")
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


class Stage:
    """Shows each call and each answer as it happens."""

    def __init__(self, guide: Guide, console: Console, http: httpx.Client) -> None:
        self._guide = guide
        self._console = console
        self._http = http

    @property
    def _organisation(self) -> dict[str, str]:
        return {"zf-tuuid": str(self._guide.tenant_id), "zf-ouuid": str(self._guide.organisation_id)}

    def story(self, title: str) -> None:
        """Begin a story."""
        self._console.print()
        self._console.print(Rule(f"[bold reverse] {title} [/]", align="left", characters="═"))

    def chapter(self, title: str) -> None:
        """Say what happens next."""
        self._console.print()
        self._console.print(Rule(f"[bold]{title}[/]", align="left", style="dim"))

    def line(self, text: str) -> None:
        """A line of plain words."""
        self._console.print(f"    {text}", highlight=False)

    def employee(self, method: str, path: str, expected: int, body: Any = None, **shown: Any) -> dict[str, Any]:
        """An employee calls; the answer's body."""
        headers = self._organisation | {"Authorization": f"Bearer {self._guide.bearer}"}
        return self._call(method, path, expected, headers, body, **shown)

    def portal(self, method: str, path: str, expected: int, body: Any) -> dict[str, Any]:
        """The portal calls for someone who is not logged in."""
        return self._call(method, path, expected, self._organisation, body)

    def visitor(
        self, access_token: str, method: str, path: str, expected: int, body: Any = None, **shown: Any
    ) -> dict[str, Any]:
        """The portal calls for someone who is logged in."""
        return self._call(method, path, expected, {"Authorization": f"Bearer {access_token}"}, body, **shown)

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
        header: str | None = None,
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
        if header and header in answer.headers:
            self.line(f"{header}: {answer.headers[header]}")
        found: dict[str, Any] = answer.json() if answer.content else {}
        if show and found:
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

    def mail(self, address: str, page: str, count: int = 1) -> str:
        """The token of the mail to this address whose link leads to the page, once `count` of them have come."""
        deadline = time.monotonic() + _LONGEST_WAIT
        while time.monotonic() < deadline:
            answer = self._http.get("/mailbox/messages")
            if answer.status_code == 404:
                raise TourFailed("The service sends real mails; the tour needs one that captures them.")
            fitting = [mail for mail in answer.json() if mail["to"] == address and _link(mail["text"], page)]
            if len(fitting) >= count:
                newest = max(fitting, key=lambda mail: str(mail["receivedDateTime"]))
                return self._show(newest, _link(newest["text"], page) or "")
            time.sleep(0.1)
        raise TourFailed(f"No mail with a link to {page} came within {_LONGEST_WAIT:.0f} s; does a worker run?")

    def open_link(self, link: str) -> str:
        """Show a link without its secret; the token in it."""
        address = urlsplit(link)
        token = address.fragment.removeprefix("token=")
        self._console.print(f"  {address.scheme}://{address.netloc}{address.path}#token={_short(token)}")
        return token

    def _show(self, mail: dict[str, Any], link: str) -> str:
        self._console.print(f"  [bold magenta]mail[/] to {mail['to']}: [bold]{mail['subject']}[/]")
        return self.open_link(link)


def _link(text: str, page: str) -> str | None:
    return next((word for word in text.split() if f"{page}#token=" in word), None)


def _readable(value: Any) -> Any:
    """Secrets shortened; the card's buttons as one word each."""
    if isinstance(value, dict):
        return {
            name: _hidden(name, inner) if isinstance(inner, str) else _readable(inner) for name, inner in value.items()
        }
    if isinstance(value, list) and value and isinstance(value[0], dict) and "allowed" in value[0]:
        return {one["action"]: "yes" if one["allowed"] else one["key"] for one in value}
    if isinstance(value, list):
        return [_readable(inner) for inner in value]
    return value


def _hidden(name: str, text: str) -> str:
    if name in _SECRETS:
        return _short(text)
    base, mark, token = text.partition("#token=")
    return f"{base}{mark}{_short(token)}" if mark else text


def _short(secret: str) -> str:
    return f"{secret[:6]}…"
