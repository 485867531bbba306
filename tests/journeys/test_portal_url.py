"""Is the portal where its address says? Tried when it changes, once a day and on request."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.permissions import Permission, Role
from tests.api.expect import problem
from tests.journeys.reading import refusal, wait_for_jobs
from tests.journeys.test_races import at_once
from tests.journeys.test_retention import tend
from tests.support.databases import Sql, drop, fresh_copy
from tests.support.mail import Mailbox
from tests.support.portals import PortalServer, certificate, portal_server
from tests.support.service import listening, test_settings
from tests.support.world import Utility, World

_CHECKS = "/organisation/portal-url-checks"


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PortalServer]:
    """A portal whose certificate the service trusts."""
    folder = tmp_path_factory.mktemp("tls")
    context, trusted = certificate(folder)
    with pytest.MonkeyPatch.context() as environment, portal_server(context) as server:
        environment.setenv("SSL_CERT_FILE", str(trusted))
        yield server


@pytest.fixture(scope="module")
def plain() -> Iterator[PortalServer]:
    """A portal without https."""
    with portal_server() as server:
        yield server


@pytest.fixture(scope="module")
def checking(
    server: str, worker_id: str, tls: PortalServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """A service that may call loopback and waits a second at most."""
    url = fresh_copy(server, f"portal_checks_{worker_id}")
    settings = test_settings(
        database_url=url,
        data_dir=tmp_path_factory.mktemp("data"),
        webhook_allowed_networks="127.0.0.0/8",
        check_portals=True,
        portal_check_seconds=1,
    )
    with listening(settings) as (address, _), httpx.Client(timeout=20) as http:
        yield World(address, settings, Sql(url), Mailbox(), http)
    drop(server, f"portal_checks_{worker_id}")


def checks(utility: Utility) -> list[dict[str, Any]]:
    """What is remembered: one check at most."""
    return utility.world.sql.rows(
        "SELECT url, checked_at, problem FROM portal_url_checks WHERE organisation_id = $1", utility.organisation
    )


def checked(utility: Utility, url: str, since: object = None) -> str | None:
    """The problem with this address, once it has been tried."""
    deadline = time.monotonic() + 15
    while True:
        found = [one for one in checks(utility) if one["url"] == url and (since is None or one["checked_at"] > since)]
        if found:
            return found[0]["problem"]
        assert time.monotonic() < deadline, f"not checked: {checks(utility)}"
        time.sleep(0.03)


def outcome(world: World, url: str) -> str | None:
    """What a new utility with this portal is told."""
    return checked(world.utility(portalUrl=url), url)


@pytest.mark.parametrize("page", ["", "/moved", "/hop/3", "/endless"])
def test_a_portal_that_answers_has_no_problem(checking: World, tls: PortalServer, page: str) -> None:
    assert outcome(checking, tls.url + page) is None


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("/down", "status 503"),
        ("/gone", "status 404"),
        ("/closed", "status 401"),
        ("/slow", "within 1 seconds"),
        ("/hop/4", "more than 3 times"),
        ("/circle", "more than 3 times"),
        ("/file", "no web address"),
        ("/metadata", "private address"),
        ("/noise", "as a website should"),
    ],
)
def test_what_is_wrong_is_said_in_words(checking: World, tls: PortalServer, page: str, words: str) -> None:
    said = outcome(checking, tls.url + page)
    assert said is not None
    assert words in said
    assert said.endswith(".")


def test_a_portal_without_https_works_but_is_told_so(checking: World, tls: PortalServer, plain: PortalServer) -> None:
    assert "without https" in str(outcome(checking, plain.url))
    tls.redirects["/to-plain"] = f"{plain.url}/"
    assert "without https" in str(outcome(checking, f"{tls.url}/to-plain")), "nor may a redirect leave https"


@pytest.mark.parametrize("days", [1, -1], ids=["nobody's", "expired"])
def test_a_certificate_that_browsers_refuse_is_told(checking: World, tmp_path: Path, days: int) -> None:
    with portal_server(certificate(tmp_path, days=days)[0]) as portal:
        assert "certificate" in str(outcome(checking, portal.url))
    assert portal.asked == []


def test_a_port_where_nobody_listens_and_a_name_that_nobody_has(checking: World) -> None:
    with portal_server() as portal:
        pass
    assert "does not answer" in str(outcome(checking, portal.url))
    assert "does not answer" in str(outcome(checking, f"https://{'x' * 64}.example"))


def test_without_leave_a_private_address_is_not_called(world: World, plain: PortalServer) -> None:
    before = list(plain.asked)
    utility = world.utility(portalUrl=plain.url)
    assert utility.employee().post(_CHECKS).status_code == 202
    assert "private address" in str(checked(utility, plain.url))
    assert plain.asked == before


def test_where_addresses_are_not_checked_by_themselves_only_asking_does(utility: Utility, plain: PortalServer) -> None:
    utility.change_settings(portalUrl=plain.url)
    wait_for_jobs(utility)
    assert checks(utility) == []


def test_a_new_address_is_checked_and_an_unchanged_one_is_not_again(checking: World, tls: PortalServer) -> None:
    utility = checking.utility(portalUrl=tls.url)
    assert checked(utility, tls.url) is None
    before = checks(utility)
    utility.change_settings(portalUrl=tls.url, name="Other name")
    utility.change_settings(portalUrl=f"{tls.url}/down")
    assert "503" in str(checked(utility, f"{tls.url}/down"))
    assert checks(utility) != before
    assert len([path for path, _ in tls.asked if path == "/"]) >= 1


def test_an_employee_has_it_checked_again(checking: World, tls: PortalServer) -> None:
    utility = checking.utility(portalUrl=f"{tls.url}/soon")
    tls.redirects["/soon"] = "/down"
    assert "503" in str(checked(utility, f"{tls.url}/soon"))
    [first] = checks(utility)
    tls.redirects["/soon"] = "/moved"
    answer = utility.employee().post(_CHECKS)
    assert answer.status_code == 202
    assert answer.json() == {"accepted": True}
    assert checked(utility, f"{tls.url}/soon", since=first["checked_at"]) is None


def test_the_same_request_again_asks_once(checking: World, tls: PortalServer) -> None:
    utility = checking.utility(portalUrl=tls.url)
    headers = {"Idempotency-Key": "check-1"}
    answers = [utility.employee().post(_CHECKS, headers=headers) for _ in range(2)]
    assert [answer.json() for answer in answers] == [{"accepted": True}] * 2
    assert answers[1].headers["Idempotency-Replayed"] == "true"


def test_without_an_address_there_is_nothing_to_check(utility: Utility) -> None:
    utility.change_settings(portalUrl=None)
    assert refusal(utility.employee().post(_CHECKS)) == (409, "PORTAL_URL_MISSING")
    stranger = Utility(utility.world, utility.tenant, utility.world.utility().organisation)
    problem(stranger.employee().post(_CHECKS), 403, "PERMISSION_INVALID")
    reader = utility.employee(None, Permission.PORTAL_SETTINGS_READ)
    problem(reader.post(_CHECKS), 403, "PERMISSION_INVALID")
    problem(utility.employee(Role.USER).post(_CHECKS), 403, "PERMISSION_INVALID")


def test_an_outcome_for_an_address_of_yesterday_is_not_kept(checking: World, tls: PortalServer) -> None:
    utility = checking.utility(portalUrl=f"{tls.url}/slow")
    deadline = time.monotonic() + 10
    while not any(path == "/slow" for path, _ in tls.asked):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    utility.change_settings(portalUrl=tls.url)  # while the old one is being tried
    assert checked(utility, tls.url) is None
    time.sleep(1.5)
    assert [one["url"] for one in checks(utility)] == [tls.url]


def test_many_who_ask_at_once_are_all_content(checking: World, tls: PortalServer) -> None:
    utility = checking.utility(portalUrl=tls.url)
    checked(utility, tls.url)
    ask = utility.employee().post
    assert {answer.status_code for answer in at_once([lambda: ask(_CHECKS)] * 8)} == {202}
    assert len(checks(utility)) == 1


def test_the_diagnosis_tells_it(checking: World, tls: PortalServer) -> None:
    utility = checking.utility(portalUrl=f"{tls.url}/down")
    checked(utility, f"{tls.url}/down")
    customer = utility.customer()
    findings = utility.employee().get(f"{customer.path}/diagnosis").json()["findings"]
    [finding] = [one for one in findings if one["code"] == "portaladdressnotworking"]
    assert "status 503" in finding["evidence"]["problem"]


def test_an_address_is_checked_with_the_daily_work(checking: World, tls: PortalServer) -> None:
    utility = checking.utility(portalUrl=tls.url)
    checked(utility, tls.url)
    [first] = checks(utility)
    tend(utility)
    assert checked(utility, tls.url, since=first["checked_at"]) is None


def test_what_the_finding_names_clears_it_once_the_portal_answers(checking: World, tls: PortalServer) -> None:
    utility = checking.utility(portalUrl=f"{tls.url}/later")
    tls.redirects["/later"] = "/down"
    checked(utility, f"{tls.url}/later")
    [first] = checks(utility)
    customer = utility.customer()
    where = f"{customer.path}/diagnosis"
    findings = utility.employee().get(where).json()["findings"]
    [finding] = [one for one in findings if one["code"] == "portaladdressnotworking"]
    tls.redirects["/later"] = "/moved"
    assert finding["action"] == {"method": "POST", "path": f"/api/portal/v1{_CHECKS}"}
    assert utility.employee().post(_CHECKS).status_code == 202
    checked(utility, f"{tls.url}/later", since=first["checked_at"])
    assert "portaladdressnotworking" not in [one["code"] for one in utility.employee().get(where).json()["findings"]]


def test_a_check_of_an_unknown_organisation_is_simply_done(checking: World) -> None:
    known = checking.utility(portalUrl=None)
    unknown = replace(known, organisation=known.tenant)
    checking.sql.run(
        "INSERT INTO pgqueuer (priority, entrypoint, payload, status)"
        " VALUES (0, 'check_portal_url', convert_to($1, 'UTF8'), 'queued')",
        f'{{"organisationId": "{unknown.organisation}"}}',
    )
    deadline = time.monotonic() + 10
    while checking.sql.value(
        "SELECT count(*) FROM pgqueuer WHERE position(convert_to($1, 'UTF8') in payload) > 0", str(unknown.organisation)
    ):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert checks(unknown) == []
