"""The activity log: appended to with every change, read newest first."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, any_, bindparam, column, func, insert, or_, select, true, tuple_
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.types import Boolean, Integer, Text, Uuid

from app.database import Connection, Row, Statement
from app.domain.activities import (
    Activity,
    ActivityFilter,
    NewActivity,
    Subject,
    SubjectType,
)
from app.domain.callers import Actor, ActorType, ImpersonationRef
from app.domain.paging import NEWEST, OLDEST, Cursor, Page, PageRequest
from app.domain.webhooks import Wanted
from app.ids import new_id
from app.models import activities, webhook_endpoints
from app.repositories.rows import ORGANISATION

_WRITTEN: dict[str, Any] = {
    "id": Uuid(),
    "type": Text(),
    "customer_id": Uuid(),
    "account_number": Text(),
    "account_generation": Integer(),
    "actor_type": Text(),
    "actor_id": Text(),
    "actor_name": Text(),
    "impersonation_id": Uuid(),
    "employee_id": Text(),
    "employee_name": Text(),
    "subject_type": Text(),
    "subject_id": Uuid(),
    "ip_address": Text(),
    "user_agent": Text(),
    "correlation_id": Text(),
    "payload": JSONB(),
}

# One statement for however many activities a transaction has to report.
_given = (
    func.jsonb_to_recordset(bindparam("entries", type_=JSONB()))
    .table_valued(*(column(name, kind) for name, kind in _WRITTEN.items()), name="entry")
    .render_derived(with_types=True)
)
_written = (
    insert(activities)
    .from_select(["organisation_id", *_WRITTEN], select(ORGANISATION, *(_given.c[name] for name in _WRITTEN)))
    .returning(activities.c.id, activities.c.type)
    .cte("written")
)
# With the entries go the webhook endpoints that want to hear of them: where there are none, that is all it costs.
_APPEND = Statement(
    select(webhook_endpoints.c.id.label("endpoint_id"), _written.c.id.label("activity_id"), _written.c.type)
    .select_from(
        _written.join(
            webhook_endpoints,
            or_(
                func.cardinality(webhook_endpoints.c.types) == 0,
                _written.c.type == any_(webhook_endpoints.c.types),
            ),
        )
    )
    .where(
        webhook_endpoints.c.organisation_id == ORGANISATION,
        webhook_endpoints.c.disabled_at.is_(None),
        webhook_endpoints.c.deleted_at.is_(None),
    )
)

_READ = (
    "id",
    "type",
    "occurred_at",
    "customer_id",
    "account_number",
    "actor_type",
    "actor_id",
    "actor_name",
    "impersonation_id",
    "employee_id",
    "employee_name",
    "subject_type",
    "subject_id",
    "ip_address",
    "user_agent",
    "correlation_id",
    "payload",
)


def _optional(name: str, kind: Any, condition: Any) -> Any:
    """The condition, unless the parameter is null."""
    return or_(bindparam(name, type_=kind).is_(None), condition)


def _matching(*conditions: Any) -> Select[Any]:
    """A page of the entries that meet these conditions and the filter's others."""
    when = TIMESTAMP(timezone=True)
    return (
        select(*(activities.c[name] for name in _READ))
        .where(
            activities.c.organisation_id == ORGANISATION,
            *conditions,
            activities.c.occurred_at >= bindparam("from_at", type_=when),
            tuple_(activities.c.occurred_at, activities.c.id)
            < tuple_(bindparam("after_at", type_=when), bindparam("after_id", type_=Uuid())),
            _optional("actor_type", Text(), activities.c.actor_type == bindparam("actor_type", type_=Text())),
            _optional(
                "impersonated",
                Boolean(),
                activities.c.impersonation_id.is_not(None) == bindparam("impersonated", type_=Boolean()),
            ),
        )
        .order_by(activities.c.occurred_at.desc(), activities.c.id.desc())
        .limit(bindparam("most", type_=Integer()))
    )


_wanted = (
    func.unnest(bindparam("types", type_=ARRAY(Text())))
    .table_valued(column("type", Text()), name="wanted")
    .render_derived()
)


def _of_types(*conditions: Any) -> Statement:
    """The newest of each type, then the newest of all: a type that is rare, or not there, is not searched for among
    all that happened.
    """
    newest = _matching(activities.c.type == _wanted.c.type, *conditions).correlate(_wanted).lateral()
    found = select(newest).select_from(_wanted.join(newest, true()))
    return Statement(
        found.order_by(newest.c.occurred_at.desc(), newest.c.id.desc()).limit(bindparam("most", type_=Integer()))
    )


