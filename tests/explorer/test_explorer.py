"""The explorer as a reader meets it: in a browser, against the sample organisation."""

import json
from typing import Any

import pytest
from playwright.sync_api import Locator

from app.routers.audiences import TAGS, Audience
from app.seed import ORGANISATION, TENANT, sample_customers
from tests.explorer.conftest import Explorer

_JAN, _AMELIE = sample_customers()[:2]
_AUDIENCES = [audience for audience in Audience if any(audience in tag.audiences for tag in TAGS)]


def _execute(operation: Locator) -> tuple[int, Any]:
    """Press "Execute"; status and body of the answer."""
    operation.locator(".btn.execute").click()
    answer = operation.locator(".live-responses-table .response")
    status = answer.locator(".response-col_status").inner_text()
    return int(status.split()[0]), json.loads(answer.locator(".highlight-code code").first.inner_text())


def test_one_press_signs_in_to_the_demonstration_and_shows_the_card(explorer: Explorer) -> None:
    explorer.open("?audience=partners")
    explorer.press("Eva Maes, administrator")
    status, card = _execute(explorer.operation("getCard"))
    assert status == 200
    assert (card["displayName"], card["portalStatus"]) == (_JAN.display_name, "noaccount")
    assert {one["action"]: one["allowed"] for one in card["actions"]}["sendinvitation"] is True


def test_who_signs_in_with_a_smaller_role_is_refused_more(explorer: Explorer) -> None:
    explorer.open("?audience=partners")
    explorer.press("Eva Maes, administrator")
    explorer.press("Tom Willems, readonly")
    status, problem = _execute(explorer.operation("sendInvitation"))
    assert (status, problem["key"]) == (403, "PERMISSION_INVALID")


def test_a_token_and_the_organisation_are_given_once_and_kept(explorer: Explorer) -> None:
    explorer.open("?audience=partners")
    explorer.authorize(bearer=explorer.token(), tenant=str(TENANT), organisation=str(ORGANISATION))
    assert _execute(explorer.operation("getCard"))[0] == 200
    assert _execute(explorer.operation("listInvitations"))[0] == 200
    explorer.open("?audience=backoffice")
    status, page = _execute(explorer.operation("listOrganisationActivities"))
    assert (status, page["hasNextPage"]) == (200, False)


def test_without_a_token_the_answer_says_what_is_missing(explorer: Explorer) -> None:
    explorer.open("?audience=partners")
    status, problem = _execute(explorer.operation("getCard"))
    assert (status, problem["key"]) == (401, "UNAUTHENTICATED")


def test_who_logs_in_to_the_portal_is_the_customer_from_then_on(explorer: Explorer) -> None:
    explorer.open("?audience=portal")
    explorer.press("Tom Willems, readonly")
    status, _ = _execute(explorer.operation("logIn"))
    assert status == 201
    status, me = _execute(explorer.operation("getMe"))
    assert (status, me["account"]["email"]) == (200, _AMELIE.email)


@pytest.mark.parametrize("audience", _AUDIENCES)
def test_every_operation_can_be_tried(explorer: Explorer, audience: Audience) -> None:
    document = explorer.document(audience)
    expected = [one["operationId"] for methods in document["paths"].values() for one in methods.values()]
    explorer.open(f"?audience={audience}")
    assert sorted(explorer.operations()) == sorted(expected)
    for name in expected:
        operation = explorer.operation(name)
        operation.locator(".btn.execute").wait_for()
        explorer.close(operation)


def test_tags_are_shown_in_reading_order(explorer: Explorer) -> None:
    explorer.open()
    shown = explorer.page.locator(".opblock-tag").evaluate_all("tags => tags.map(tag => tag.dataset.tag)")
    assert shown == [tag.name for tag in TAGS]


def test_on_a_phone_nothing_sticks_out(explorer: Explorer) -> None:
    explorer.page.set_viewport_size({"width": 390, "height": 844})
    explorer.open("?audience=partners")
    explorer.press("Eva Maes, administrator")
    _execute(explorer.operation("getCard"))
    assert explorer.page.evaluate("document.documentElement.scrollWidth") == 390


def test_the_page_says_its_language_and_what_it_is(explorer: Explorer) -> None:
    explorer.open()
    assert explorer.page.locator("html").get_attribute("lang") == "en"
    assert explorer.page.title() == "API explorer · Portal Access"
    assert explorer.page.get_by_role("link", name="Everything").get_attribute("aria-current") == "page"
