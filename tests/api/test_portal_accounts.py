"""Portal accounts across an organisation's customers: filters, search, pages."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from app.database import Database
from app.ids import new_id
from tests.api.expect import fields, problem
from tests.support.databases import run
from tests.support.service import listening
from tests.support.world import Customer, Utility

_PATH = "/organisation/portal-accounts"
_NOW = datetime.now(UTC)
_CUSTOMERS = (
    "INSERT INTO customers (organisation_id, id, account_number, display_name, email)"
    " SELECT $1, gen_random_uuid(), n::text, 'Jan ' || md5(n::text), md5(n::text) || '@example.com'"
    " FROM generate_series(1, 5000) AS n"
)
_ACCOUNTS = (
    "INSERT INTO accounts (organisation_id, id, customer_id, state, generation, email, email_confirmed_at)"
    " SELECT organisation_id, gen_random_uuid(), id, 'live', 1, email, now() FROM customers"
    " WHERE organisation_id = $1"
)


def listed(utility: Utility, **params: Any) -> list[dict[str, Any]]:
    answer = utility.employee().get(_PATH, params=params)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["results"])


def numbers(utility: Utility, **params: Any) -> list[str]:
    """The customer numbers of what is listed."""
    return [one["accountNumber"] for one in listed(utility, **params)]


def imported(utility: Utility, year: int, **given: Any) -> Customer:
    """A customer with a confirmed account from an older system, registered in that year."""
    customer = utility.customer(**given)
    moments = {"registeredDateTime": f"{year}-03-04T09:12:45Z", "emailConfirmedDateTime": f"{year}-03-04T09:20:02Z"}
    assert customer.import_account(**moments).status_code == 201
    return customer


def aged(customer: Customer, table: str, column: str, days: int) -> None:
    customer.utility.world.sql.run(
        f"UPDATE {table} SET {column} = now() - make_interval(days => $3)"
        " WHERE organisation_id = $1 AND customer_id = $2",
        customer.utility.organisation,
        customer.id,
        days,
    )


def days_ago(days: int) -> str:
    return (_NOW - timedelta(days=days)).isoformat()


def test_an_account_is_shown_with_its_customer(utility: Utility) -> None:
    customer = utility.customer().active()
    (one,) = listed(utility)
    (account,) = customer.accounts()
    assert one == account | {
        "customerId": str(customer.id),
        "accountNumber": customer.number,
        "displayName": "Jan Peeters",
        "invitedDateTime": one["invitedDateTime"],
    }
    assert datetime.fromisoformat(one["invitedDateTime"]) < datetime.fromisoformat(one["registeredDateTime"])


def test_each_status_has_its_customers(utility: Utility) -> None:
    without, waiting = utility.customer(), utility.customer()
    waiting.registered()
    active = imported(utility, 2021)
    duplicate = active.import_account(live=False, registeredDateTime="2020-01-01T00:00:00Z")
    assert duplicate.status_code == 201
    assert numbers(utility, portalStatus="active") == [active.number]
    assert numbers(utility, portalStatus="notconfirmed") == [waiting.number]
    (none,) = listed(utility, portalStatus="noaccount")
    assert (none["accountNumber"], none["portalStatus"], none["invitedDateTime"]) == (without.number, "noaccount", None)
    of_an_account = {"accountId", "email", "state", "registeredDateTime", "emailConfirmedDateTime", "imported"}
    assert {none[name] for name in of_an_account | {"lastActiveDateTime"}} == {None}
    everything = listed(utility)
    assert [one["accountNumber"] for one in everything] == [waiting.number, active.number, active.number]
    assert [one["state"] for one in everything] == ["live", "live", "retired"]


def test_a_reset_account_is_listed_among_those_without(utility: Utility) -> None:
    customer = imported(utility, 2021)
    assert utility.employee().post(f"{customer.path}/reset", {}).status_code == 200
    assert listed(utility) == []
    assert numbers(utility, portalStatus="noaccount") == [customer.number]


def test_the_newest_invitation_counts(utility: Utility) -> None:
    never, once, again = (utility.customer() for _ in range(3))
    once.invite()
    again.invite()
    for one in (once, again):
        aged(one, "tokens", "created_at", 30)
    again.invite()
    found = listed(utility, portalStatus="noaccount", invitedBefore=days_ago(7))
    assert [one["accountNumber"] for one in found] == [once.number]
    assert found[0]["invitedDateTime"][:10] == days_ago(30)[:10]
    assert numbers(utility, portalStatus="noaccount", invitedBefore=days_ago(31)) == []
    everyone = numbers(utility, portalStatus="noaccount", invitedBefore=days_ago(-1))
    assert set(everyone) == {once.number, again.number}, "who was never invited was not invited before"
    assert never.number in numbers(utility, portalStatus="noaccount")


def test_last_active_before(utility: Utility) -> None:
    busy, dormant, unused = imported(utility, 2021), imported(utility, 2022), imported(utility, 2023)
    aged(busy, "accounts", "last_active_at", 1)
    aged(dormant, "accounts", "last_active_at", 400)
    assert numbers(utility, lastActiveBefore=days_ago(365)) == [unused.number, dormant.number]
    assert numbers(utility, lastActiveBefore="2023-01-01T00:00:00Z") == []
    assert numbers(utility, portalStatus="active", lastActiveBefore=days_ago(-1)) == [
        one.number for one in (unused, dormant, busy)
    ]
    utility.customer()
    assert numbers(utility, portalStatus="noaccount", lastActiveBefore=days_ago(-1)) == [], "nobody was active there"


@pytest.mark.parametrize(
    "q",
    [
        "20019",
        "20019188-X",
        "20019188-x",
        "An Van",
        "an van d",
        "Berge",
        "BERGE",
        "an.b",
        "AN.B@EXAMPLE.com",
        "old@",
        " an ",
    ],
)
def test_a_customer_is_found_by_how_something_begins(utility: Utility, q: str) -> None:
    wanted = imported(
        utility, 2021, accountNumber="20019188-X", displayName="An Van den Berge", email="an.b@example.com"
    )
    utility.world.sql.run("UPDATE accounts SET email = 'Old@example.com' WHERE customer_id = $1", wanted.id)
    imported(utility, 2022, accountNumber="30019188", displayName="Jan Peeters", email="jan@example.com")
    assert numbers(utility, q=q) == [wanted.number]


@pytest.mark.parametrize("q", ["%%", "__", "a%", "20_19188", "\\%", "19188", "den", "(?i)an", "x' OR 'x'='x", "🦀🦀"])
def test_what_looks_like_a_pattern_is_only_text(utility: Utility, q: str) -> None:
    imported(utility, 2021, accountNumber="20019188", displayName="An Van den Berge", email="an.b@example.com")
    assert numbers(utility, q=q) == []


def test_a_text_that_matches_very_many_finds_the_same(utility: Utility) -> None:
    old = imported(utility, 2001, displayName="Jan Zonneveld", email="x@example.com")
    utility.world.sql.run("UPDATE accounts SET email = 'janzon@example.com' WHERE customer_id = $1", old.id)
    without = utility.customer(displayName="Jan Zonneveld")
    assert set(numbers(utility, q="jan zon") + numbers(utility, q="janzon")) == {old.number}
    utility.world.sql.run(
        "INSERT INTO customers (organisation_id, id, account_number, display_name, created_at)"
        " SELECT $1, gen_random_uuid(), 'many-' || n, 'Zon', '2000-01-01' FROM generate_series(1, 2001) AS n",
        utility.organisation,
    )
    assert numbers(utility, q="zon", portalStatus="active") == [old.number]
    assert numbers(utility, q="zon", portalStatus="noaccount", pageSize=1) == [without.number]
    utility.world.sql.run(
        "UPDATE customers SET email = 'janzon@example.org' WHERE organisation_id = $1 AND account_number LIKE 'many-%'",
        utility.organisation,
    )
    assert numbers(utility, q="janzon", portalStatus="active") == [old.number], "by the account's address alone"
    assert numbers(utility, q="many-", portalStatus="active") == []


def test_wildcards_are_found_where_they_stand(utility: Utility) -> None:
    customer = imported(utility, 2021, accountNumber="100%_sure")
    assert numbers(utility, q="100%_s") == [customer.number]


def test_search_and_filters_must_all_match(utility: Utility) -> None:
    active, without = imported(utility, 2021, displayName="Eva Maes"), utility.customer(displayName="Eva Maes")
    imported(utility, 2021, displayName="Jan Peeters")
    assert numbers(utility, q="maes", portalStatus="active") == [active.number]
    assert numbers(utility, q="maes", portalStatus="noaccount") == [without.number]
    assert numbers(utility, q="maes", portalStatus="notconfirmed") == []
    assert numbers(utility, q="maes", lastActiveBefore="2021-01-01T00:00:00Z") == []


@pytest.mark.parametrize("params", [{}, {"portalStatus": "active"}, {"portalStatus": "noaccount"}, {"q": "Page"}])
def test_pages_go_through_all_of_them_once_newest_first(utility: Utility, params: dict[str, str]) -> None:
    if params.get("portalStatus") == "noaccount":
        made = [utility.customer() for _ in range(5)]
    else:
        made = [imported(utility, year, displayName=f"Page {year}") for year in (2019, 2020, 2020, 2020, 2023)]
    found: list[str] = []
    more: dict[str, Any] = {"pageSize": "2"}
    while True:
        body = utility.employee().get(_PATH, params=params | more).json()
        found += [one["accountNumber"] for one in body["results"]]
        if not body["hasNextPage"]:
            break
        more["continuationToken"] = body["nextPageToken"]
    assert len(found) == len(set(found)) == 5
    assert (found[0], found[-1]) == (made[-1].number, made[0].number)


def test_another_organisation_sees_none_of_it(utility: Utility) -> None:
    imported(utility, 2021, displayName="Eva Maes")
    utility.customer(displayName="Eva Maes")
    sister = Utility(utility.world, utility.tenant, new_id())
    sister.change_settings()
    for other in (sister, utility.world.utility()):
        for params in ({}, {"q": "Eva"}, {"portalStatus": "active"}, {"portalStatus": "noaccount", "q": "Eva"}):
            assert listed(other, **params) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("portalStatus", "gone"),
        ("invitedBefore", "yesterday"),
        ("invitedBefore", "2026-01-01"),
        ("lastActiveBefore", "1790000000"),
        ("q", "a"),
        ("q", "  a  "),
        ("q", "a" * 101),
        ("q", "Jan\x00"),
        ("q", "Jan\nx"),
        ("pageSize", "0"),
        ("pageSize", "201"),
        ("continuationToken", "noise"),
    ],
)
def test_what_cannot_be_asked_is_refused(utility: Utility, field: str, value: str) -> None:
    answer = utility.employee().get(_PATH, params={field: value})
    assert fields(problem(answer, 422, "VALIDATION_FAILED")) == {field}


@pytest.mark.parametrize(
    ("params", "indexes"),
    [
        ({}, {"ix_accounts_registered"}),
        ({"portalStatus": "notconfirmed"}, {"ix_accounts_unconfirmed"}),
        ({"portalStatus": "active"}, {"ix_accounts_registered"}),
        ({"portalStatus": "noaccount"}, {"ix_customers_created"}),
        (
            {"q": "Eva"},
            {
                "ix_customers_searched_number",
                "ix_customers_searched_name",
                "ix_customers_searched_last_name",
                "ix_customers_searched_email",
                "ix_accounts_searched_email",
            },
        ),
    ],
)
def test_an_index_serves_it_in_a_plan_made_for_all_arguments(
    utility: Utility, params: dict[str, str], indexes: set[str]
) -> None:
    settings = utility.world.settings.model_copy(update={"run_worker": False})
    with listening(settings) as (url, app):
        database: Database = app.state.database
        statements: list[str] = []
        database.watchers.append(statements.append)
        answer = utility.employee().get(f"{url}/api/portal/v1{_PATH}", params=params)
        assert answer.status_code == 200
    asked = next(one for one in statements if "LIMIT" in one)
    names = ", ".join(["NULL"] * len(set(re.findall(r"\$\d+", asked))))

    async def plan(connection: asyncpg.Connection) -> str:
        await connection.execute("BEGIN")  # and never committed: so many rows that an index is worth it
        for statement in (_CUSTOMERS, _ACCOUNTS):
            await connection.execute(statement, utility.organisation)
        await connection.execute("ANALYZE customers, accounts")
        for setting in ("plan_cache_mode = force_generic_plan", "enable_seqscan = off", "enable_sort = off"):
            await connection.execute(f"SET {setting}")
        await connection.execute(f"PREPARE page AS {asked}")
        return "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN EXECUTE page({names})"))

    shown = run(str(settings.database_url), plan)
    assert indexes <= set(re.findall(r"ix_\w+", shown)), shown
