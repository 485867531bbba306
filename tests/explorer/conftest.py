"""A demonstration, and a browser that is shown it: Chromium as the distribution has it."""

import asyncio
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import ConsoleMessage, Locator, Page, sync_playwright

from app.bearers import EmbeddedIssuer, embedded_keys
from app.clock import utc_now
from app.main import running
from app.permissions import Role
from app.routers.audiences import Audience
from app.routers.explorer import Demonstration
from app.seed import register, seed
from app.settings import Settings
from tests.support.databases import drop, fresh_copy
from tests.support.service import listening, test_settings

_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_CLICK = "element => element.click()"  # at once, without scrolling there


@dataclass
class Explorer:
    """A page of the explorer, and all that went wrong on it."""

    page: Page
    url: str
    demonstration: Demonstration
    complaints: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(60_000)
        self.page.on("console", self._listen)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self._look_at(request.url))

    def _listen(self, said: ConsoleMessage) -> None:
        refused = said.location["url"].startswith(f"{self.url}/api/")  # which the browser reports by itself
        if said.type in ("error", "warning") and not refused:
            self.complaints.append(said.text)

    def _look_at(self, address: str) -> None:
        if urlsplit(address).scheme != "data" and not address.startswith(self.url):
            self.elsewhere.append(address)

    def open(self, query: str = "") -> None:
        """Show the page, with every tag unfolded."""
        self.page.goto(f"{self.url}/docs{query}")
        self.page.locator(".opblock-tag").last.wait_for()
        self.page.locator(".opblock-tag").evaluate_all("tags => tags.forEach(tag => tag.click())")
        self.page.locator(".opblock").last.wait_for()

    def token(self) -> str:
        """What `portal-access token` prints."""
        return self.demonstration.bearer(Role.ADMINISTRATOR)

    def press(self, button: str) -> None:
        """Press one of the demonstration's buttons."""
        self.page.get_by_role("button", name=button).click()
        self.page.get_by_role("status").get_by_text(f"Signed in as {button}.").wait_for()

    def authorize(self, **values: str) -> None:
        """Fill in the dialog."""
        self.page.locator(".btn.authorize").first.click()
        for scheme, value in values.items():
            form = self.page.locator(f".auth-container:has(code:text-is('{scheme}'))")
            form.locator("input").fill(value)
            form.get_by_role("button", name="Apply credentials").click()
            form.get_by_role("button", name="Remove authorization").wait_for()
        self.page.locator(".close-modal").click()

    def operations(self) -> list[str]:
        """The names of all operations shown."""
        ids = self.page.locator(".opblock").evaluate_all("blocks => blocks.map(block => block.id)")
        return [str(name).rpartition("-")[2] for name in ids]

    def operation(self, name: str) -> Locator:
        """The operation, opened."""
        operation = self.page.locator(f".opblock[id$='-{name}']")
        operation.locator(".opblock-summary-control").evaluate(_CLICK)
        return operation

    def close(self, operation: Locator) -> None:
        """Fold it again."""
        operation.locator(".opblock-summary-control").evaluate(_CLICK)

    def document(self, audience: Audience) -> dict[str, Any]:
        """The document that the page shows."""
        answer = httpx.get(f"{self.url}/docs/openapi.json?audience={audience}")
        return cast(dict[str, Any], answer.json())


async def _fill_in(settings: Settings) -> Demonstration:
    async with running(settings) as parts:
        seeded = await seed(parts)
        await register(parts, seeded.customers[1])
    issuer = EmbeddedIssuer(embedded_keys(settings.secret_keys), settings.oidc_audience, utc_now)
    return Demonstration(issuer, seeded.tenant_id, seeded.organisation_id)


@pytest.fixture(scope="module")
def demonstration(
    server: str, worker_id: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Demonstration]]:
    """A service with the sample organisation, its mails captured: its address, and who may sign in."""
    name = f"portal_explorer_{worker_id}"
    settings = test_settings(database_url=fresh_copy(server, name), data_dir=tmp_path_factory.mktemp("data"))
    shown = asyncio.run(_fill_in(settings))
    with listening(settings, shown) as (url, _):
        yield url, shown
    drop(server, name)


@pytest.fixture
def explorer(demonstration: tuple[str, Demonstration]) -> Iterator[Explorer]:
    """The explorer in the browser of somebody who was never there before."""
    if _CHROMIUM is None:
        pytest.skip("NO BROWSER: with 'apt-get install chromium' these tests look at the explorer")
    sandbox = [] if os.geteuid() else ["--no-sandbox"]  # Chromium has none for root
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=[*sandbox, "--disable-dev-shm-usage"])
        explorer = Explorer(browser.new_page(), *demonstration)
        yield explorer
        browser.close()
    assert explorer.complaints == []
    assert explorer.elsewhere == [], "nothing leaves the machine"
