"""What the servers work on: loaded by PostgreSQL itself, with nothing that the product would not have written.

Members have an account, a live session and a log; the invited have a pending invitation. What a request spends (a link,
an impersonation) is made for that one request.
"""

import asyncio
import base64
from dataclasses import dataclass, field
from typing import Any

from app.passwords import Passwords
from app.tokens import Purpose, TokenSigner
from tests.support.databases import Sql
from tests.support.world import PASSWORD, Utility

MEMBERS, INVITED, SESSIONS = 10_000, 10_000, 1_000

_CUSTOMERS = (
    "INSERT INTO customers (organisation_id, id, account_number, display_name, email, language)"
    " SELECT $1, gen_random_uuid(), $2 || n, 'Jan ' || md5(n::text), lower($2) || n || '@example.com', 'nl-BE'"
    " FROM generate_series(1, $3::int) AS n"
)
_ACCOUNTS = (
    "INSERT INTO accounts (organisation_id, id, customer_id, state, generation, email, password_hash, registered_at,"
    " last_active_at, email_confirmed_at) SELECT organisation_id, gen_random_uuid(), id, 'live', 1, email, $3, now(),"
    " now(), CASE WHEN $4 THEN now() END FROM customers WHERE organisation_id = $1 AND account_number LIKE $2 || '%'"
)
_MAILS = (
    "INSERT INTO communications (organisation_id, id, customer_id, kind, email, language, automatic, status, attempts,"
    " created_by_type, created_by_id, correlation_id, sent_at) SELECT organisation_id, gen_random_uuid(), id,"
    " $3, email, 'nl-BE', false, 'successful', 1, 'employee', 'employee-7', 'benchmark', now() FROM customers"
    " WHERE organisation_id = $1 AND account_number LIKE $2 || '%'"
)
_LINKS = (
    "INSERT INTO tokens (organisation_id, id, purpose, customer_id, account_id, communication_id, email, language,"
    " state, created_by_type, created_by_id, created_by_name, expires_at, viewed_at) SELECT m.organisation_id,"
    " gen_random_uuid(), m.kind, m.customer_id, a.id, m.id, m.email, 'nl-BE', 'pending', 'employee', 'employee-7',"
    " 'Eva Maes', now() + interval '1 day', now() FROM communications m JOIN customers c"
    " ON c.organisation_id = m.organisation_id AND c.id = m.customer_id LEFT JOIN accounts a"
    " ON a.organisation_id = m.organisation_id AND a.customer_id = m.customer_id"
    " WHERE m.organisation_id = $1 AND c.account_number LIKE $2 || '%'"
)
# A secret that the tests can tell: the session's id, twice.
_SESSIONS = (
    "INSERT INTO sessions (organisation_id, id, customer_id, account_id, secret_digest, expires_at)"
    " SELECT organisation_id, id, customer_id, account_id, sha256(uuid_send(id) || uuid_send(id)),"
    " now() + interval '1 day' FROM (SELECT organisation_id, gen_random_uuid() AS id, customer_id, id AS account_id"
    " FROM accounts WHERE organisation_id = $1 LIMIT $2) AS one"
)
_ACTIVITIES = (
    "INSERT INTO activities (organisation_id, id, type, occurred_at, customer_id, account_number, account_generation,"
    " actor_type, actor_id, actor_name, subject_type, subject_id, ip_address, user_agent, correlation_id, payload)"
    " SELECT organisation_id, gen_random_uuid(), 'PortalLoginSucceeded', now() - n * interval '7 hours', id,"
    " account_number, 1, 'customer', id::text, display_name, 'session', gen_random_uuid(), '192.0.2.7',"
    " 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', md5(n::text), '{}'"
    " FROM customers, generate_series(1, $3::int) AS n WHERE organisation_id = $1 AND account_number LIKE $2 || '%'"
)
_IMPERSONATIONS = (
    "INSERT INTO impersonations (organisation_id, id, customer_id, account_id, employee_id, employee_name, reason,"
    " access_mode, state, handoff_expires_at, expires_at) SELECT organisation_id, gen_random_uuid(), customer_id, id,"
    " 'employee-' || gen_random_uuid(), 'Eva Maes', 'Help with an invoice', 'readonly', 'pending',"
    " now() + interval '1 hour', now() + interval '1 hour' FROM accounts a"
    " WHERE organisation_id = $1 AND EXISTS (SELECT FROM customers c WHERE c.organisation_id = a.organisation_id"
    " AND c.id = a.customer_id AND c.account_number LIKE $2 || '%')"
)


@dataclass(frozen=True)
class Data:
    """An organisation and what was loaded into it. Customers of a kind have its letter before their number."""

    utility: Utility
    password_hash: str = field(default_factory=lambda: asyncio.run(Passwords().hash(PASSWORD)))

    def load(self, entries: int, *, members: int = MEMBERS, invited: int = INVITED) -> None:
        """Members, each with so many entries of the log, and invited."""
        self.customers("M", members, confirmed=True)
        self._run(_SESSIONS, SESSIONS)
        self.log("M", entries)
        self.customers("I", invited, mailed=Purpose.INVITATION)

    def log(self, letter: str, entries: int) -> None:
        """So many entries of the log for each of the customers with the letter."""
        self._run(_ACTIVITIES, letter, entries)

    def customers(
        self, letter: str, count: int, *, confirmed: bool | None = None, mailed: Purpose | None = None
    ) -> None:
        """Customers, with an account if it is said whether that is confirmed, and with a pending link."""
        self._run(_CUSTOMERS, letter, count)
        if confirmed is not None:
            self._run(_ACCOUNTS, letter, self.password_hash, confirmed)
        if mailed is not None:
            self._run(_MAILS, letter, mailed.value)
            self._run(_LINKS, letter)

    def impersonated(self, letter: str, count: int) -> None:
        """Customers as whom an employee is about to log in, each another one."""
        self.customers(letter, count, confirmed=True)
        self._run(_IMPERSONATIONS, letter)

    def settle(self) -> None:
        """What autovacuum would do in its time."""
        self._sql.run("VACUUM ANALYZE")

    def rows(self, letter: str, table: str = "customers") -> list[dict[str, Any]]:
        """The rows of a table that belong to the customers with the letter, each with the customer's id and number."""
        return self._sql.rows(
            "SELECT kept.*, c.id AS customer, c.account_number AS number, c.email AS address"
            f" FROM {table} kept JOIN customers c ON c.organisation_id = kept.organisation_id"
            f" AND c.id = kept.{'id' if table == 'customers' else 'customer_id'}"
            " WHERE kept.organisation_id = $1 AND c.account_number LIKE $2 || '%'",
            self.utility.organisation,
            letter,
        )

    def links(self, letter: str, purpose: Purpose) -> list[str]:
        """The links of the customers with the letter: one-time tokens, or hand-offs of impersonations."""
        signer = TokenSigner(self.utility.world.settings.secret_keys)
        table = "impersonations" if purpose is Purpose.IMPERSONATION else "tokens"
        return [signer.sign(purpose, self.utility.organisation, row["id"]) for row in self.rows(letter, table)]

    def session_tokens(self) -> list[str]:
        """The tokens of the members' sessions."""
        organisation = self.utility.organisation.bytes
        return [
            "zfp_" + base64.urlsafe_b64encode(organisation + row["id"].bytes * 3).decode().rstrip("=")
            for row in self.rows("M", "sessions")
        ]

    @property
    def _sql(self) -> Sql:
        return self.utility.world.sql

    def _run(self, sql: str, *arguments: Any) -> None:
        self._sql.run(sql, self.utility.organisation, *arguments)
