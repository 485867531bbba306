"""Every statement names the organisation, of every table it touches: walked through, not searched as text."""

import importlib
import pkgutil
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import (
    ForeignKeyConstraint,
    Interval,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    any_,
    bindparam,
    func,
    insert,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.sql import visitors
from sqlalchemy.sql.dml import Delete, Insert, Update
from sqlalchemy.sql.elements import BinaryExpression, BindParameter
from sqlalchemy.sql.operators import eq
from sqlalchemy.sql.selectable import CTE, FromClause, Join, Select, Subquery
from sqlalchemy.types import Text

from app import repositories
from app.database import Statement, registered
from app.models import accounts, activities, customers, metadata, tokens
from app.repositories import every_organisation
from app.repositories.rows import ORGANISATION

for _module in pkgutil.iter_modules(repositories.__path__):
    importlib.import_module(f"app.repositories.{_module.name}")
# The daily work is planned for all organisations, and a portal's URL has to lead to one of them: the only statements
# that span them, and they read their ids alone.
SPANNING = [every_organisation.AFTER, every_organisation.BY_ADDRESS]
STATEMENTS = [
    one for one in registered() if type(one.element).__module__.startswith("sqlalchemy") and one not in SPANNING
]


def _leaves(source: Any) -> Iterator[FromClause]:
    """The tables, aliases, CTEs and subqueries of a FROM."""
    if isinstance(source, Join):
        yield from _leaves(source.left)
        yield from _leaves(source.right)
    else:
        yield source


def _of_organisation(source: FromClause) -> bool:
    return "organisation_id" in source.c


def _equalities(condition: Any) -> Iterator[tuple[Any, Any]]:
    """Equalities that must all hold: those joined by AND, outside OR and NOT."""
    if condition is None:
        return
    if isinstance(condition, BinaryExpression) and condition.operator is eq:
        yield condition.left, condition.right
    elif getattr(getattr(condition, "operator", None), "__name__", "") == "and_":
        for part in condition.clauses:
            yield from _equalities(part)
    elif type(condition).__name__ == "Grouping":
        yield from _equalities(condition.element)


def _conditions(source: Any) -> Iterator[Any]:
    if isinstance(source, Join):
        yield source.onclause
        yield from _conditions(source.left)
        yield from _conditions(source.right)


def _place(side: Any) -> Any:
    """The table whose organisation_id this is, the parameter, or nothing of interest."""
    if isinstance(side, BindParameter) and side.key == "organisation_id":
        return "organisation"
    if getattr(side, "name", None) == "organisation_id" and getattr(side, "table", None) is not None:
        return side.table
    return None


def _unrestricted(sources: list[FromClause], conditions: list[Any]) -> list[str]:
    """The sources that hold an organisation's data and are tied neither to the parameter nor to a tied one."""
    pairs = [
        (_place(left), _place(right))
        for condition in conditions
        for left, right in _equalities(condition)
        if _place(left) is not None and _place(right) is not None
    ]
    tied: list[Any] = ["organisation", *(one for one in sources if isinstance(one, CTE | Subquery))]
    grown = True
    while grown:
        grown = False
        for left, right in pairs:
            for known, new in ((left, right), (right, left)):
                if any(known is one for one in tied) and not any(new is one for one in tied):
                    tied.append(new)
                    grown = True
    return [str(one) for one in sources if _of_organisation(one) and not any(one is known for known in tied)]


def _faults(element: Any) -> list[str]:
    """What a statement touches without naming its organisation."""
    found: list[str] = []
    for part in visitors.iterate(element):
        if isinstance(part, Select):
            outer = part._correlate  # looked at where it stands
            froms = [leaf for source in part.get_final_froms() for leaf in _leaves(source) if leaf not in outer]
            conditions = [part.whereclause, *(one for source in part.get_final_froms() for one in _conditions(source))]
            found += _unrestricted(froms, conditions)
        elif isinstance(part, Update | Delete):
            found += _unrestricted([part.table], [part.whereclause])
        elif isinstance(part, Insert):
            found += _inserted(part)
    return found


def _inserted(part: Insert) -> list[str]:
    if part.select is not None:
        names = [getattr(name, "name", name) for name in part._select_names or ()]
        given = list(part.select.selected_columns)[names.index("organisation_id")]
    else:
        values = {getattr(column, "name", column): value for column, value in (part._values or {}).items()}
        given = values.get("organisation_id")
    place = _place(given)
    return [] if place == "organisation" or isinstance(place, CTE | Subquery) else [f"insert into {part.table}"]


def _name(statement: Statement) -> str:
    return " ".join(statement.sql.split())[:60]


def test_there_are_statements_to_look_at() -> None:
    assert len(STATEMENTS) > 25


@pytest.mark.parametrize("statement", STATEMENTS, ids=_name)
def test_a_statement_names_the_organisation(statement: Statement) -> None:
    assert "organisation_id" in statement.names, statement.sql
    assert _faults(statement.element) == [], statement.sql


def test_what_spans_organisations_reads_their_ids_alone_and_works_in_none() -> None:
    for statement in SPANNING:
        assert isinstance(statement.element, Select)
        assert [column.name for column in statement.element.selected_columns] == ["organisation_id"]
        with pytest.raises(TypeError):
            statement.arguments({"organisation_id": 1} | dict.fromkeys(statement.names))


def test_every_table_belongs_to_an_organisation_first() -> None:
    for table in metadata.tables.values():
        assert next(iter(table.primary_key.columns)).name == "organisation_id", table.name


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=str)
def test_a_table_can_be_spread_over_servers_by_organisation(table: Table) -> None:
    """What Citus asks of a table distributed by a column: each key and each reference has it, on both sides."""
    for constraint in table.constraints:
        if isinstance(constraint, PrimaryKeyConstraint | UniqueConstraint):
            assert "organisation_id" in constraint.columns, constraint.name
        if isinstance(constraint, ForeignKeyConstraint):
            pairs = {(key.parent.name, key.column.name) for key in constraint.elements}
            assert ("organisation_id", "organisation_id") in pairs, constraint.name
    for index in table.indexes:
        if index.unique:
            assert "organisation_id" in index.columns, index.name


