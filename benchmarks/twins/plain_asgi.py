"""The twin as plain ASGI: bytes in, bytes out."""

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from starlette.types import Receive, Scope, Send

from app.domain.callers import Actor
from app.permissions import Permission
from benchmarks.twins import reads, writes
from benchmarks.twins.bare import Answer, Bare, opened


@dataclass(slots=True)
class Call:
    """A request."""

    bare: Bare
    headers: dict[bytes, bytes]
    ids: tuple[str, ...]
    query: bytes
    body: bytes

    @property
    def token(self) -> str:
        return self.headers[b"authorization"].removeprefix(b"Bearer ").decode()

    @property
    def organisation(self) -> UUID:
        return UUID(self.headers[b"zf-ouuid"].decode())

    @property
    def given(self) -> Any:
        return json.loads(self.body)

    async def employee(self, permission: Permission) -> tuple[UUID, Actor]:
        """Where the call works and who makes it, if the bearer has the permission."""
        organisation, tenant = self.organisation, UUID(self.headers[b"zf-tuuid"].decode())
        return organisation, (await self.bare.employee(self.token, tenant, organisation, permission)).actor


async def get_card(call: Call) -> Answer:
    organisation, _ = await call.employee(Permission.PORTAL_READ)
    return await reads.get_card(call.bare, organisation, UUID(call.ids[0]))


async def list_activities(call: Call) -> Answer:
    organisation, _ = await call.employee(Permission.PORTAL_ACTIVITY_READ)
    size = int(parse_qs(call.query)[b"pageSize"][0])
    return await reads.list_activities(call.bare, organisation, UUID(call.ids[0]), size)


async def get_me(call: Call) -> Answer:
    return await reads.get_me(call.bare, call.token)


async def introspect_session(call: Call) -> Answer:
    await call.employee(Permission.PORTAL_INTROSPECT)
    return await reads.introspect_session(call.bare, parse_qs(call.body)[b"token"][0].decode())


async def inspect_token(call: Call) -> Answer:
    return await reads.inspect_token(call.bare, call.organisation, call.given["token"])


async def send_invitation(call: Call) -> Answer:
    organisation, by = await call.employee(Permission.PORTAL_INVITE)
    return await writes.send_invitation(call.bare, organisation, by, UUID(call.ids[0]))


async def confirm_email(call: Call) -> Answer:
    return await writes.confirm_email(call.bare, call.organisation, call.given["token"])


async def forgot_password(call: Call) -> Answer:
    return await writes.forgot_password(call.bare, call.organisation, call.given["email"])


async def redeem_impersonation(call: Call) -> Answer:
    return await writes.redeem_impersonation(call.bare, call.organisation, call.given["token"])


async def start_impersonation(call: Call) -> Answer:
    organisation, by = await call.employee(Permission.PORTAL_IMPERSONATE)
    reason, mode = call.given["reason"], "readonly"
    return await writes.start_impersonation(call.bare, organisation, by, UUID(call.ids[0]), reason, mode)


async def end_impersonation(call: Call) -> Answer:
    organisation, by = await call.employee(Permission.PORTAL_IMPERSONATE)
    customer, one = map(UUID, call.ids)
    return await writes.end_impersonation(call.bare, organisation, by, customer, one)


async def log_in(call: Call) -> Answer:
    given = call.given
    return await writes.log_in(call.bare, call.organisation, given["email"], given["password"])


async def register(call: Call) -> Answer:
    given = call.given
    return await writes.register(call.bare, call.organisation, given["token"], given["password"])


async def ready(_call: Call) -> Answer:
    return {"status": "ready"}


_ID = "([0-9a-f-]{36})"
_CARD = f"/api/portal/v1/customers/{_ID}/portal"
_PORTAL = "/api/portal/v1/portal"
_ROUTES: list[tuple[str, re.Pattern[str], int, Callable[[Call], Awaitable[Answer]]]] = [
    (method, re.compile(path), status, deed)
    for method, path, status, deed in [
        ("GET", _CARD, 200, get_card),
        ("GET", f"{_CARD}/activities", 200, list_activities),
        ("GET", f"{_PORTAL}/me", 200, get_me),
        ("POST", f"{_PORTAL}/sessions/introspect", 200, introspect_session),
        ("POST", f"{_PORTAL}/tokens/inspect", 200, inspect_token),
        ("POST", f"{_CARD}/invitations", 201, send_invitation),
        ("POST", f"{_PORTAL}/email-confirmations", 200, confirm_email),
        ("POST", f"{_PORTAL}/password-resets", 202, forgot_password),
        ("POST", f"{_PORTAL}/impersonations/redeem", 201, redeem_impersonation),
        ("POST", f"{_CARD}/impersonation-sessions", 201, start_impersonation),
        ("POST", f"{_CARD}/impersonation-sessions/{_ID}/end", 200, end_impersonation),
        ("POST", f"{_PORTAL}/sessions", 201, log_in),
        ("POST", f"{_PORTAL}/registrations", 201, register),
        ("GET", "/readyz", 200, ready),
    ]
]


class Application:
    """The application."""

    def __init__(self) -> None:
        self._bare: Bare | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        status, answer = await self._answer(scope, body)
        content = json.dumps(answer, default=str).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    async def _answer(self, scope: Scope, body: bytes) -> tuple[int, Answer]:
        assert self._bare is not None
        for method, path, status, deed in _ROUTES:
            if method == scope["method"] and (match := path.fullmatch(scope["path"])):
                headers = dict(scope["headers"])
                return status, await deed(Call(self._bare, headers, match.groups(), scope["query_string"], body))
        return 404, {}

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        async with opened() as self._bare:
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


app = Application()
