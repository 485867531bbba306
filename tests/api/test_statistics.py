"""How many customers use the portal, in all and week by week."""

from datetime import date, timedelta
from typing import Any

import pytest

from tests.api.expect import fields, problem
from tests.support.world import Customer, Utility, World

_PATH = "/organisation/statistics"


def figures(utility: Utility, weeks: int | None = None) -> dict[str, Any]:
    answer = utility.employee().get(_PATH, params={} if weeks is None else {"weeks": weeks})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def monday(world: World, back: int = 0) -> date:
    """The first day of a week, so many weeks ago, by the database's clock."""
    today: date = world.sql.value("SELECT (now() AT TIME ZONE 'UTC')::date")
    return today - timedelta(days=today.weekday(), weeks=back)


def name(day: date) -> str:
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


def moved(customer: Customer, table: str, column: str, to: str) -> None:
    """Into the past, to a moment of UTC."""
    customer.utility.world.sql.run(
        f"UPDATE {table} SET {column} = '{to}+00' WHERE organisation_id = $1 AND customer_id = $2",
        customer.utility.organisation,
        customer.id,
    )


def counted(utility: Utility, day: date) -> tuple[int, int, int]:
    (week,) = [one for one in figures(utility)["weeks"] if one["week"] == name(day)]
    return week["invited"], week["registered"], week["confirmed"]


def test_an_organisation_where_nothing_happened_has_zeros(utility: Utility) -> None:
    body = figures(utility)
    assert body["totals"] == {"customers": 0, "invited": 0, "registered": 0, "active": 0}
    assert len(body["weeks"]) == 26
    this = monday(utility.world)
    assert [one["week"] for one in body["weeks"]] == [name(this - timedelta(weeks=back)) for back in range(25, -1, -1)]
    assert {(one["invited"], one["registered"], one["confirmed"]) for one in body["weeks"]} == {(0, 0, 0)}


def test_the_totals_say_where_customers_stand(utility: Utility) -> None:
    utility.customer()
    invited, waiting = utility.customer(), utility.customer()
    for _ in range(2):
        invited.invite()
    waiting.registered()
    active = utility.customer().active()
    imported = utility.customer()
    assert imported.import_account().status_code == 201
    assert imported.import_account(live=False).status_code == 201
    assert figures(utility)["totals"] == {"customers": 5, "invited": 3, "registered": 3, "active": 2}
    assert utility.employee().post(f"{active.path}/reset", {}).status_code == 200
    assert figures(utility)["totals"] == {"customers": 5, "invited": 3, "registered": 2, "active": 1}


def test_what_came_stands_in_its_week(utility: Utility) -> None:
    customer = utility.customer().active()
    this = monday(utility.world)
    assert counted(utility, this) == (1, 1, 1)
    moved(customer, "tokens", "created_at", f"{this - timedelta(weeks=5)} 12:00")
    moved(customer, "accounts", "registered_at", f"{this - timedelta(weeks=4)} 12:00")
    moved(customer, "accounts", "email_confirmed_at", f"{this - timedelta(weeks=3)} 12:00")
    assert [counted(utility, this - timedelta(weeks=back)) for back in (5, 4, 3, 0)] == [
        (1, 0, 0),
        (0, 1, 0),
        (0, 0, 1),
        (0, 0, 0),
    ]
    assert sum(sum(list(one.values())[1:]) for one in figures(utility)["weeks"]) == 3


@pytest.mark.parametrize(("weekday", "moment"), [(0, "00:00:00"), (6, "23:59:59.999999")], ids=["first", "last"])
def test_a_week_begins_on_monday_in_utc(utility: Utility, weekday: int, moment: str) -> None:
    customer = utility.customer()
    assert customer.import_account().status_code == 201
    first = monday(utility.world, 2)
    moved(customer, "accounts", "registered_at", f"{first + timedelta(days=weekday)} {moment}")
    assert counted(utility, first)[1] == 1


def test_a_customer_invited_twice_in_a_week_counts_once_and_in_each_week(utility: Utility) -> None:
    customer = utility.customer()
    this = monday(utility.world)
    customer.invite()
    customer.invite()
    assert counted(utility, this)[0] == 1
    moved(customer, "tokens", "created_at", f"{this - timedelta(weeks=1)} 12:00")
    customer.invite()
    assert [counted(utility, this - timedelta(weeks=back))[0] for back in (1, 0)] == [1, 1]
    assert figures(utility)["totals"]["invited"] == 1


def test_older_weeks_are_shown_when_asked_for(utility: Utility) -> None:
    customer = utility.customer()
    assert customer.import_account().status_code == 201
    long_ago = monday(utility.world, 103)
    moved(customer, "accounts", "registered_at", f"{long_ago} 00:00")
    assert len(figures(utility, 1)["weeks"]) == 1
    weeks = figures(utility, 104)["weeks"]
    assert (weeks[0]["week"], weeks[0]["registered"]) == (name(long_ago), 1)
    assert len({one["week"] for one in weeks}) == 104, "no week is left out or twice, around New Year either"


def test_another_organisation_counts_its_own(utility: Utility) -> None:
    utility.customer().active()
    other = figures(utility.world.utility())
    assert set(other["totals"].values()) == {0}
    assert all(one["invited"] == one["registered"] == one["confirmed"] == 0 for one in other["weeks"])


@pytest.mark.parametrize("weeks", ["0", "105", "-1", "many", "1.5"])
def test_a_number_of_weeks_that_cannot_be_shown_is_refused(utility: Utility, weeks: str) -> None:
    answer = utility.employee().get(_PATH, params={"weeks": weeks})
    assert fields(problem(answer, 422, "VALIDATION_FAILED")) == {"weeks"}
