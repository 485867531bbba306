"""Portal settings as the platform's front end changes them and its portal reads them."""

from typing import Any

import httpx
import pytest

from app.ids import new_id
from app.permissions import Role
from tests.api.expect import problem
from tests.api.platform_shapes import PlatformSettings, refused_with, settings_of
from tests.journeys.front_end import cfg
from tests.journeys.test_races import at_once
from tests.support.world import Customer, Utility, World

_EVERYTHING: dict[str, Any] = {
    "isEnabled": False,
    "portalPublicUrls": ["https://mijn.example.com", "https://mon.example.com/espace"],
    "primaryColor": "#0b6e4f",
    "secondaryColor": "#ffffff",
    "logo": "https://cdn.example.com/logo.png",
    "favIcon": "https://cdn.example.com/favicon.ico",
    "contact": {
        "emailAddress": "service@example.com",
        "contactUrl": "https://www.example.com/contact",
        "telephoneNumber": "+32 2 555 12 12",
        "termsAndConditionsUrls": {"nl-BE": "https://www.example.com/voorwaarden"},
    },
    "billingSettings": {"allowCustomerToChangeAdvanceAmount": True, "hideInvoiceSection": True},
    "advanceChangeLimit": {"rangeMin": -20, "rangeMax": 12.5, "type": "percentage"},
    "pageNotifications": [
        {
            "pageIdentifier": "login",
            "notificationType": "warning",
            "translatedContent": {"nl-BE": "Onderhoud op zondag", "fr-BE": "Maintenance dimanche"},
        }
    ],
}


def change(utility: Utility, body: dict[str, Any], rest: str = "", **headers: str) -> httpx.Response:
    return utility.employee().post(cfg(utility, rest), body, headers=headers)


def read(utility: Utility) -> PlatformSettings:
    return settings_of(utility.portal.get(cfg(utility)))


def found(world: World, url: str) -> httpx.Response:
    """As a portal reads them that does not know yet whose it is."""
    return world.http.get(f"{world.url}/api/cfg/PortalSettings", params={"portalUrl": url})


def own_url(word: str = "portal") -> str:
    """A URL that no other organisation of the tests has."""
    return f"https://{word}-{new_id().hex}.example.com"


def changes(utility: Utility) -> list[list[str]]:
    return [entry["payload"]["changed"] for entry in utility.log("PortalSettingsChanged")]


def test_an_organisation_that_the_platform_never_told_of_has_the_settings_in_force(world: World) -> None:
    utility = world.utility(
        branding={"primaryColor": "#123456", "logoUrl": "https://cdn.example.com/logo.svg"},
        features={"invoices": False, "advancePaymentAdjustable": True},
    )
    shown = read(utility)
    assert shown.isEnabled
    assert shown.portalPublicUrls == ["https://portal.example.com"], "its own URL"
    assert (shown.primaryColor, shown.secondaryColor, shown.favIcon) == ("#123456", None, None)
    assert shown.logo == "https://cdn.example.com/logo.svg"
    assert shown.billingSettings.allowCustomerToChangeAdvanceAmount
    assert shown.billingSettings.hideInvoiceSection
    assert (shown.advanceChangeLimit, shown.pageNotifications) == (None, [])


def test_everything_that_is_given_is_kept_and_given_back(utility: Utility) -> None:
    answer = change(utility, _EVERYTHING)
    assert answer.json()["data"] == _EVERYTHING
    assert settings_of(answer) == read(utility)


def test_what_both_sides_know_is_the_same_data(utility: Utility) -> None:
    settings_of(change(utility, _EVERYTHING))
    ours = utility.employee().get("/organisation/portal-settings").json()
    assert ours["portalEnabled"] is False
    assert ours["portalUrl"] == "https://portal.example.com", "the base of links in mails is set on our side alone"
    assert ours["features"] == {
        "documents": True,
        "invoices": False,
        "advancePaymentAdjustable": True,
        "editContactDetails": True,
    }
    assert ours["branding"] == {
        "primaryColor": "#0b6e4f",
        "secondaryColor": "#ffffff",
        "logoUrl": "https://cdn.example.com/logo.png",
    }


def test_a_put_of_ours_loses_nothing_of_the_platforms(utility: Utility) -> None:
    settings_of(change(utility, _EVERYTHING))
    utility.change_settings(name="Zonneveld Energie", branding={"primaryColor": "#0b6e4f"})
    kept = ("portalPublicUrls", "favIcon", "contact", "advanceChangeLimit", "pageNotifications")
    shown = read(utility).model_dump(mode="json")
    assert {name: shown[name] for name in kept} == {name: _EVERYTHING[name] for name in kept}
    assert changes(utility)[-1] == ["name", "portalEnabled", "features", "branding"]


