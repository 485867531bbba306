"""The load: prepared requests, sent by wrk over 16 connections that stay open."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.servers import Server

CONNECTIONS = 16
_SCRIPT = Path(__file__).with_name("load.lua")


@dataclass(frozen=True)
class Measured:
    """What one run says of a server. Times are in seconds; `cpu` is the server's own for one request."""

    rate: float
    p50: float
    p99: float
    cpu: float


def request(method: str, path: str, headers: dict[str, str], body: str | None = None, kind: str = "json") -> bytes:
    """A whole HTTP request."""
    given = {"Host": "127.0.0.1", "User-Agent": "wrk"} | headers
    if body is not None:
        media_type = "application/x-www-form-urlencoded" if kind == "form" else "application/json"
        given |= {"Content-Type": media_type, "Content-Length": str(len(body.encode()))}
    head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"{method} /api/portal/v1{path} HTTP/1.1\r\n{head}\r\n{body or ''}".encode()


def check_wrk() -> None:
    """Say in time that the load generator is missing."""
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is missing, which makes the load: apt-get install wrk")


def run(server: Server, requests: Iterable[bytes], seconds: int, *, once: bool) -> Measured:
    """Send the requests for so long, or until all have been sent that may be sent once only."""
    with tempfile.NamedTemporaryFile(prefix="portal-access-load-") as file:
        file.write(b"\0".join(requests))
        file.flush()
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(_SCRIPT), server.url]
        before = server.cpu_seconds
        told = subprocess.run(
            [*command, "--", file.name, "once" if once else "again"], check=True, capture_output=True, text=True
        )
        used = server.cpu_seconds - before
    found = json.loads(told.stdout.splitlines()[-1])
    if found["refused"] or found["broken"] or not found["requests"]:
        raise SystemExit(f"{server.name} refused or broke off requests, so its figures mean nothing: {found}")
    return Measured(found["requests"] / found["seconds"], found["p50"], found["p99"], used / found["requests"])
