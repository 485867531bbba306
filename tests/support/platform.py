"""The platform of the tests: signs its webhooks, gives tokens, and tells its customers, on loopback."""

import hashlib
import hmac
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import httpx

from app.ids import new_id
from tests.support.world import Customer, Utility

SECRET = "the-platforms-webhook-secret-of-the-tests"
CLIENT_ID, CLIENT_SECRET, SCOPE = "portal-access", "the client's secret & more", "api://platform/.default"


def signature(body: bytes, secret: str = SECRET) -> str:
    """What the platform signs a body with."""
    return hmac.digest(secret.encode(), body, hashlib.sha256).hex()


def send(
    utility: Utility, body: bytes, headers: dict[str, str] | None = None, organisation: UUID | None = None
) -> httpx.Response:
    """A webhook as it stands; signed, unless its headers are given."""
    signed = {"X-Webhook-Signature-256": f"sha256={signature(body)}"} if headers is None else headers
    url = f"{utility.world.url}/api/portal/v1/platform-webhooks/{organisation or utility.organisation}"
    return utility.world.http.post(url, content=body, headers=signed | {"Content-Type": "application/json"})


def told(utility: Utility, kind: str, customer: Customer | UUID | None = None, **more: Any) -> None:
    """An event unlike any other, which the service keeps."""
    about = customer.id if isinstance(customer, Customer) else customer
    body: dict[str, Any] = {"_type": kind, "eventId": str(new_id())} | more
    answer = send(utility, json.dumps(body | ({"customerId": str(about)} if about else {})).encode())
    assert answer.status_code == 202, answer.text


class Platform:
    """Knows customers by their ids, in its own shape. What is asked of it stands in `calls` and `asked`."""

    def __init__(self) -> None:
        self.customers: dict[UUID, dict[str, Any]] = {}
        self.calls: Counter[str] = Counter()
        self.asked: list[dict[str, str]] = []
        self.tokens: set[str] = set()
        self.expires_in = 3600
        self.busy: list[str] = []  # the next calls' Retry-After
        self.status = 200
        self.token_status = 200
        self.slowness = 0.0
        self.body: bytes | None = None  # instead of the customer
        self.answering = threading.Event()  # set once a customer's call has read what it will answer
        self.may_answer = threading.Event()
        self.may_answer.set()
        platform = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                platform.calls["token"] += 1
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                known = {"grant_type": ["client_credentials"], "client_id": [CLIENT_ID], "scope": [SCOPE]}
                if platform.token_status != 200 or form != known | {"client_secret": [CLIENT_SECRET]}:
                    self._answer(platform.token_status if platform.token_status != 200 else 401, {})
                    return
                token = f"token-{new_id()}"
                platform.tokens.add(token)
                self._answer(200, {"access_token": token, "token_type": "Bearer", "expires_in": platform.expires_in})

            def do_GET(self) -> None:
                platform.calls["customer"] += 1
                platform.asked.append({name.lower(): value for name, value in self.headers.items()})
                time.sleep(platform.slowness)
                if platform.busy:
                    self._answer(429, {}, {"Retry-After": platform.busy.pop(0)})
                elif platform.status != 200:
                    self._answer(platform.status, {})
                elif self.headers["Authorization"] not in {f"Bearer {token}" for token in platform.tokens}:
                    self._answer(401, {})
                else:
                    self._answer(*platform.shown(self.path))

            def _answer(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in ({"Content-Type": "application/json"} | (headers or {})).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """Who asks may have left."""

        self._server = Server(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def settings(self) -> dict[str, Any]:
        """Settings of a service that may ask it."""
        return {
            "platform_url": self.url,
            "platform_token_url": f"{self.url}/oauth2/token",
            "platform_client_id": CLIENT_ID,
            "platform_client_secret": CLIENT_SECRET,
            "platform_scope": SCOPE,
            "platform_webhook_secret": SECRET,
        }

    def shown(self, path: str) -> tuple[int, Any]:
        """Status and body of a customer's call."""
        prefix, _, customer_id = path.rpartition("/")
        found = self.customers.get(UUID(customer_id)) if prefix == "/api/md/Customers" else None
        answer = json.dumps({"data": found, "errors": [], "success": True}).encode() if found else b""
        self.answering.set()
        assert self.may_answer.wait(20)
        return (
            (200, answer if self.body is None else self.body)
            if found
            else (404, {"key": "CUSTOMER_DOES_NOT_EXIST", "status": 404})
        )

    def knows(self, customer_id: UUID, number: str, **given: Any) -> UUID:
        """The platform has this customer."""
        email = {"contactType": "email", "value": f"jan.{number}@example.com", "primaryForType": True}
        self.customers[customer_id] = {
            "id": str(customer_id),
            "entityType": "customer",
            "accountNumber": number,
            "shortDisplayName": "Jan Peeters",
            "contactDetails": [{"contactType": "phone", "value": "+32 2 555 01 23"}, email],
            "contracts": [],
            "activationCode": None,
        } | given
        return customer_id

    @contextmanager
    def running(self) -> Iterator["Platform"]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.may_answer.set()
            self._server.shutdown()
            self._server.server_close()
            thread.join()
