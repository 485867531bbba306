"""How often one may try: counted for accounts and client addresses alike, whether there is such an account or not."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import httpx
import pytest

from app.ids import new_id
from app.permissions import Permission, Role
from tests.api.expect import problem
from tests.journeys.reading import newest_mail, refusal, without_identity
from tests.journeys.test_races import at_once
from tests.support.service import REAL_LIMITS, listening
from tests.support.world import NEW_PASSWORD, PASSWORD, Client, Customer, Utility, World

WRONG = "seven cold radiators"
TRY_LATER = (429, "TOO_MANY_REQUESTS")
REFUSED = (401, "INVALID_CREDENTIALS")


@pytest.fixture(scope="module")
def limited(world: World) -> Iterator[World]:
    """A service with the limits that it really has, behind a trusted proxy, so that each test has its own addresses."""
    real = REAL_LIMITS | {"run_worker": False, "trusted_proxies": ("127.0.0.1",)}
    with listening(world.settings.model_copy(update=real)) as (url, _):
        yield replace(world, url=url)


@pytest.fixture
def owner(utility: Utility, limited: World) -> Customer:
    """A customer with an account, at that service."""
    customer = utility.customer().active()
    return replace(customer, utility=replace(utility, world=limited))


_addresses = iter(range(1, 255))


def client_address() -> dict[str, str]:
    """The header that makes a call come from an address of its own."""
    return {"X-Forwarded-For": f"192.0.2.{next(_addresses)}"}


def log_in(utility: Utility, email: str, password: str, address: dict[str, str]) -> httpx.Response:
    return utility.portal.post("/portal/sessions", {"email": email, "password": password}, headers=address)


def wrong(owner: Customer, times: int, address: dict[str, str] | None = None) -> list[tuple[int, str]]:
    """So many wrong passwords, by default each from another address."""
    return [refusal(log_in(owner.utility, owner.email, WRONG, address or client_address())) for _ in range(times)]


@pytest.mark.asvs("6.3.1")
def test_ten_wrong_passwords_close_an_account_wherever_they_come_from(owner: Customer) -> None:
    assert wrong(owner, 11) == [REFUSED] * 10 + [TRY_LATER]
    answer = log_in(owner.utility, owner.email, PASSWORD, client_address())
    problem(answer, 429, "TOO_MANY_REQUESTS")
    wait = int(answer.headers["Retry-After"])
    assert 200 < wait <= 300
    assert answer.headers["RateLimit-Policy"] == '"failed-logins-of-account";q=10;w=300'
    assert answer.headers["RateLimit"] == f'"failed-logins-of-account";r=0;t={wait}'
    assert owner.log().count("PortalLoginFailed") == 10, "what was not looked at leaves nothing in the log"
    neighbour = owner.utility.customer().email
    assert refusal(log_in(owner.utility, neighbour, WRONG, client_address())) == REFUSED
    namesake = owner.utility.world.utility()
    assert refusal(log_in(namesake, owner.email, WRONG, client_address())) == REFUSED, "another organisation's"


def test_only_wrong_passwords_count_and_a_right_one_forgives_none(owner: Customer) -> None:
    address = client_address()
    for _ in range(12):
        assert log_in(owner.utility, owner.email, PASSWORD, address).status_code == 201
    assert wrong(owner, 9, address) == [REFUSED] * 9
    assert log_in(owner.utility, owner.email, PASSWORD, address).status_code == 201
    assert wrong(owner, 2, address) == [REFUSED, TRY_LATER]


def test_other_spellings_of_the_address_are_no_other_account(owner: Customer) -> None:
    spellings = [owner.email.upper(), f" {owner.email} ", owner.email.replace("i", "İ"), owner.email.title()]
    for number in range(10):
        spelt = spellings[number % len(spellings)]
        assert refusal(log_in(owner.utility, spelt, WRONG, client_address())) == REFUSED
    assert refusal(log_in(owner.utility, owner.email, PASSWORD, client_address())) == TRY_LATER


def shown(answer: httpx.Response) -> tuple[bytes, dict[str, str]]:
    """All that an answer shows but for this request's own name, its time, and the seconds that are left."""
    own = ("x-correlation-id", "date", "retry-after", "ratelimit", "content-length")
    body = re.sub(rb"again in [0-9]+ seconds", b"", without_identity(answer))
    return body, {name: value for name, value in answer.headers.items() if name not in own}


@pytest.mark.asvs("6.3.8")
def test_known_and_unknown_addresses_are_refused_alike_below_and_above_the_limit(owner: Customer) -> None:
    unconfirmed = owner.utility.customer()
    unconfirmed.registered()
    addresses = [owner.email, unconfirmed.email, owner.utility.customer().email, f"nobody.{owner.number}@example.com"]
    for number in range(12):
        answers = [log_in(owner.utility, address, WRONG, client_address()) for address in addresses]
        assert all(shown(answer) == shown(answers[-1]) for answer in answers)
        assert answers[0].status_code == (401 if number < 10 else 429)


def test_of_many_guesses_at_once_ten_are_answered(owner: Customer) -> None:
    addresses = [client_address() for _ in range(30)]
    answers = at_once([partial(log_in, owner.utility, owner.email, WRONG, address) for address in addresses])
    assert sorted(refusal(answer) for answer in answers) == [REFUSED] * 10 + [TRY_LATER] * 20
    assert owner.log().count("PortalLoginFailed") == 10


