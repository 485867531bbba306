"""A stand-in for an organisation's identity provider: discovery and keys over HTTP, and the tokens it signs."""

import base64
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from joserfc.jwk import KeySet, RSAKey

# By hand: the library would refuse to make the bad ones.
_SIGNATURES: dict[str, Any] = {
    "RS256": (PKCS1v15(), SHA256()),
    "RS512": (PKCS1v15(), SHA512()),
    "PS256": (PSS(MGF1(SHA256()), 32), SHA256()),
}


class Issuer:
    """Serves its discovery document and keys, and counts how often they are asked for."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.key = _key("first")
        self.away = False
        self.slowness = 0.0
        self.more_keys: list[dict[str, Any]] = []
        self.documents: dict[str, Any] = {}
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.calls[self.path] += 1
                documents: dict[str, Any] = {
                    "/.well-known/openid-configuration": {"issuer": issuer.url, "jwks_uri": f"{issuer.url}/keys"},
                    "/keys": {"keys": [*issuer.more_keys, *KeySet([issuer.key]).as_dict(private=False)["keys"]]},
                }
                documents |= issuer.documents
                time.sleep(issuer.slowness)
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

    def token(self, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token with these claims; what the header says can be changed."""
        now = int(time.time())
        given = {"iss": self.url, "aud": "portal-access", "sub": "u-1", "iat": now, "exp": now + 600} | claims
        given = {name: value for name, value in given.items() if value is not None}
        head = {"alg": "RS256", "kid": self.key.kid, "typ": "JWT"} | (header or {})
        text = f"{_part(head)}.{_part(given)}"
        private = self.key.get_op_key("sign")
        assert isinstance(private, RSAPrivateKey)
        way, digest = _SIGNATURES[head["alg"]]
        return f"{text}.{_base64(private.sign(text.encode(), way, digest))}"

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


def _part(value: object) -> str:
    return _base64(json.dumps(value).encode())


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
