"""Portals on loopback, each page of which behaves in its own way; with and without TLS."""

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

STATUSES = {"/": 200, "/down": 503, "/gone": 404, "/closed": 401}
REDIRECTS = {
    "/moved": "/",
    "/hop/1": "/",
    "/hop/2": "/hop/1",
    "/hop/3": "/hop/2",
    "/hop/4": "/hop/3",
    "/circle": "/circle",
    "/file": "file:///etc/passwd",
    "/metadata": "http://169.254.169.254/latest/meta-data",
    "/noise": "https://portal.example:port",
}


class _Page(BaseHTTPRequestHandler):
    server: "PortalServer"

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers["Host"]))
        if self.path == "/slow":
            time.sleep(self.server.slowness)
        if target := REDIRECTS.get(self.path) or self.server.redirects.get(self.path):
            self.send_response(302)
            self.send_header("Location", target)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(STATUSES.get(self.path, 200))
        self.end_headers()
        if self.path == "/endless":
            with_patience = time.monotonic() + 5
            while time.monotonic() < with_patience:
                self.wfile.write(b"x" * 65536)

    def log_message(self, *_: object) -> None:
        pass


class PortalServer(ThreadingHTTPServer):
    """What it was asked for stands in `asked`: path and Host."""

    daemon_threads = True

    def __init__(self, context: ssl.SSLContext | None, slowness: float) -> None:
        super().__init__(("127.0.0.1", 0), _Page)
        self.asked: list[tuple[str, str]] = []
        self.redirects: dict[str, str] = {}
        self.slowness = slowness
        self.scheme = "http"
        if context is not None:
            self.scheme = "https"
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}"

    def handle_error(self, *_: object) -> None:
        """Who asks leaves early, and some refuse the certificate."""


@contextmanager
def portal_server(context: ssl.SSLContext | None = None, slowness: float = 3) -> Iterator[PortalServer]:
    """A portal; with a context it speaks https."""
    server = PortalServer(context, slowness)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def certificate(folder: Path, *, days: int = 1) -> tuple[ssl.SSLContext, Path]:
    """A server's context with a certificate of its own for 127.0.0.1, and the file to trust it by."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "portal of the tests")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    trusted = folder / "certificate.pem"
    trusted.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret = folder / "key.pem"
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted, secret)
    return context, trusted