_OF_IDS = Statement(
    select(*(activities.c[name] for name in _READ)).where(
        activities.c.organisation_id == ORGANISATION,
        activities.c.id == any_(bindparam("activity_ids", type_=ARRAY(Uuid()))),
    )
)
_of_customer = activities.c.customer_id == bindparam("customer_id", type_=Uuid())
_PAGE_OF_CUSTOMER = Statement(_matching(_of_customer))
_PAGE_OF_CUSTOMER_AND_TYPES = _of_types(_of_customer)
_PAGE_OF_ORGANISATION = Statement(_matching())
_PAGE_OF_ORGANISATION_AND_TYPES = _of_types()


class Activities:
    """The log of one organisation."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._waiting: list[NewActivity] = []

    def record(self, activity: NewActivity) -> None:
        """Report something; it is written, with all others, just before the transaction commits."""
        self._waiting.append(activity)

    @property
    def waiting(self) -> bool:
        """Whether something was recorded that is not written yet."""
        return bool(self._waiting)

    async def write(self) -> list[Wanted]:
        """Append what was recorded, in its order; the webhook endpoints that want to hear of it."""
        if not self._waiting:
            return []
        rows = await self._connection.rows(_APPEND, entries=[_entry(activity) for activity in self._waiting])
        self._waiting = []
        return [Wanted(**row) for row in rows]

    async def of_ids(self, activity_ids: list[UUID]) -> dict[UUID, Activity]:
        """Those of the entries that the log still holds."""
        rows = await self._connection.rows(_OF_IDS, activity_ids=activity_ids)
        return {row["id"]: _activity(row) for row in rows}

    async def page(self, request: PageRequest, only: ActivityFilter, customer_id: UUID | None = None) -> Page[Activity]:
        """Activities that match, newest first: a customer's, or the whole organisation's."""
        # One upper bound: with two the database would start at the wrong one and walk to the other.
        after = min(request.after or NEWEST, Cursor.before(only.to_at) if only.to_at else NEWEST)
        given: dict[str, Any] = {
            "from_at": only.from_at or OLDEST.at,
            "actor_type": only.actor_type,
            "impersonated": only.impersonated,
            "after_at": after.at,
            "after_id": after.id,
            "most": request.size + 1,
        }
        statement = _PAGE_OF_ORGANISATION_AND_TYPES if only.types else _PAGE_OF_ORGANISATION
        if customer_id is not None:
            statement = _PAGE_OF_CUSTOMER_AND_TYPES if only.types else _PAGE_OF_CUSTOMER
            given["customer_id"] = customer_id
        if only.types:
            given["types"] = list(dict.fromkeys(only.types))
        rows = await self._connection.rows(statement, **given)
        found = [_activity(row) for row in rows]
        return Page.of(found, request.size, lambda activity: Cursor(activity.occurred_at, activity.id))


def _entry(new: NewActivity) -> dict[str, Any]:
    customer, impersonation = new.customer, new.seen.impersonation
    return {
        "id": str(new_id()),
        "type": new.type.value,
        "customer_id": str(customer.customer_id) if customer else None,
        "account_number": customer.account_number if customer else None,
        "account_generation": customer.account_generation if customer else None,
        "actor_type": new.actor.type.value,
        "actor_id": new.actor.id,
        "actor_name": new.actor.name,
        "impersonation_id": str(impersonation.session_id) if impersonation else None,
        "employee_id": impersonation.employee_id if impersonation else None,
        "employee_name": impersonation.employee_name if impersonation else None,
        "subject_type": new.subject.type.value,
        "subject_id": str(new.subject.id),
        "ip_address": new.seen.ip_address,
        "user_agent": new.seen.user_agent,
        "correlation_id": new.seen.correlation_id,
        "payload": new.payload,
    }


def _activity(row: Row) -> Activity:
    impersonation = None
    if row["impersonation_id"] is not None:
        impersonation = ImpersonationRef(row["impersonation_id"], row["employee_id"], row["employee_name"])
    return Activity(
        id=row["id"],
        type=row["type"],
        occurred_at=row["occurred_at"],
        customer_id=row["customer_id"],
        account_number=row["account_number"],
        actor=Actor(ActorType(row["actor_type"]), row["actor_id"], row["actor_name"]),
        impersonation=impersonation,
        subject=Subject(SubjectType(row["subject_type"]), row["subject_id"]),
        ip_address=row["ip_address"],
        user_agent=row["user_agent"],
        correlation_id=row["correlation_id"],
        payload=row["payload"],
    )