def _customers_account(*conditions: Any) -> Any:
    return select(accounts.c.id).select_from(customers.join(accounts, conditions[0])).where(*conditions[1:])


_JOINED = (accounts.c.organisation_id == customers.c.organisation_id) & (accounts.c.customer_id == customers.c.id)
_HIDDEN = select(tokens.c.customer_id).where(tokens.c.id == bindparam("token_id")).scalar_subquery()
_OPEN = update(tokens).where(tokens.c.id == bindparam("id")).values(state="used").returning(tokens.c.id).cte("open")


@pytest.mark.parametrize(
    "careless",
    [
        select(customers.c.id),
        select(customers.c.id).where(customers.c.id == bindparam("id")),
        select(customers.c.id).where(customers.c.organisation_id != ORGANISATION),
        select(customers.c.id).where(
            (customers.c.organisation_id == ORGANISATION) | (customers.c.id == bindparam("id"))
        ),
        _customers_account(accounts.c.customer_id == customers.c.id, customers.c.organisation_id == ORGANISATION),
        _customers_account(_JOINED, customers.c.id == bindparam("id")),
        select(customers.c.id).where(customers.c.organisation_id == ORGANISATION, customers.c.id == _HIDDEN),
        select(customers.c.id).where(customers.c.organisation_id == ORGANISATION).add_cte(_OPEN),
        select(customers.alias("a").c.id),
        update(customers).values(email=None),
        activities.delete().where(activities.c.id == bindparam("id")),
        insert(customers).values(id=bindparam("id"), organisation_id=bindparam("other")),
    ],
    ids=lambda element: " ".join(str(element).split())[:60],
)
def test_the_walk_finds_whatever_is_careless(careless: Any) -> None:
    assert _faults(careless) != []


def test_the_walk_accepts_what_is_tied_through_a_join() -> None:
    assert _faults(_customers_account(_JOINED, customers.c.organisation_id == ORGANISATION)) == []


# --- parameters ------------------------------------------------------------------------------------------------


@pytest.fixture
def statement() -> Iterator[Statement]:
    """One of its own, which the register forgets again."""
    before = list(Statement.everyone)
    yield Statement(
        select(customers.c.id)
        .where(customers.c.organisation_id == ORGANISATION, customers.c.email == bindparam("email"))
        .limit(7)
    )
    Statement.everyone[:] = before


def test_arguments_come_in_the_statements_order(statement: Statement) -> None:
    assert set(statement.names) == {"organisation_id", "email"}
    given = {"email": "e", "organisation_id": "o"}
    assert statement.arguments(given) == [given[name] for name in statement.names]
    assert "LIMIT 7" in statement.sql, "its own literals are written out"


@pytest.mark.parametrize(
    "given",
    [{}, {"email": 1}, {"organisation_id": 1}, {"email": 1, "other": 2}, {"email": 1, "organisation_id": 2, "x": 3}],
)
def test_a_missing_or_superfluous_argument_is_noticed(statement: Statement, given: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        statement.arguments(given)


def test_text_that_depends_on_its_arguments_is_refused() -> None:
    before = list(Statement.everyone)
    with pytest.raises(TypeError, match="ANY"):
        Statement(select(customers.c.id).where(customers.c.id.in_(bindparam("ids", expanding=True))))
    Statement.everyone[:] = before


def test_literals_of_every_kind_are_written_out() -> None:
    before = list(Statement.everyone)
    made = Statement(
        select(text("1")).where(
            customers.c.organisation_id == ORGANISATION,
            customers.c.created_at > func.now() - literal(timedelta(hours=1), Interval()),
            customers.c.email == any_(bindparam("emails", type_=Text())),
            customers.c.display_name == literal("O'Neill; --"),
        )
    )
    Statement.everyone[:] = before
    assert sorted(made.names) == ["emails", "organisation_id"]
    assert "'O''Neill; --'" in made.sql