def test_what_is_left_out_stays_and_null_takes_away(utility: Utility) -> None:
    settings_of(change(utility, _EVERYTHING))
    assert settings_of(change(utility, {})).model_dump(mode="json") == _EVERYTHING
    kept = ("isEnabled", "billingSettings", "portalPublicUrls", "pageNotifications")
    assert settings_of(change(utility, dict.fromkeys(kept))).model_dump(mode="json") == _EVERYTHING
    gone = dict.fromkeys(("primaryColor", "logo", "favIcon", "contact", "advanceChangeLimit"))
    shown = settings_of(change(utility, gone))
    assert (shown.primaryColor, shown.logo, shown.favIcon, shown.advanceChangeLimit) == (None,) * 4
    assert set(shown.contact.model_dump().values()) == {None}
    assert (shown.secondaryColor, shown.portalPublicUrls) == ("#ffffff", _EVERYTHING["portalPublicUrls"])
    empty = settings_of(change(utility, {"secondaryColor": "", "contact": {"telephoneNumber": " "}}))
    assert (empty.secondaryColor, empty.contact.telephoneNumber) == (None, None)


def test_a_change_stands_in_the_log_by_its_names_and_without_values(utility: Utility) -> None:
    settings_of(change(utility, {"contact": {"emailAddress": "service@example.com"}, "favIcon": None}))
    assert changes(utility)[-1] == ["contact"]
    settings_of(change(utility, {"isEnabled": True, "contact": {"emailAddress": "service@example.com"}}))
    assert len(changes(utility)) == 2, "nothing changed"
    assert "service@example.com" not in str(utility.log("PortalSettingsChanged"))


def test_a_notification_is_shown_to_whoever_is_logged_in_and_taken_away_again(active: Customer) -> None:
    utility, portal = active.utility, active.logged_in()
    told = {"pageIdentifier": "invoices", "notificationType": "important", "translatedContent": "Facturen later"}
    settings_of(change(utility, told, "/notification"))
    assert portal.get("/portal/me").json()["organisation"]["pageNotifications"] == [told]
    other = told | {"pageIdentifier": "login"}
    settings_of(change(utility, other, "/notification"))
    louder = told | {"notificationType": "neutral", "translatedContent": {"nl-BE": "Alles is er"}}
    shown = settings_of(change(utility, louder, "/notification"))
    assert [one.model_dump() for one in shown.pageNotifications] == [other, louder], "one for each page"
    assert read(utility) == shown

    for _ in range(2):
        left = settings_of(change(utility, {}, "/notification/invoices/delete"))
        assert [one.pageIdentifier for one in left.pageNotifications] == ["login"]
    assert portal.get("/portal/me").json()["organisation"]["pageNotifications"] == [other]
    assert changes(utility)[1:] == [["pageNotifications"]] * 4


def test_notifications_of_several_pages_at_once_are_all_kept(utility: Utility) -> None:
    pages = ["startpage", "login", "register", "movein", "moveout", "overview"]
    put = [
        lambda page=page: change(utility, {"pageIdentifier": page, "notificationType": "neutral"}, "/notification")
        for page in pages
    ]
    for answer in at_once([*put, lambda: change(utility, {"primaryColor": "#0b6e4f"})]):
        settings_of(answer)
    shown = read(utility)
    assert {one.pageIdentifier for one in shown.pageNotifications} == set(pages)
    assert shown.primaryColor == "#0b6e4f"


def test_a_repeated_change_is_one_change(utility: Utility) -> None:
    body = {"primaryColor": "#0b6e4f"}
    first = change(utility, body, **{"Idempotency-Key": "save-1"})
    settings_of(change(utility, {"primaryColor": "#000000"}))
    again = change(utility, body, **{"Idempotency-Key": "save-1"})
    assert settings_of(again) == settings_of(first)
    assert read(utility).primaryColor == "#000000"


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ({"isEnabled": "yes"}, "VALIDATION_FAILED"),
        ({"primaryColor": "green"}, "VALIDATION_FAILED"),
        ({"logo": "javascript:alert(1)"}, "INVALID_URL"),
        ({"portalPublicUrls": ["portal"]}, "INVALID_URL"),
        ({"portalPublicUrls": ["https://a.example.com"] * 21}, "VALIDATION_FAILED"),
        ({"contact": {"emailAddress": "service"}}, "FIELD_NOT_AN_EMAILADRESS"),
        ({"advanceChangeLimit": {"rangeMin": 1, "rangeMax": 0, "type": "fixed"}}, "VALIDATION_FAILED"),
        ({"advanceChangeLimit": {"rangeMin": 0, "rangeMax": 1, "type": "other"}}, "VALIDATION_FAILED"),
        ({"advanceChangeLimit": {"rangeMin": "0", "rangeMax": 1, "type": "fixed"}}, "VALIDATION_FAILED"),
        ({"pageNotifications": [{"pageIdentifier": "nowhere", "notificationType": "neutral"}]}, "VALIDATION_FAILED"),
    ],
)
def test_what_is_wrong_changes_nothing(body: dict[str, Any], key: str, utility: Utility) -> None:
    before = read(utility)
    assert set(refused_with(change(utility, {"secondaryColor": "#0b6e4f"} | body))) == {key}
    assert read(utility) == before


