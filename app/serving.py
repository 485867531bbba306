"""Listening: uvicorn as this service wants it."""

import errno
import os
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import uvicorn
from fastapi import FastAPI

from app.main import create_app, from_environment
from app.memory import collect_rarely, leave_alone_what_is_there
from app.routers.client_protocol import ClientProtocol
from app.routers.explorer import Demonstration
from app.settings import Settings, SettingsError

_FACTORY = "app.serving:child"
_PARENT = "SERVED_BY_PROCESS"


def check_port(host: str, port: int) -> None:
    """Say at once, in one line, that the port is taken.

    Raises: SettingsError.
    """
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            option = "--port" if error.errno in (errno.EADDRINUSE, errno.EACCES) else "--host"
            raise SettingsError(
                f"Cannot listen on {host}:{port} ({error.strerror}): choose another {option}."
            ) from None


class _Announcing(uvicorn.Server):
    """Says something once it listens."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._announce()


def child() -> FastAPI:
    """The application of one of several processes; it ends when its parent is gone, however that came about."""

    def watch(parent: int) -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)

    # Told by the parent itself: it may have gone before this process is as far as here.
    threading.Thread(target=watch, args=(int(os.environ[_PARENT]),), daemon=True).start()
    collect_rarely()
    app = from_environment()
    leave_alone_what_is_there()
    return app


def _leave(_number: int, _frame: object) -> None:
    raise SystemExit(0)


def options(settings: Settings) -> dict[str, Any]:
    """How uvicorn listens, wherever that is."""
    return {
        "http": ClientProtocol,
        "ws": "none",
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "proxy_headers": bool(settings.trusted_proxies),
        "forwarded_allow_ips": [str(ip_network(proxy, strict=False)) for proxy in settings.trusted_proxies],
        "date_header": True,
        "timeout_keep_alive": settings.client_timeout_seconds,
        "timeout_graceful_shutdown": 20,
    }


def listen(
    settings: Settings,
    host: str,
    port: int,
    workers: int,
    announce: Callable[[], None] = lambda: None,
    demonstration: Demonstration | None = None,
) -> None:
    """Answer requests until told to stop; `announce` is called once the service listens."""
    # uvicorn repeats the signal that ended it; without this SIGTERM would end the process before its clean-up.
    signal.signal(signal.SIGTERM, _leave)
    given: dict[str, Any] = {"host": host, "port": port} | options(settings)
    if workers == 1:
        app = create_app(settings, demonstration=demonstration)
        leave_alone_what_is_there()
        _Announcing(uvicorn.Config(app, **given), announce).run()
        return
    with tempfile.TemporaryDirectory(prefix="portal-metrics-") as folder:
        os.environ |= {
            _PARENT: str(os.getpid()),
            "PORTAL_DATABASE_URL": str(settings.database_url),
            "PORTAL_SECRET_KEYS": ",".join(settings.secret_keys),
            "PORTAL_RUN_WORKER": str(settings.run_worker),
            "PROMETHEUS_MULTIPROC_DIR": folder,
        }
        uvicorn.run(_FACTORY, factory=True, workers=workers, **given)
