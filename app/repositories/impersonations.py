"""Impersonation sessions: employees logged in as customers."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import bindparam, case, func, update
from sqlalchemy.types import Text, Uuid

from app.database import Connection, Statement
from app.domain.callers import Actor, ImpersonationRef
from app.domain.impersonations import ImpersonationState
from app.models import impersonations
from app.repositories.rows import ORGANISATION

_OVERDUE = impersonations.c.expires_at <= func.now()

# What time has ended before is closed as expired, at that time, whoever comes now.
_END_OF_CUSTOMER = Statement(
    update(impersonations)
    .where(
        impersonations.c.organisation_id == ORGANISATION,
        impersonations.c.customer_id == bindparam("customer_id", type_=Uuid()),
        impersonations.c.ended_at.is_(None),
    )
    .values(
        state=case((_OVERDUE, ImpersonationState.EXPIRED.value), else_=ImpersonationState.ENDED.value),
        ended_at=case((_OVERDUE, impersonations.c.expires_at), else_=func.now()),
        ended_by_type=case((_OVERDUE, "system"), else_=bindparam("by_type", type_=Text())),
        ended_by_id=case((_OVERDUE, "time"), else_=bindparam("by_id", type_=Text())),
        ended_by_name=case((~_OVERDUE, bindparam("by_name", type_=Text()))),
        end_reason=case((_OVERDUE, "expired"), else_=bindparam("reason", type_=Text())),
    )
    .returning(
        impersonations.c.id,
        impersonations.c.state,
        impersonations.c.employee_id,
        impersonations.c.employee_name,
    )
)


@dataclass(frozen=True, slots=True)
class EndedImpersonation:
    """An impersonation that has just come to its end."""

    ref: ImpersonationRef
    state: ImpersonationState


class Impersonations:
    """Impersonation sessions of one organisation."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def end_of_customer(self, customer_id: UUID, reason: str, by: Actor) -> list[EndedImpersonation]:
        """End every impersonation of the customer that is open; those that were."""
        rows = await self._connection.rows(
            _END_OF_CUSTOMER,
            customer_id=customer_id,
            reason=reason,
            by_type=by.type.value,
            by_id=by.id,
            by_name=by.name,
        )
        return [
            EndedImpersonation(
                ImpersonationRef(row["id"], row["employee_id"], row["employee_name"]),
                ImpersonationState(row["state"]),
            )
            for row in rows
        ]