def test_the_owner_of_a_closed_account_resets_the_password_and_is_in(owner: Customer) -> None:
    wrong(owner, 10)
    assert refusal(log_in(owner.utility, owner.email, PASSWORD, client_address())) == TRY_LATER
    asked = owner.utility.portal.post("/portal/password-resets", {"email": owner.email}, headers=client_address())
    assert asked.status_code == 202
    link = newest_mail(owner.utility, owner.email, "reset-password").token
    assert owner.choose_password(link).status_code == 200
    assert log_in(owner.utility, owner.email, NEW_PASSWORD, client_address()).status_code == 201


def test_fifty_wrong_passwords_close_a_client_address(utility: Utility, limited: World, owner: Customer) -> None:
    here = replace(utility, world=limited)
    site = {"X-Forwarded-For": "2001:db8:1:2::1"}
    answers = [log_in(here, f"nobody.{new_id()}@example.com", WRONG, site) for _ in range(51)]
    assert [refusal(answer) for answer in answers] == [REFUSED] * 50 + [TRY_LATER]
    assert answers[-1].headers["RateLimit-Policy"] == '"failed-logins-of-address";q=50;w=300'
    same_site = {"X-Forwarded-For": "2001:db8:1:2:ffff::9"}
    assert refusal(log_in(owner.utility, owner.email, PASSWORD, same_site)) == TRY_LATER
    elsewhere = {"X-Forwarded-For": "2001:db8:1:3::1"}
    assert log_in(owner.utility, owner.email, PASSWORD, elsewhere).status_code == 201


def test_a_wrong_current_password_is_a_wrong_password(owner: Customer) -> None:
    session = owner.logged_in()
    changes: list[Callable[[str], httpx.Response]] = [
        lambda given: session.put("/portal/me/password", {"currentPassword": given, "password": NEW_PASSWORD}),
        lambda given: session.post("/portal/me/email", {"currentPassword": given, "email": "jan@example.org"}),
    ]
    for change in changes * 2:
        assert refusal(change(WRONG)) == REFUSED
    assert wrong(owner, 6) == [REFUSED] * 6
    for change in changes:
        assert refusal(change(PASSWORD)) == TRY_LATER
    assert refusal(log_in(owner.utility, owner.email, PASSWORD, client_address())) == TRY_LATER
    assert session.get("/portal/me").status_code == 200, "who is in stays in"


@pytest.mark.parametrize("path", ["/portal/password-resets", "/portal/email-confirmations/resend"])
def test_asking_for_mails_is_counted_by_client_and_tells_nothing(owner: Customer, path: str) -> None:
    def ask(email: str, address: dict[str, str]) -> httpx.Response:
        return owner.utility.portal.post(path, {"email": email}, headers=address)

    one, other = client_address(), client_address()
    known = [ask(owner.email, one) for _ in range(22)]
    unknown = [ask("nobody@example.com", other) for _ in range(22)]
    assert [answer.status_code for answer in known] == [202] * 20 + [429] * 2
    assert [shown(answer) for answer in known] == [shown(answer) for answer in unknown]
    assert ask(owner.email, client_address()).status_code == 202


LINKS: dict[str, tuple[str, dict[str, str]]] = {
    "inspections": ("/portal/tokens/inspect", {}),
    "registrations": ("/portal/registrations", {"customerNumber": "1", "password": PASSWORD}),
    "redemptions": ("/portal/email-confirmations", {}),
}
REDEEMED = {
    "/portal/impersonations/redeem": {},
    "/portal/password-resets/complete": {"password": PASSWORD},
}


@pytest.mark.parametrize("limit", LINKS)
def test_links_are_tried_sixty_times_a_minute(limited: World, limit: str) -> None:
    utility, address = limited.utility(), client_address()
    path, body = LINKS[limit]
    answers = [utility.portal.post(path, {"token": "noise"} | body, headers=address) for _ in range(61)]
    assert [refusal(answer) for answer in answers] == [(400, "TOKEN_INVALID")] * 60 + [TRY_LATER]
    assert answers[-1].headers["RateLimit-Policy"] == f'"{limit}";q=60;w=60'
    counted_with_it = REDEEMED if limit == "redemptions" else {}
    for other, more in REDEEMED.items():
        answer = utility.portal.post(other, {"token": "noise"} | more, headers=address)
        assert refusal(answer) == (TRY_LATER if other in counted_with_it else (400, "TOKEN_INVALID"))


@pytest.mark.asvs("2.4.1")
def test_the_back_office_is_counted_by_caller_in_each_organisation(limited: World) -> None:
    utility, neighbour = limited.utility(), limited.utility()
    busy = utility.employee(Role.READONLY, subject="busy")
    answers = at_once([lambda: [busy.get("/organisation/roles").status_code for _ in range(76)]] * 8)
    statuses = [status for one in answers for status in one]
    assert statuses.count(429) == 8
    assert set(statuses) <= {403, 429}, "what is refused counts as well"
    answer = busy.get("/organisation/portal-settings")
    assert refusal(answer) == TRY_LATER
    assert answer.headers["RateLimit-Policy"] == '"back-office";q=600;w=60'
    assert utility.employee(subject="colleague").get("/organisation/portal-settings").status_code == 200
    assert neighbour.employee(subject="busy").get("/organisation/portal-settings").status_code == 200


def test_telling_other_services_about_sessions_is_not_counted(limited: World) -> None:
    service = limited.utility().employee(None, Permission.PORTAL_INTROSPECT, subject="invoices", application=True)
    statuses = at_once([lambda: [introspect(service) for _ in range(76)]] * 8)
    assert {status for one in statuses for status in one} == {200}


def introspect(service: Client) -> int:
    url = f"{service.world.url}/api/portal/v1/portal/sessions/introspect"
    return service.world.http.post(url, data={"token": "noise"}, headers=service.headers).status_code
