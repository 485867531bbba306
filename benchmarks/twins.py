"""The bare twins of the operations: a plain ASGI application and a plain FastAPI one, on asyncpg alone.

They execute the very statements of the operation, recorded from the product, in the same order on one connection;
verify the same bearer and remember it; and send an answer of the same shape, which they write anew each time. Started
as a process: `python -m benchmarks.twins asgi|fastapi PORT RECORDING`.
"""

import hashlib
import json
import pickle
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import uvicorn
from fastapi import Depends, FastAPI, Header, Request
from joserfc import jwt

from app.bearers import ALGORITHM, embedded_keys


@dataclass(frozen=True)
class Recorded:
    """An operation as the product did it: what it said to the database, and what it answered."""

    name: str
    method: str
    path: str  # with {customerId} where it has one
    statements: tuple[tuple[str, tuple[Any, ...]], ...]
    customer: UUID  # for whom it was recorded; the twin puts the request's customer in that place
    made: frozenset[UUID]  # ids that the operation made; the twin makes others each time
    status: int
    answer: Any


@dataclass(frozen=True)
class Recording:
    """All that the twins need to know."""

    database_url: str
    secret_keys: tuple[str, ...]
    pool: int
    operations: tuple[Recorded, ...]


class Twin:
    """What both twins do."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._keys = embedded_keys(recording.secret_keys)
        self._remembered: dict[str, Any] = {}
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None

    async def connect(self) -> None:
        async def prepare(connection: asyncpg.Connection) -> None:
            await connection.set_type_codec(
                "jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads, format="text"
            )

        async def leave(_connection: Any) -> None:
            """As the product does: there is nothing to reset."""

        self._pool = await asyncpg.create_pool(
            self._recording.database_url, min_size=0, max_size=self._recording.pool, init=prepare, reset=leave
        )

    def admit(self, authorization: str) -> None:
        """Verify the bearer: a JWT once, a session's token each time."""
        token = authorization.removeprefix("Bearer ")
        if token.startswith("ey"):
            if token not in self._remembered:
                self._remembered[token] = jwt.decode(token, self._keys, algorithms=[ALGORITHM]).claims
        else:
            hashlib.sha256(token.encode()).digest()

    async def perform(self, one: Recorded, customer: UUID | None) -> None:
        """Say to the database what the operation says."""
        instead = {made: uuid4() for made in one.made}
        if customer is not None:
            instead[one.customer] = customer
        assert self._pool is not None
        async with self._pool.acquire() as connection:
            for sql, arguments in one.statements:
                if arguments:
                    await connection.fetch(sql, *(_put(argument, instead) for argument in arguments))
                else:
                    await connection.execute(sql)


def _put(value: Any, instead: dict[UUID, UUID]) -> Any:
    """The value with other ids in the place of those recorded."""
    if isinstance(value, UUID):
        return instead.get(value, value)
    if isinstance(value, (list, tuple)):
        return [_put(part, instead) for part in value]
    if isinstance(value, dict):
        return {name: _put(part, instead) for name, part in value.items()}
    if isinstance(value, (str, bytes)) and len(value) >= 36:
        for old, new in instead.items():
            value = (
                value.replace(str(old), str(new))
                if isinstance(value, str)
                else value.replace(str(old).encode(), str(new).encode())
            )
    return value


def asgi(recording: Recording) -> Any:
    """Nothing but ASGI."""
    twin = Twin(recording)
    fixed = {(one.method, one.path): one for one in recording.operations if "{" not in one.path}
    patterns = [(one.method, *one.path.split("{customerId}"), one) for one in recording.operations if "{" in one.path]

    def found(method: str, path: str) -> tuple[Recorded, UUID | None]:
        if (one := fixed.get((method, path))) is not None:
            return one, None
        for verb, before, after, one in patterns:
            middle = path[len(before) : len(before) + 36]
            if verb == method and path.startswith(before) and path == before + middle + after:
                return one, UUID(middle)
        raise LookupError(path)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await twin.connect()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        if scope["path"] == "/":  # is it there yet?
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})
            return
        one, customer = found(scope["method"], scope["path"])
        headers = dict(scope["headers"])
        twin.admit(headers.get(b"authorization", b"").decode())
        if one.method == "POST":
            body = b""
            while True:
                part = await receive()
                body += part.get("body", b"")
                if not part.get("more_body"):
                    break
            if body.startswith(b"{"):
                json.loads(body)
        await twin.perform(one, customer)
        content = b"" if one.answer is None else json.dumps(one.answer, separators=(",", ":")).encode()
        length = str(len(content)).encode()
        given = [(b"content-type", b"application/json"), (b"content-length", length)]
        await send({"type": "http.response.start", "status": one.status, "headers": given})
        await send({"type": "http.response.body", "body": content})

    return app


def fastapi(recording: Recording) -> FastAPI:
    """A route for each operation, its headers taken by the framework, its answer written by it."""
    twin = Twin(recording)
    app = FastAPI()
    app.router.on_startup.append(twin.connect)

    async def admit(authorization: str = Header("")) -> None:
        twin.admit(authorization)

    def endpoint(one: Recorded) -> Any:
        async def answer(request: Request) -> Any:
            given = request.path_params.get("customerId")
            if request.headers.get("content-type") == "application/json":
                await request.json()
            await twin.perform(one, UUID(given) if given else None)
            return one.answer

        return answer

    for one in recording.operations:
        app.add_api_route(
            one.path, endpoint(one), methods=[one.method], status_code=one.status, dependencies=[Depends(admit)]
        )
    return app


def main() -> None:
    kind, port, recorded = sys.argv[1:]
    recording: Recording = pickle.loads(Path(recorded).read_bytes())
    app = {"asgi": asgi, "fastapi": fastapi}[kind](recording)
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="error", access_log=False)


if __name__ == "__main__":
    main()
