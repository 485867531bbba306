"""What operators and developers look at: health, readiness, metrics, the captured mails."""

import os
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, select_autoescape
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from app.database import Database
from app.errors import TemporarilyUnavailable
from app.mail.capture import CapturedMail, MailCapture
from app.migrating import head
from app.routers.openapi import refusals
from app.schemas.base import Answered

router = APIRouter(tags=["Operations: health"])
mailbox_router = APIRouter(tags=["Operations: mailbox"])

_FIGURES = """\
# HELP portal_http_requests_total Requests answered.
# TYPE portal_http_requests_total counter
portal_http_requests_total{method="GET",route="/healthz",status="200"} 8.0
"""

_pages = Environment(loader=PackageLoader("app.routers", "pages"), autoescape=select_autoescape())


class Alive(Answered):
    """The process is alive."""

    status: str = "ok"


class Ready(Answered):
    """The database answers and has the tables of this version."""

    status: str = "ready"
    migration: str


@router.get("/healthz", operation_id="getHealth", summary="Is the process alive?")
async def get_health() -> Alive:
    """Touches nothing but the process itself."""
    return Alive()


@router.get(
    "/readyz", operation_id="getReadiness", summary="Can it do its work?", responses=refusals(TemporarilyUnavailable)
)
async def get_readiness(request: Request) -> Ready:
    """503 until the database answers and its migrations are at head."""
    database: Database = request.app.state.database
    current = await database.revision()
    if current != head():
        raise TemporarilyUnavailable("The database's migrations are not at head: run 'portal-access migrate'.")
    return Ready(migration=current)


@router.get(
    "/metrics",
    operation_id="getMetrics",
    summary="Figures for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}, "example": _FIGURES}}}},
)
async def get_metrics() -> Response:
    """Of all worker processes together when there are several."""
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class CapturedMailBody(Answered):
    """A mail that was captured instead of sent."""

    to: str
    subject: str
    text: str
    html: str
    headers: dict[str, str]
    communication_id: UUID | None
    received_date_time: datetime

    @classmethod
    def of(cls, mail: CapturedMail) -> "CapturedMailBody":
        """From the capture's mail."""
        return cls(
            to=mail.to,
            subject=mail.subject,
            text=mail.text,
            html=mail.html,
            headers=dict(mail.headers),
            communication_id=mail.communication_id,
            received_date_time=mail.received_at,
        )


def add_mailbox(app: FastAPI, capture: MailCapture) -> None:
    """Show the captured mails; only where there is no SMTP server."""
    app.state.capture = capture
    app.include_router(mailbox_router)


@mailbox_router.get(
    "/mailbox/messages", operation_id="listCapturedMails", summary="List the mails captured instead of sent"
)
async def list_captured_mails(request: Request) -> list[CapturedMailBody]:
    """Newest first."""
    capture: MailCapture = request.app.state.capture
    return [CapturedMailBody.of(mail) for mail in await capture.messages()]


@mailbox_router.get("/mailbox", include_in_schema=False, response_class=HTMLResponse)
async def show_mailbox(request: Request) -> HTMLResponse:
    """The captured mails as a page."""
    capture: MailCapture = request.app.state.capture
    return HTMLResponse(_pages.get_template("mailbox.html").render(mails=await capture.messages()))
