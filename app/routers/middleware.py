"""What every request passes through, as one plain ASGI layer: correlation id, headers, the last resort for faults, the
access log and metrics."""

import re
import secrets
import time
from typing import Any

import structlog
from prometheus_client import Counter, Gauge, Histogram
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import InternalError, TemporarilyUnavailable
from app.routers.errors import problem

_log = structlog.get_logger("access")

_CORRELATION_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_CLIENT_GONE = 499  # nobody gets this answer; logs and figures know the number from nginx
_ALWAYS = ("/healthz", "/readyz", "/metrics")
_FULL = "This process works on as many requests as it can."

_REQUESTS = Counter("portal_http_requests_total", "Requests answered.", ("method", "route", "status"))
_SECONDS = Histogram("portal_http_request_seconds", "Time until the answer was sent.", ("method", "route"))
_RUNNING = Gauge("portal_http_requests_running", "Requests being answered.", multiprocess_mode="livesum")

_NOWHERE_ELSE = b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
# The explorer runs our own files alone. The mailbox runs nothing; its styles, as those of the mails, are inline.
_POLICIES = {
    "docs": _NOWHERE_ELSE + b"; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'",
    "mailbox": _NOWHERE_ELSE + b"; style-src 'unsafe-inline'; img-src 'self' data:; frame-src 'self'",
}


class Envelope:
    """Wraps the application. `production` adds HSTS."""

    def __init__(self, app: ASGIApp, *, production: bool) -> None:
        self._app = app
        common = [
            (b"cache-control", b"no-store"),
            (b"referrer-policy", b"no-referrer"),
            (b"x-content-type-options", b"nosniff"),
        ]
        if production:
            common.append((b"strict-transport-security", b"max-age=63072000; includeSubDomains"))
        self._common = common

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        correlation_id = _correlation_id(scope)
        scope.setdefault("state", {})["correlation_id"] = correlation_id
        headers = [*self._common, (b"content-security-policy", _policy(scope["path"]))]
        status = 500
        started_answering = False
        started = time.perf_counter()

        async def send_with_headers(message: Message) -> None:
            nonlocal status, started_answering
            if message["type"] == "http.response.start":
                started_answering = True
                status = message["status"]
                own = {name for name, _ in message.get("headers", ())}
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"x-correlation-id", correlation_id.encode()),
                    *(header for header in headers if header[0] not in own),
                ]
            await send(message)

        _RUNNING.inc()
        with structlog.contextvars.bound_contextvars(correlation_id=correlation_id):
            try:
                await self._app(scope, receive, send_with_headers)
            except ClientDisconnect:
                status = _CLIENT_GONE
            except Exception as fault:
                _log.error("unexpected", fault=type(fault).__name__, exc_info=fault)
                if started_answering:
                    raise
                await problem(Request(scope), InternalError())(scope, receive, send_with_headers)
            finally:
                _RUNNING.dec()
                self._report(scope, status, time.perf_counter() - started)

    def _report(self, scope: Scope, status: int, seconds: float) -> None:
        """One line and two figures, by the route's template: no ids, no query strings, no addresses."""
        route: Any = scope.get("route")
        name = getattr(route, "path", None) or "none"
        _REQUESTS.labels(scope["method"], name, status).inc()
        _SECONDS.labels(scope["method"], name).observe(seconds)
        _log.info("request", method=scope["method"], route=name, status=status, milliseconds=round(seconds * 1e3, 1))


class AtOnce:
    """Lets so many requests be worked on at once; more are told to come back, instead of waiting in the dark.

    A request counts from the moment it is whole until its answer begins: neither clients that send slowly nor streams
    take anybody's place. Health, readiness and figures always get through.
    """

    def __init__(self, app: ASGIApp, *, most: int) -> None:
        self._app = app
        self._most = most
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, if there is room."""
        if scope["type"] != "http" or scope["path"] in _ALWAYS:
            await self._app(scope, receive, send)
            return
        if self._running >= self._most:
            await problem(Request(scope), TemporarilyUnavailable(_FULL))(scope, receive, send)
            return
        whole = answering = False
        self._running += 1

        async def receive_outside() -> Message:
            nonlocal whole
            if whole or answering:
                return await receive()
            self._running -= 1
            try:
                message = await receive()
            finally:
                self._running += 1
            whole = not message.get("more_body", False)
            if self._running > self._most and not answering:
                raise TemporarilyUnavailable(_FULL)
            return message

        async def send_outside(message: Message) -> None:
            nonlocal answering
            if not answering:
                answering = True
                self._running -= 1
            await send(message)

        try:
            await self._app(scope, receive_outside, send_outside)
        finally:
            if not answering:
                self._running -= 1


def _policy(path: str) -> bytes:
    """The page's, by its first segment; the strictest for everything else."""
    return _POLICIES.get(path.lstrip("/").partition("/")[0], _NOWHERE_ELSE)


def _correlation_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-correlation-id" and _CORRELATION_ID.fullmatch(value):
            return str(value.decode())
    return secrets.token_hex(16)
