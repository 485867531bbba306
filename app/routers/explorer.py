"""The explorer of the API: Swagger UI, every file of it served from here."""

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, PackageLoader, select_autoescape

from app.bearers import EmbeddedIssuer
from app.permissions import Role
from app.routers.audiences import TAGS, Audience
from app.routers.subsets import subset

_FILES = Path(__file__).parent / "pages" / "explorer"
_AUDIENCES = [audience for audience in Audience if any(audience in tag.audiences for tag in TAGS)]
_EMPLOYEES = {Role.ADMINISTRATOR: "Eva Maes", Role.USER: "Noor Jansen", Role.READONLY: "Tom Willems"}

_pages = Environment(loader=PackageLoader("app.routers", "pages"), autoescape=select_autoescape())
_router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Demonstration:
    """A made-up organisation, into whose back office the explorer lets everyone who reaches it."""

    issuer: EmbeddedIssuer
    tenant_id: UUID
    organisation_id: UUID

    def bearer(self, role: Role) -> str:
        """The token of an employee with this role."""
        return self.issuer.issue(
            tenant_id=self.tenant_id,
            organisations=[self.organisation_id],
            roles=[role],
            subject=f"demonstration-{role}",
            name=_EMPLOYEES[role],
        )


def add_explorer(app: FastAPI, demonstration: Demonstration | None) -> None:
    """Show the explorer; without a demonstration, who signs in brings a token of their own."""
    app.state.demonstration = demonstration
    app.include_router(_router)
    app.mount("/docs/swagger-ui", StaticFiles(packages=[("fastapi_offline", "static")]))
    app.mount("/docs/explorer", StaticFiles(directory=_FILES))


@_router.get("/docs", operation_id="showExplorer", response_class=HTMLResponse)
async def show_explorer(request: Request, audience: Audience | None = None) -> HTMLResponse:
    """The explorer as a page, of everything or of what one audience needs.

    Each showing has new tokens, for they last half a day.
    """
    demonstration: Demonstration | None = request.app.state.demonstration
    people = [] if demonstration is None else [_signing_in(demonstration, role) for role in Role]
    page = _pages.get_template("explorer.html")
    return HTMLResponse(page.render(people=people, audiences=_AUDIENCES, shown=audience))


@_router.get("/docs/openapi.json", operation_id="getPartOfDocument")
async def get_part_of_document(request: Request, audience: Audience | None = None) -> JSONResponse:
    """The document of what the audience needs; without one, all of it."""
    document = request.app.openapi()
    return JSONResponse(document if audience is None else subset(document, audience))


def _signing_in(demonstration: Demonstration, role: Role) -> dict[str, object]:
    """What the page needs for signing in: the values of the document's security schemes."""
    return {
        "label": f"{_EMPLOYEES[role]}, {role}",
        "authorization": {
            "bearer": demonstration.bearer(role),
            "tenant": str(demonstration.tenant_id),
            "organisation": str(demonstration.organisation_id),
        },
    }
