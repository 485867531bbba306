"""Impersonation sessions: employees logged in as customers."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Interval, any_, bindparam, case, func, insert, null, select, update
from sqlalchemy.sql.dml import ReturningUpdate
from sqlalchemy.types import LargeBinary, Text, Uuid

from app.database import Connection, Row, Statement
from app.domain.activities import ActivityType, CustomerRef
from app.domain.callers import Actor, ImpersonationRef
from app.domain.impersonations import (
    TIME,
    EndReason,
    Impersonation,
    ImpersonationState,
    NewImpersonation,
)
from app.models import activities, customers, impersonations, sessions
from app.repositories.rows import ORGANISATION, impersonation, impersonation_columns, is_overdue, over_at

_ID = impersonations.c.id == bindparam("impersonation_id", type_=Uuid())
IS_OF_CUSTOMER = impersonations.c.customer_id == bindparam("customer_id", type_=Uuid())
_OF_EMPLOYEE = impersonations.c.employee_id == bindparam("employee_id", type_=Text())
_THIS = (impersonations.c.organisation_id == ORGANISATION) & _ID
_OVERDUE = is_overdue()
_COLUMNS = impersonation_columns()

# Held until the transaction ends: of two starts of one employee the second sees, and ends, what the first began.
_LOCK_EMPLOYEE = Statement(
    select(
        func.pg_advisory_xact_lock(
            func.hashtextextended(func.concat(ORGANISATION, bindparam("employee_id", type_=Text())), 0)
        )
    ).where(ORGANISATION.is_not(None))
)

_START = Statement(
    insert(impersonations)
    .values(
        organisation_id=ORGANISATION,
        id=bindparam("impersonation_id"),
        customer_id=bindparam("customer_id"),
        account_id=bindparam("account_id"),
        employee_id=bindparam("employee_id"),
        employee_name=bindparam("employee_name"),
        reason=bindparam("reason"),
        ticket_reference=bindparam("ticket_reference"),
        access_mode=bindparam("access_mode"),
        state=ImpersonationState.PENDING.value,
        handoff_expires_at=func.now() + bindparam("handoff", type_=Interval()),
        expires_at=func.now() + bindparam("lifetime", type_=Interval()),
    )
    .returning(*_COLUMNS)
)

_redeemed = (
    update(impersonations)
    .where(
        _THIS,
        impersonations.c.state == ImpersonationState.PENDING.value,
        impersonations.c.ended_at.is_(None),
        impersonations.c.handoff_expires_at > func.now(),
        impersonations.c.expires_at > func.now(),
    )
    .values(state=ImpersonationState.ACTIVE.value, redeemed_at=func.now())
    .returning(
        impersonations.c.organisation_id,
        impersonations.c.customer_id,
        impersonations.c.account_id,
        impersonations.c.id,
        impersonations.c.expires_at,
    )
    .cte("redeemed")
)
_REDEEM = Statement(
    insert(sessions)
    .from_select(
        [
            "organisation_id",
            "customer_id",
            "account_id",
            "impersonation_id",
            "expires_at",
            "id",
            "secret_digest",
            "ip_address",
            "user_agent",
        ],
        select(
            _redeemed.c.organisation_id,
            _redeemed.c.customer_id,
            _redeemed.c.account_id,
            _redeemed.c.id,
            _redeemed.c.expires_at,
            bindparam("session_id", type_=Uuid()),
            bindparam("secret_digest", type_=LargeBinary()),
            bindparam("ip_address", type_=Text()),
            bindparam("user_agent", type_=Text()),
        ),
    )
    .returning(sessions.c.expires_at)
)


def ending(*conditions: Any) -> ReturningUpdate[Any]:
    """Ends open impersonations; `EndedImpersonation` is made of what it returns.

    What time has ended before is closed as expired, at that time, whoever comes now.

    The rows are locked in the order of their ids first, so that two who end several never wait for each other.
    """
    locked = (
        select(impersonations.c.id)
        .where(impersonations.c.organisation_id == ORGANISATION, impersonations.c.ended_at.is_(None), *conditions)
        .order_by(impersonations.c.id)
        .with_for_update()
        .cte("locked")
    )
    return (
        update(impersonations)
        .where(
            impersonations.c.organisation_id == ORGANISATION,
            impersonations.c.id == locked.c.id,
            impersonations.c.ended_at.is_(None),
            customers.c.organisation_id == ORGANISATION,
            customers.c.id == impersonations.c.customer_id,
        )
        .values(
            state=case((_OVERDUE, ImpersonationState.EXPIRED.value), else_=ImpersonationState.ENDED.value),
            ended_at=case((_OVERDUE, over_at()), else_=func.now()),
            ended_by_type=case((_OVERDUE, TIME.type.value), else_=bindparam("by_type", type_=Text())),
            ended_by_id=case((_OVERDUE, TIME.id), else_=bindparam("by_id", type_=Text())),
            ended_by_name=case((_OVERDUE, null()), else_=bindparam("by_name", type_=Text())),
            end_reason=case((_OVERDUE, EndReason.EXPIRED.value), else_=bindparam("reason", type_=Text())),
        )
        .returning(
            impersonations.c.id,
            impersonations.c.state,
            impersonations.c.employee_id,
            impersonations.c.employee_name,
            impersonations.c.redeemed_at,
            impersonations.c.end_reason,
            customers.c.id.label("customer_id"),
            customers.c.account_number,
            customers.c.account_generation,
        )
    )


_END = Statement(ending(_ID, IS_OF_CUSTOMER))
_END_OF_CUSTOMER = Statement(ending(IS_OF_CUSTOMER))
_END_OF_EMPLOYEE = Statement(ending(_OF_EMPLOYEE))
_END_OVERDUE = Statement(ending(_ID, _OVERDUE))

# The log knows: a right that came in the bearer is judged at the start, an assigned one may go at any time.
_started_by_assignment = (
    select(activities.c.id)
    .where(
        activities.c.organisation_id == ORGANISATION,
        activities.c.customer_id == impersonations.c.customer_id,
        activities.c.type == ActivityType.IMPERSONATION_STARTED.value,
        activities.c.subject_id == impersonations.c.id,
        activities.c.payload["rightAssigned"].astext == "true",
    )
    .correlate(impersonations)
    .exists()
)
_END_BY_ASSIGNMENT = Statement(
    ending(impersonations.c.employee_id == any_(bindparam("employee_ids", type_=ARRAY(Text()))), _started_by_assignment)
)
_EMPLOYEES_BY_ASSIGNMENT = Statement(
    select(impersonations.c.employee_id).where(
        impersonations.c.organisation_id == ORGANISATION, impersonations.c.ended_at.is_(None), _started_by_assignment
    )
)

_GET = Statement(select(*_COLUMNS).where(_THIS))
_GET_OF_CUSTOMER = Statement(select(*_COLUMNS).where(_THIS, IS_OF_CUSTOMER))


@dataclass(frozen=True, slots=True)
class EndedImpersonation:
    """An impersonation that has just come to its end."""

    ref: ImpersonationRef
    customer: CustomerRef
    state: ImpersonationState
    reason: str
    redeemed: bool


class Impersonations:
    """Impersonation sessions of one organisation."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def lock_employee(self, employee_id: str) -> None:
        """Nobody else starts an impersonation for this employee until the transaction ends."""
        await self._connection.row(_LOCK_EMPLOYEE, employee_id=employee_id)

    async def start(
        self,
        new: NewImpersonation,
        *,
        impersonation_id: UUID,
        customer_id: UUID,
        account_id: UUID,
        employee: Actor,
        handoff: timedelta,
        lifetime: timedelta,
    ) -> Impersonation:
        """A pending impersonation; the caller has ended the employee's others."""
        row = await self._connection.one(
            _START,
            impersonation_id=impersonation_id,
            customer_id=customer_id,
            account_id=account_id,
            employee_id=employee.id,
            employee_name=employee.name,
            reason=new.reason,
            ticket_reference=new.ticket_reference,
            access_mode=new.access_mode.value,
            handoff=handoff,
            lifetime=lifetime,
        )
        return _found(row)

    async def redeem(
        self,
        impersonation_id: UUID,
        *,
        session_id: UUID,
        secret_digest: bytes,
        ip_address: str | None,
        user_agent: str | None,
    ) -> datetime | None:
        """Spend the hand-off for a session: when both end, for one caller, once, in time; None for everyone else."""
        row = await self._connection.row(
            _REDEEM,
            impersonation_id=impersonation_id,
            session_id=session_id,
            secret_digest=secret_digest,
            ip_address=ip_address,
            user_agent=user_agent,
        )
        return row["expires_at"] if row else None

    async def get(self, impersonation_id: UUID) -> Impersonation | None:
        """The impersonation with this id."""
        row = await self._connection.row(_GET, impersonation_id=impersonation_id)
        return impersonation(row) if row else None

    async def of_customer(self, customer_id: UUID, impersonation_id: UUID) -> Impersonation | None:
        """The customer's impersonation with this id."""
        row = await self._connection.row(_GET_OF_CUSTOMER, customer_id=customer_id, impersonation_id=impersonation_id)
        return impersonation(row) if row else None

    async def end(self, customer_id: UUID, impersonation_id: UUID, reason: str, by: Actor) -> list[EndedImpersonation]:
        """End this impersonation of the customer; nothing when it had been closed before."""
        return await self._end(_END, reason, by, customer_id=customer_id, impersonation_id=impersonation_id)

    async def end_of_customer(self, customer_id: UUID, reason: str, by: Actor) -> list[EndedImpersonation]:
        """End every impersonation of the customer that is open; those that were."""
        return await self._end(_END_OF_CUSTOMER, reason, by, customer_id=customer_id)

    async def end_of_employee(self, employee_id: str, reason: str, by: Actor) -> list[EndedImpersonation]:
        """End the employee's impersonation, of whichever customer, if one is open."""
        return await self._end(_END_OF_EMPLOYEE, reason, by, employee_id=employee_id)

    async def employees_by_assignment(self) -> list[str]:
        """The employees with an open impersonation whose right to it came by a role assignment."""
        return [row["employee_id"] for row in await self._connection.rows(_EMPLOYEES_BY_ASSIGNMENT)]

    async def end_by_assignment(self, employee_ids: list[str], reason: str, by: Actor) -> list[EndedImpersonation]:
        """End those of these employees that are open and whose right to it came by a role assignment."""
        return await self._end(_END_BY_ASSIGNMENT, reason, by, employee_ids=employee_ids)

    async def end_overdue(self, impersonation_id: UUID) -> list[EndedImpersonation]:
        """Close this impersonation if time has ended it."""
        return await self._end(_END_OVERDUE, EndReason.EXPIRED, TIME, impersonation_id=impersonation_id)

    async def _end(self, statement: Statement, reason: str, by: Actor, **given: Any) -> list[EndedImpersonation]:
        rows = await self._connection.rows(
            statement, reason=str(reason), by_type=by.type.value, by_id=by.id, by_name=by.name, **given
        )
        return [ended_impersonation(row) for row in rows]


def ended_impersonation(row: Row) -> EndedImpersonation:
    """From what `ending` returns."""
    return EndedImpersonation(
        ImpersonationRef(row["id"], row["employee_id"], row["employee_name"]),
        CustomerRef(row["customer_id"], row["account_number"], row["account_generation"]),
        ImpersonationState(row["state"]),
        row["end_reason"],
        row["redeemed_at"] is not None,
    )


def _found(row: Row) -> Impersonation:
    found = impersonation(row)
    assert found is not None
    return found
