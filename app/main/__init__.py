"""The only place that wires things together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from app import VERSION, logs
from app.bearers import EmbeddedIssuer, embedded_keys
from app.clock import Clock, utc_now
from app.mail.capture import MailCapture
from app.main.parts import Parts, running
from app.main.routing import ROUTERS
from app.routers import errors, openapi, operations
from app.routers.audiences import TAGS
from app.routers.embedded_issuer import add_embedded_issuer
from app.routers.explorer import Demonstration, add_explorer
from app.routers.finding import Index
from app.routers.introduction import DESCRIPTION
from app.routers.middleware import AtOnce, Envelope
from app.settings import Settings, load_settings

__all__ = ["Parts", "create_app", "from_environment", "running"]


def create_app(settings: Settings, *, clock: Clock = utc_now, demonstration: Demonstration | None = None) -> FastAPI:
    """The API for these settings; `settings.database_url` names the database."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with running(settings, clock) as parts:
            app.state.services = parts.services
            app.state.database = parts.database
            if not settings.run_worker:
                yield
                return
            working = asyncio.create_task(parts.worker.run())
            yield
            parts.worker.stop()
            await working

    app = FastAPI(
        docs_url=None,  # the explorer is a page of our own
        redoc_url=None,
        title="Portal Access",
        version=VERSION,
        summary="The service behind the customer-portal card.",
        description=DESCRIPTION,
        openapi_tags=[tag.document() for tag in TAGS],
        lifespan=lifespan,
        redirect_slashes=False,  # such a redirect would repeat the request's Host header
    )
    for router in (*ROUTERS, operations.router):
        app.router.routes += router.routes  # including a router would look through all of them twice for every request
    if settings.smtp_url is None:
        operations.add_mailbox(app, MailCapture(settings.mailbox))
    if settings.oidc_issuer is None:
        issuer_keys = embedded_keys(settings.secret_keys)
        add_embedded_issuer(app, EmbeddedIssuer(issuer_keys, settings.oidc_audience, clock, settings.embedded_issuer))
    add_explorer(app, demonstration)
    app.router.routes.insert(0, Index(app.router.routes))
    errors.install(app)
    openapi.install(app)
    app.add_middleware(AtOnce, most=settings.requests_at_once)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["*"],
            expose_headers=[
                "X-Correlation-Id",
                "Idempotency-Replayed",
                "Retry-After",
                "RateLimit",
                "RateLimit-Policy",
                "Content-Disposition",
            ],
        )
    app.add_middleware(Envelope, production=settings.production)
    return app


def from_environment() -> FastAPI:
    """For uvicorn's worker processes: the application of the settings in the environment."""
    settings = load_settings()
    logs.configure(settings.log_level)
    return create_app(settings)
