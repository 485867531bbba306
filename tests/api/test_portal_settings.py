"""The organisation's portal settings: replaced whole, within bounds, told in the log without their values."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from app.domain.callers import Actor, ActorType, Call, Caller, Seen
from app.domain.organisations import Organisation
from app.domain.public_portal import PublicPortal
from app.errors import InvalidUrl
from app.ids import new_id
from app.main import running
from app.permissions import ROLES, Role
from tests.api.expect import fields, problem
from tests.support.service import test_settings
from tests.support.world import Utility, World

_PATH = "/organisation/portal-settings"
_DEFAULTS: dict[str, Any] = {
    "portalEnabled": False,
    "portalUrl": None,
    "defaultLanguage": "en-GB",
    "features": {
        "documents": True,
        "invoices": True,
        "advancePaymentAdjustable": False,
        "editContactDetails": True,
    },
    "tokenLifetimes": {"invitationHours": 14 * 24, "emailConfirmationHours": 24, "passwordResetMinutes": 60},
    "confirmOnInvitation": False,
    "impersonationEnabled": True,
    "showAccessLog": False,
    "notifyAfterImpersonation": False,
    "retentionDays": None,
    "sender": {"name": None, "email": None},
    "branding": {"primaryColor": None, "secondaryColor": None, "logoUrl": None},
    "communicationEnabled": True,
    "sandboxRecipient": None,
}
_EVERYTHING: dict[str, Any] = {
    "name": "Zonneveld Warmte",
    "portalEnabled": True,
    "portalUrl": "https://portal.example.com/customers",
    "defaultLanguage": "nl-BE",
    "features": {
        "documents": False,
        "invoices": False,
        "advancePaymentAdjustable": True,
        "editContactDetails": False,
    },
    "tokenLifetimes": {"invitationHours": 1, "emailConfirmationHours": 2, "passwordResetMinutes": 30},
    "confirmOnInvitation": True,
    "impersonationEnabled": False,
    "showAccessLog": True,
    "notifyAfterImpersonation": True,
    "retentionDays": 365,
    "sender": {"name": "Zonneveld", "email": "warm@example.com"},
    "branding": {
        "primaryColor": "#0b6e4f",
        "secondaryColor": "#F2A541",
        "logoUrl": "https://cdn.example.com/logo.png",
    },
    "communicationEnabled": False,
    "sandboxRecipient": "sandbox@example.com",
}


def _put(utility: Utility, **settings: Any) -> Any:
    return utility.employee().put(_PATH, {"name": "Zonneveld Warmte"} | settings)


def test_the_first_put_creates_the_organisation(world: World) -> None:
    utility = Utility(world, new_id(), new_id())
    problem(utility.employee().get(_PATH), 404, "RESOURCE_NOT_FOUND")
    first = _put(utility)
    assert first.status_code == 201
    assert first.json() == {"name": "Zonneveld Warmte"} | _DEFAULTS
    assert _put(utility).status_code == 200
    assert utility.employee().get(_PATH).json() == first.json()


def test_what_is_left_out_goes_back_to_its_default(utility: Utility) -> None:
    answer = _put(utility, **_EVERYTHING)
    assert answer.status_code == 200
    assert answer.json() == _EVERYTHING
    assert utility.employee().get(_PATH).json() == _EVERYTHING
    assert _put(utility, name="Bare").json() == {"name": "Bare"} | _DEFAULTS


def test_parts_of_a_group_go_back_to_their_defaults_too(utility: Utility) -> None:
    _put(utility, **_EVERYTHING)
    answer = _put(utility, features={"documents": False}, tokenLifetimes={}, sender={"name": "Only a name"}).json()
    assert answer["features"] == _DEFAULTS["features"] | {"documents": False}
    assert answer["tokenLifetimes"] == _DEFAULTS["tokenLifetimes"]
    assert answer["sender"] == {"name": "Only a name", "email": None}


@pytest.mark.parametrize(
    ("group", "field", "value"),
    [
        ("tokenLifetimes", "invitationHours", 0),
        ("tokenLifetimes", "invitationHours", 10**9),
        ("tokenLifetimes", "invitationHours", 1.5),
        ("tokenLifetimes", "invitationHours", "24"),
        ("tokenLifetimes", "emailConfirmationHours", -1),
        ("tokenLifetimes", "passwordResetMinutes", 0),
        ("tokenLifetimes", "passwordResetMinutes", True),
        ("features", "documents", "yes"),
        ("features", "documents", 1),
        ("features", "magic", True),
        ("sender", "email", "noise"),
        ("sender", "name", ""),
        ("branding", "primaryColor", "green"),
        ("branding", "primaryColor", "#12345"),
        ("branding", "secondaryColor", "#123456;background:url(x)"),
        ("branding", "primaryColor", "#123456\n"),
        ("branding", "logoUrl", "javascript:alert(1)"),
        ("branding", "logoUrl", "data:image/png;base64,AA"),
        (None, "retentionDays", 0),
        (None, "retentionDays", 10**9),
        (None, "retentionDays", "365"),
        (None, "defaultLanguage", "english"),
        (None, "portalEnabled", "true"),
        (None, "portalEnabled", None),
        (None, "confirmOnInvitation", 0),
        (None, "sandboxRecipient", "noise"),
        (None, "name", ""),
        (None, "name", None),
        (None, "name", "x" * 201),
    ],
)
def test_a_value_out_of_its_range_is_refused(utility: Utility, group: str | None, field: str, value: Any) -> None:
    before = utility.employee().get(_PATH).json()
    answer = _put(utility, **({group: {field: value}} if group else {field: value}))
    assert answer.status_code == 422, answer.text
    assert fields(answer.json()) == {f"{group}.{field}" if group else field}
    assert utility.employee().get(_PATH).json() == before


_BAD_URLS = [
    "portal.example.com",
    "//portal.example.com",
    "ftp://portal.example.com",
    "javascript:alert(1)",
    "javascript://portal.example.com/%0aalert(1)",
    "https://",
    "https:///path",
    "https://user@portal.example.com",
    "https://user:secret@portal.example.com",
    "https://:@portal.example.com",
    "https://portal.example.com?next=https://evil.example.com",
    "https://portal.example.com/?",
    "https://portal.example.com#token=1",
    "https://portal.example.com/#",
    "https://portal.example.com/a b",
    " https://portal.example.com",
    "https://portal.example.com\n",
    "https://portal.exam\tple.com",
    "https://portal.example.com\\@evil.example.com",
    'https://portal.example.com/"><script>',
    "https://portal.example.com:99999",
    "https://portal.example.com:port",
    "https://[::1",
    "https://pörtal.example.com",
    "https://portal.example.com/\u202e",
    "x" * 600,
    "",
]


@pytest.mark.parametrize("url", _BAD_URLS, ids=ascii)
def test_a_url_that_could_hide_something_is_refused(utility: Utility, url: str) -> None:
    answer = _put(utility, portalEnabled=True, portalUrl=url)
    key = "VALIDATION_FAILED" if url == "" or len(url) > 500 else "INVALID_URL"
    assert fields(problem(answer, 422, key)) == {"portalUrl"}
    assert utility.employee().get(_PATH).json()["portalUrl"] == "https://portal.example.com"


@pytest.mark.parametrize(
    "url", ["https://portal.example.com", "https://portal.example.com:8443/customers", "http://localhost:5173"]
)
def test_a_plain_address_is_fine(utility: Utility, url: str) -> None:
    assert _put(utility, portalUrl=url).json()["portalUrl"] == url


def test_a_slash_at_the_end_does_not_double_in_links(utility: Utility) -> None:
    _put(utility, portalEnabled=True, portalUrl="https://portal.example.com/app/")
    customer = utility.customer()
    customer.invite()
    assert customer.mail().page == "https://portal.example.com/app/register"


def test_production_refuses_a_portal_without_tls(world: World) -> None:
    given = world.settings.model_dump(include={"secret_keys", "smtp_url", "data_dir"})
    settings = test_settings(
        **given,
        database_url=str(world.settings.database_url),
        environment="production",
        oidc_issuer="https://issuer.example.com",
        seal_key="a-key-of-the-tests-that-only-seals-0123456789",
    )

    async def put(url: str, public: str = "https://public.example.com") -> tuple[str, ...]:
        tenant, organisation = new_id(), new_id()
        caller = Caller(Actor(ActorType.EMPLOYEE, "e-7"), tenant, organisation, ROLES[Role.ADMINISTRATOR])
        wanted = Organisation(tenant, organisation, "Zonneveld Warmte", portal_url=url)
        call = Call(caller, Seen("test"))
        async with running(settings) as parts:
            service = parts.services.portal_settings
            await service.put(wanted, call=call)
            shown = await service.adjust(lambda known: replace(known, public_portal=PublicPortal((public,))), call=call)
            return shown.public_urls

    assert asyncio.run(put("https://portal.example.com")) == ("https://public.example.com",)
    with pytest.raises(InvalidUrl) as refused:
        asyncio.run(put("http://portal.example.com"))
    assert [error.field for error in refused.value.errors] == ["portalUrl"]
    with pytest.raises(InvalidUrl) as refused:
        asyncio.run(put("https://portal.example.com", "http://public.example.com"))
    assert [error.field for error in refused.value.errors] == ["portalPublicUrls"]


def _changes(utility: Utility) -> list[Any]:
    answer = utility.employee().get("/organisation/activities", params={"type": "PortalSettingsChanged"})
    return [entry["payload"] for entry in reversed(answer.json()["results"])]


def test_the_log_names_what_changed_and_no_values(utility: Utility) -> None:
    _put(utility, portalEnabled=True, portalUrl="https://portal.example.com")
    before = len(_changes(utility))
    new = {"sandboxRecipient": "secret.address@example.com", "sender": {"email": "secret.sender@example.com"}}
    _put(utility, portalEnabled=True, portalUrl="https://other.example.com", **new)
    changes = _changes(utility)
    assert len(changes) == before + 1
    assert set(changes[-1]["changed"]) == {"portalUrl", "sandboxRecipient", "sender"}, "the API's own names"
    assert not changes[-1].get("created")
    for value in ("secret.address", "secret.sender", "other.example.com"):
        assert value not in repr(changes)


def test_a_put_that_changes_nothing_leaves_no_entry(utility: Utility) -> None:
    before = _changes(utility)
    assert len(before) == 1
    assert before[0]["created"] is True
    utility.change_settings()
    assert _changes(utility) == before


def test_the_entry_names_who_did_it(utility: Utility) -> None:
    utility.employee(subject="employee-9", name="Ada").put(_PATH, {"name": "By Ada"})
    entry = utility.employee().get("/organisation/activities").json()["results"][0]
    assert entry["actor"] == {"type": "employee", "id": "employee-9", "name": "Ada"}
    assert entry["subject"] == {"type": "organisation", "id": str(utility.organisation)}
    assert entry["customerId"] is None


def test_another_tenant_cannot_take_an_organisation_over(utility: Utility) -> None:
    before = utility.employee().get(_PATH).json()
    thief = Utility(utility.world, new_id(), utility.organisation)
    problem(thief.employee().put(_PATH, {"name": "Mine now"}), 403, "PERMISSION_INVALID")
    problem(thief.employee().get(_PATH), 403, "PERMISSION_INVALID")
    assert utility.employee().get(_PATH).json() == before


def test_what_is_answered_can_be_put_back(utility: Utility) -> None:
    _put(utility, **_EVERYTHING)
    settings = utility.employee().get(_PATH).json()
    answer = utility.employee().put(_PATH, settings)
    assert answer.status_code == 200
    assert answer.json() == settings
