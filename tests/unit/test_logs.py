"""The log of a whole journey through a real process holds no token, no password and no address."""

import json

import httpx
import pytest

from tests.support.databases import Sql, drop, fresh_copy
from tests.support.mail import SmtpServer
from tests.support.service import api_process, test_settings
from tests.support.world import PASSWORD, World


@pytest.fixture(scope="module")
def told(
    server: str, worker_id: str, smtp: SmtpServer, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, set[str]]:
    """What a process printed during a journey with all its accidents, and the secrets that it met."""
    name = f"portal_logs_{worker_id}"
    folder = tmp_path_factory.mktemp("logs")
    settings = test_settings(
        database_url=fresh_copy(server, name),
        smtp_url=smtp.url,
        data_dir=folder,
        secret_keys=("x" * 8 + "qwertzuiopü+asdfghjklöä#<yxcvbnm",),
    )
    secrets = {PASSWORD, *settings.secret_keys}
    with api_process(settings, folder / "log") as (url, process), httpx.Client(timeout=20) as http:
        world = World(url, settings, Sql(str(settings.database_url)), smtp.mailbox, http)
        _journey(world, secrets)
    drop(server, name)
    return process.output, secrets


def _journey(world: World, secrets: set[str]) -> None:
    utility = world.utility()
    customer = utility.customer()
    refused = utility.customer()
    world.mailbox.replies[refused.email] = [f"550 no such user {refused.email}"]
    secrets |= {customer.email, refused.email, utility.bearer()["Authorization"].removeprefix("Bearer ")}
    headers = {"X-Correlation-Id": "journey-1"}
    card = utility.employee().get(customer.path, headers=headers)
    assert card.status_code == 200
    assert "server" not in card.headers, "the process does not tell what it is made of"
    old = customer.invited()
    token = customer.invited()
    refused.invite()
    for wrong in (old, token + "x", token):
        customer.register(wrong, password="short")
    customer.register(token, customerNumber="wrong", password="another fine password")
    confirmation = customer.registered()
    secrets |= {old, token, confirmation, "another fine password", "guessed by somebody"}
    customer.log_in()
    assert customer.confirm(confirmation).status_code == 200
    assert customer.confirm(confirmation).status_code == 200
    customer.log_in(password="guessed by somebody")
    utility.portal.post("/portal/tokens/inspect", {"token": confirmation})
    me = customer.logged_in()
    secrets.add(me.headers["Authorization"].removeprefix("Bearer "))
    me.get("/portal/me")
    me.get(f"/portal/me?token={confirmation}&email={customer.email}")
    utility.employee().get(f"/nowhere/{confirmation}/{customer.email}")
    utility.portal.post("/portal/email-confirmations/resend", {"email": customer.email})
    secrets |= {"subscribed in the query", "subscribed in a header"}
    for place in (f"Customers/{customer.id}", "Nowhere"):
        url = f"{world.url}/api/md/{place}?subscription-key=subscribed in the query"
        utility.employee().get(url, headers={"apim-sub": "subscribed in a header"})
    utility.employee().put(f"/customers/{customer.id}", {"email": [customer.email]})
    world.sql.run("ALTER TABLE sessions RENAME TO sessions_elsewhere")
    assert me.get("/portal/me").status_code == 500
    assert customer.log_in().status_code == 500
    world.sql.run("ALTER TABLE sessions_elsewhere RENAME TO sessions")
    assert me.delete("/portal/sessions/current").status_code == 204


@pytest.mark.asvs("16.2.5")
def test_no_secret_and_no_address_stands_in_the_log(told: tuple[str, set[str]]) -> None:
    output, secrets = told
    assert len(secrets) > 8
    for secret in secrets:
        assert secret not in output
    assert "@example.com" not in output
    assert "#token=" not in output


@pytest.mark.asvs("16.4.1")
def test_every_line_is_json_with_a_level_and_a_time(told: tuple[str, set[str]]) -> None:
    for line in told[0].splitlines():
        entry = json.loads(line)
        assert {"event", "level", "timestamp"} <= set(entry), line


def test_every_request_has_one_line_with_its_correlation_id(told: tuple[str, set[str]]) -> None:
    entries = [json.loads(line) for line in told[0].splitlines() if line.startswith("{")]
    requests = [entry for entry in entries if entry["event"] == "request"]
    assert len(requests) > 20
    for entry in requests:
        assert entry["correlation_id"]
        assert {"method", "route", "status", "milliseconds"} <= set(entry)
        assert "?" not in entry["route"]
    assert sum(entry["correlation_id"] == "journey-1" for entry in requests) == 1


def test_a_fault_is_told_by_its_places_without_its_message(told: tuple[str, set[str]]) -> None:
    entries = [json.loads(line) for line in told[0].splitlines() if line.startswith("{")]
    faults = [entry for entry in entries if entry["level"] == "error"]
    assert faults
    assert any(entry.get("correlation_id") for entry in faults), "it can be found by the caller's id"
    assert any("UndefinedTableError" in str(entry.get("fault")) for entry in faults)
    assert "sessions_elsewhere" not in told[0]
    assert 'relation "' not in told[0]


def test_a_mail_that_was_refused_is_told_without_its_recipient(told: tuple[str, set[str]]) -> None:
    assert "worker ready" in told[0], "the same process sent the mails"
    assert "no such user" not in told[0]