def test_a_notification_is_bounded_and_names_a_page_that_there_is(utility: Utility) -> None:
    told = {"pageIdentifier": "login", "notificationType": "neutral"}
    assert refused_with(change(utility, told | {"translatedContent": "x" * 8_000}, "/notification"))
    assert refused_with(change(utility, told | {"notificationType": "loud"}, "/notification"))
    assert refused_with(change(utility, {}, "/notification/nowhere/delete")) == ["VALIDATION_FAILED"]
    assert read(utility).pageNotifications == []


def test_changing_needs_the_permission_and_an_organisation_that_is_known(utility: Utility) -> None:
    for rest, body in (("", {}), ("/notification/login/delete", {})):
        user = utility.employee(Role.USER).post(cfg(utility, rest), body)
        problem(user, 403, "PERMISSION_INVALID")
    unknown = Utility(utility.world, utility.tenant, new_id())
    problem(change(unknown, {"isEnabled": True}), 404, "RESOURCE_NOT_FOUND")
    problem(unknown.portal.get(cfg(unknown)), 404, "RESOURCE_NOT_FOUND")


def test_a_portal_is_found_by_its_url_without_anybody_being_logged_in(world: World) -> None:
    url, public = own_url(), own_url("public")
    utility = world.utility(portalUrl=url, branding={"primaryColor": "#123456"})
    settings_of(change(utility, {"portalPublicUrls": [public]}))
    for spelt in (url, f"{url}/", url.upper(), public):
        assert settings_of(found(world, spelt)) == read(utility)
    problem(found(world, own_url()), 404, "RESOURCE_NOT_FOUND")
    problem(found(world, "https://"), 404, "RESOURCE_NOT_FOUND")


def test_a_url_that_is_given_up_leads_nowhere(world: World) -> None:
    url, public, new = own_url(), own_url("public"), own_url("new")
    utility = world.utility(portalUrl=url)
    settings_of(change(utility, {"portalPublicUrls": [public]}))
    utility.change_settings(portalUrl=new)
    problem(found(world, url), 404, "RESOURCE_NOT_FOUND")
    assert settings_of(found(world, new)) == settings_of(found(world, public)) == read(utility)
    settings_of(change(utility, {"portalPublicUrls": []}))
    problem(found(world, public), 404, "RESOURCE_NOT_FOUND")


def test_nobody_takes_over_the_url_of_another_organisations_portal(world: World) -> None:
    url = own_url()
    other = world.utility(portalUrl=own_url("other"), branding={"primaryColor": "#000000"})
    mine = world.utility(portalUrl=url, branding={"primaryColor": "#ffffff"})
    settings_of(change(other, {"portalPublicUrls": [url]}))
    mine.change_settings(portalUrl=url, branding={"primaryColor": "#fffffe"})
    assert settings_of(found(world, url)).primaryColor == "#fffffe", "whoever came first is found"
    assert settings_of(world.http.get(cfg(other), params={"portalUrl": url}, headers=other.headers)) == read(other)
    mine.change_settings(portalUrl=None)
    assert settings_of(found(world, url)).primaryColor == "#000000"


def test_with_the_headers_the_url_must_be_that_organisations(world: World) -> None:
    mine, other = world.utility(portalUrl=own_url()), world.utility(portalUrl=own_url())
    url = mine.employee().get("/organisation/portal-settings").json()["portalUrl"]
    assert settings_of(mine.portal.get(cfg(mine), params={"portalUrl": url})) == read(mine)
    problem(other.portal.get(cfg(other), params={"portalUrl": url}), 404, "RESOURCE_NOT_FOUND")


@pytest.mark.parametrize("query", [{}, {"portalUrl": ""}, {"portalUrl": "https://a\x00b"}, {"portalUrl": "x" * 501}])
def test_a_portal_that_says_nothing_of_itself_is_refused(query: dict[str, str], world: World) -> None:
    answer = world.http.get(f"{world.url}/api/cfg/PortalSettings", params=query)
    assert refused_with(answer) == ["VALIDATION_FAILED"]
    assert answer.json()["errors"][0]["messageValues"][0]["value"] == "portalUrl"
