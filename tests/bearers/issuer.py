"""A stand-in for an organisation's identity provider: discovery and keys over HTTP, and the tokens it signs."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey


class Issuer:
    """Serves its discovery document and keys, and counts how often they are asked for."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.key = _key("first")
        self.away = False
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.calls[self.path] += 1
                documents: dict[str, Any] = {
                    "/.well-known/openid-configuration": {"issuer": issuer.url, "jwks_uri": f"{issuer.url}/keys"},
                    "/keys": KeySet([issuer.key]).as_dict(private=False),
                }
                body = json.dumps(documents.get(self.path)).encode()
                self.send_response(503 if issuer.away else 200 if self.path in documents else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def rotate(self) -> None:
        """Sign with a new key from now on; the old one is gone."""
        self.key = _key(f"key-{time.monotonic_ns()}")

    def token(self, **claims: Any) -> str:
        """A token for an administrator of everything, with these claims changed."""
        now = int(time.time())
        given = {"iss": self.url, "aud": "portal-access", "sub": "u-1", "iat": now, "exp": now + 600} | claims
        header = {"alg": "RS256", "kid": self.key.kid, "typ": "at+jwt"}
        return jwt.encode(header, given, self.key, algorithms=["RS256"])

    @contextmanager
    def running(self) -> Iterator["Issuer"]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


def _key(kid: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"})
