"""Whoever has the whole database, its queue, the log and every answer to an employee has no way in."""

import base64
import io
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import httpx
import pytest

from app.session_tokens import read_session_token
from app.tokens import Purpose, TokenSigner
from tests.security.callers import with_password
from tests.support.databases import Sql, drop, fresh_copy, run
from tests.support.mail import Mailbox
from tests.support.service import Process, api_process, test_settings
from tests.support.world import NEW_PASSWORD, Customer, Utility, World, handed_over
from tests.webhooks.partners import create

_TABLES = (
    "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables"
    " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
)
# What these answer belongs to whoever asks, and is shown to nobody again.
_TO_ITS_OWNER = ("/impersonation-sessions", "/impersonations/redeem", "/portal/sessions", "/webhook-endpoints")


class Told(httpx.Client):
    """A client that keeps every answer but those that hand something over to its owner."""

    def __init__(self) -> None:
        super().__init__(timeout=20)
        self.answers: list[str] = []
        self.event_hooks = {"response": [self._keep]}

    def _keep(self, answer: httpx.Response) -> None:
        if not (answer.request.method == "POST" and answer.request.url.path.endswith(_TO_ITS_OWNER)):
            self.answers.append(f"{answer.headers} {answer.read().decode()}")


@pytest.fixture
def unsent(server: str, worker_id: str, tmp_path: Path) -> Iterator[tuple[Utility, Process, Told]]:
    """An organisation of a service whose mails all wait in the queue."""
    name = f"portal_dump_{worker_id}"
    settings = test_settings(database_url=fresh_copy(server, name), data_dir=tmp_path)
    with api_process(settings, tmp_path / "log", "--no-worker") as (url, process), Told() as http:
        yield World(url, settings, Sql(str(settings.database_url)), Mailbox(), http).utility(), process, http
    drop(server, name)


def dumped(url: str) -> str:
    """Every table as text, as `pg_dump` writes it."""

    async def copy(connection: asyncpg.Connection) -> str:
        whole = io.BytesIO()
        for row in await connection.fetch(_TABLES):
            whole.write(f"\n{row['name']}\n".encode())
            await connection.copy_from_query(f"SELECT * FROM {row['name']}", output=whole)
        return whole.getvalue().decode()

    return run(url, copy)


def mail_links(utility: Utility) -> None:
    """Invitations, resets and confirmations, most of which end the one before; some under a key for repetition."""
    strangers, unproven = [utility.customer() for _ in range(20)], [utility.customer() for _ in range(5)]
    for customer in unproven:
        assert customer.import_account(emailConfirmedDateTime=None).status_code == 201
    everyone = [(customer, "invitations", 25) for customer in strangers]
    everyone += [(customer, "email-confirmations", 20) for customer in unproven]
    for customer, kind, count in everyone:
        for number in range(count):
            headers = {"Idempotency-Key": f"{customer.id}-{number}"} if number % 2 else {}
            answer = utility.employee().post(f"{customer.path}/{kind}", headers=headers)
            assert answer.status_code == 201, answer.text


def come_in(customer: Customer) -> list[str]:
    """Everything that the service hands over to its owner: links for impersonations, sessions of both kinds."""
    handed: list[str] = []
    for number in range(10):
        headers = {"Idempotency-Key": f"{customer.id}-{number}"} if number % 2 else {}
        body = {"reason": "Help with an invoice"}
        started = customer.utility.employee().post(f"{customer.path}/impersonation-sessions", body, headers=headers)
        entered, logged_in = customer.redeem(started.json()), customer.log_in(password=NEW_PASSWORD)
        handed += [handed_over(started.json()), entered.json()["accessToken"], logged_in.json()["accessToken"]]
        assert customer.send_reset().status_code == 201
    return handed


def links(utility: Utility) -> list[str]:
    """Every link that was or will be mailed: the same at each signing."""
    signer = TokenSigner(utility.world.settings.secret_keys)
    rows = utility.world.sql.rows("SELECT id, purpose FROM tokens WHERE organisation_id = $1", utility.organisation)
    return [signer.sign(Purpose(row["purpose"]), utility.organisation, row["id"]) for row in rows]


def forms(secret: str) -> Iterator[str]:
    """How a token, or the part of it that suffices, could stand in a dump: as text, and as bytes in hexadecimal."""
    essence = secret.rpartition(".")[2] if "." in secret else secret[-43:]  # its signature, its 256 random bits
    yield essence
    yield essence.encode().hex()
    yield base64.urlsafe_b64decode(essence + "=").hex()


@pytest.mark.asvs("6.5.2", "16.2.5")
def test_nothing_in_a_dump_opens_anything(unsent: tuple[Utility, Process, Told]) -> None:
    utility, process, http = unsent
    mail_links(utility)
    customers = [with_password(utility.customer()) for _ in range(10)]
    handed = [token for customer in customers for token in come_in(customer)]
    created = create(utility, "https://8.8.8.8/events")  # public, and with these types never called
    assert created.status_code == 201, created.text
    secret = created.json()["secret"]
    for customer in customers:
        for page in ("", "/activities", "/communications", "/invitations", "/impersonation-sessions", "/diagnosis"):
            assert utility.employee().get(f"{customer.path}{page}").status_code == 200
    tokens = set(links(utility)) | set(handed)
    assert len(tokens) >= 1_000
    places = {
        "the database": dumped(str(utility.world.settings.database_url)),
        "the log": process.output,
        "an answer": "\n".join(http.answers),
    }
    # What must stand there is found, so the look is a good one: sessions by their digests, and jobs.
    assert read_session_token(handed[-1]).secret_digest.hex() in places["the database"]
    assert str(utility.organisation).encode().hex() in places["the database"].partition("\npublic.pgqueuer\n")[2]
    for where, text in places.items():
        for token in tokens:
            assert not any(form in text for form in forms(token)), where
        for password in (NEW_PASSWORD, secret, secret.removeprefix("whsec_")):
            assert password not in text, where
            assert password.encode().hex() not in text, where
