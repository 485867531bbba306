"""The twin as plain ASGI: bytes in, bytes out."""

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from starlette.types import Receive, Scope, Send

from app.permissions import Permission
from benchmarks.twins.deeds import Answer, Deeds


@dataclass(slots=True)
class Call:
    """A request."""

    deeds: Deeds
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

    async def employee(self, permission: Permission) -> UUID:
        """Whose bearer has the permission; the organisation."""
        organisation = self.organisation
        await self.deeds.employee(self.token, UUID(self.headers[b"zf-tuuid"].decode()), organisation, permission)
        return organisation


async def get_card(call: Call) -> Answer:
    return await call.deeds.get_card(await call.employee(Permission.PORTAL_READ), UUID(call.ids[0]))


async def list_activities(call: Call) -> Answer:
    organisation = await call.employee(Permission.PORTAL_ACTIVITY_READ)
    size = int(parse_qs(call.query)[b"pageSize"][0])
    return await call.deeds.list_activities(organisation, UUID(call.ids[0]), size)


async def get_me(call: Call) -> Answer:
    return await call.deeds.get_me(call.token)


async def introspect_session(call: Call) -> Answer:
    await call.employee(Permission.PORTAL_INTROSPECT)
    return await call.deeds.introspect_session(parse_qs(call.body)[b"token"][0].decode())


async def inspect_token(call: Call) -> Answer:
    return await call.deeds.inspect_token(call.organisation, call.given["token"])


async def ready(_call: Call) -> Answer:
    return {"status": "ready"}


_OF_CUSTOMER = "/api/portal/v1/customers/([0-9a-f-]{36})/portal"
_PORTAL = "/api/portal/v1/portal"
_ROUTES: list[tuple[str, re.Pattern[str], int, Callable[[Call], Awaitable[Answer]]]] = [
    ("GET", re.compile(_OF_CUSTOMER), 200, get_card),
    ("GET", re.compile(f"{_OF_CUSTOMER}/activities"), 200, list_activities),
    ("GET", re.compile(f"{_PORTAL}/me"), 200, get_me),
    ("POST", re.compile(f"{_PORTAL}/sessions/introspect"), 200, introspect_session),
    ("POST", re.compile(f"{_PORTAL}/tokens/inspect"), 200, inspect_token),
    ("GET", re.compile("/readyz"), 200, ready),
]


class Application:
    """The application."""

    def __init__(self) -> None:
        self._deeds: Deeds | None = None

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
        assert self._deeds is not None
        for method, path, status, deed in _ROUTES:
            if method == scope["method"] and (match := path.fullmatch(scope["path"])):
                headers = dict(scope["headers"])
                return status, await deed(Call(self._deeds, headers, match.groups(), scope["query_string"], body))
        return 404, {}

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        async with Deeds.open() as self._deeds:
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


app = Application()
