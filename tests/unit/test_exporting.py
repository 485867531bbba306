"""Whatever a row holds, the reader of a file gets it back."""

import csv
import io
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import Activity, Subject, SubjectType
from app.domain.callers import Actor, ActorType, ImpersonationRef
from app.routers.exporting import Export, ExportFormat
from app.schemas.activities import ActivityBody
from tests.api.exports import CSV, NDJSON, same

EXPORT = Export("activities", ActivityBody, ActivityBody.of)

TEXT = st.text(st.sampled_from("=+-@\t\r\n\"',; ")) | st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31) | TEXT,
    lambda one: st.lists(one, max_size=3) | st.dictionaries(TEXT, one, max_size=3),
    max_leaves=5,
)
ACTIVITIES = st.builds(
    Activity,
    id=st.uuids(),
    type=st.just("PortalErrorReported"),
    occurred_at=st.datetimes(timezones=st.just(UTC)),
    customer_id=st.none() | st.uuids(),
    account_number=st.none() | TEXT,
    actor=st.builds(Actor, st.sampled_from(ActorType), TEXT, st.none() | TEXT),
    impersonation=st.none() | st.builds(ImpersonationRef, st.uuids(), TEXT, st.none() | TEXT),
    subject=st.builds(Subject, st.sampled_from(SubjectType), st.uuids()),
    ip_address=st.none() | TEXT,
    user_agent=st.none() | TEXT,
    correlation_id=TEXT,
    payload=st.dictionaries(TEXT, JSON, max_size=3),
)


@given(st.lists(ACTIVITIES, max_size=3))
def test_a_reader_gets_back_what_stands_in_the_page(activities: list[Activity]) -> None:
    bodies = [ActivityBody.of(activity) for activity in activities]
    page = [body.model_dump(mode="json", by_alias=True) for body in bodies]
    for wanted, accept in ((ExportFormat.CSV, CSV), (ExportFormat.NDJSON, NDJSON)):
        same(EXPORT.head(wanted) + EXPORT.lines(wanted, bodies), accept, page)


@given(st.lists(ACTIVITIES, max_size=3))
def test_no_cell_is_a_formula(activities: list[Activity]) -> None:
    text = EXPORT.lines(ExportFormat.CSV, [ActivityBody.of(activity) for activity in activities])
    cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_a_payload_is_compact_json() -> None:
    activity = Activity(
        id=uuid4(),
        type="PortalErrorReported",
        occurred_at=datetime(2026, 11, 22, tzinfo=UTC),
        customer_id=None,
        account_number=None,
        actor=Actor(ActorType.SYSTEM, "mail"),
        impersonation=None,
        subject=Subject(SubjectType.CUSTOMER, uuid4()),
        ip_address=None,
        user_agent=None,
        correlation_id="x",
        payload={"message": 'Één, "twee"', "count": 2},
    )
    shown: Any = next(csv.reader(io.StringIO(EXPORT.lines(ExportFormat.CSV, [ActivityBody.of(activity)]), newline="")))
    assert shown[-1] == '{"message":"Één, \\"twee\\"","count":2}'
