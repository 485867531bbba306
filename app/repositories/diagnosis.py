"""What the diagnosis looks at, read in two statements: how things stand, and what happened lately."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import FromClause, Interval, Subquery, bindparam, case, func, literal, or_, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Text, Uuid

from app.database import Connection, Row, Statement
from app.domain.accounts import AccountState
from app.domain.activities import ActivityType
from app.domain.diagnosis import RECENT, LastImpersonation, RecentActivity, Snapshot, UrlCheck
from app.domain.impersonations import ImpersonationState
from app.domain.one_time_tokens import PURPOSES, OneTimeToken
from app.errors import CustomerDoesNotExist
from app.models import (
    accounts,
    activities,
    communications,
    customers,
    impersonations,
    organisations,
    portal_url_checks,
    tokens,
)
from app.repositories.customers import STANDING_COLUMNS, standing, with_organisation_and_account
from app.repositories.rows import (
    ORGANISATION,
    communication_columns,
    contract_from_json,
    document_from_json,
    one_time_token,
    token_columns,
)
from app.tokens import Purpose

_CUSTOMER = bindparam("customer_id", type_=Uuid())
_MOST_OF_A_TYPE = 50

_LOOKED_FOR = [
    kind.value
    for kind in (
        ActivityType.ACCOUNT_REACTIVATED,
        ActivityType.ACCOUNT_REGISTERED,
        ActivityType.ACCOUNT_RESET,
        ActivityType.EMAIL_CHANGED,
        ActivityType.EMAIL_CONFIRMED,
        ActivityType.ERROR_REPORTED,
        ActivityType.LOGIN_FAILED,
        ActivityType.LOGIN_SUCCEEDED,
        ActivityType.PASSWORD_CHANGED,
        ActivityType.PASSWORD_RESET_COMPLETED,
        ActivityType.REGISTRATION_REFUSED,
        ActivityType.SESSIONS_ENDED,
        ActivityType.TOKEN_REFUSED,
    )
]


def _last_token(purpose: Purpose) -> Subquery:
    """The customer's newest token of a purpose, with its mail."""
    mail = (communications.c.organisation_id == tokens.c.organisation_id) & (
        communications.c.id == tokens.c.communication_id
    )
    return (
        select(*token_columns(), *communication_columns())
        .select_from(tokens.outerjoin(communications, mail))
        .where(
            tokens.c.organisation_id == ORGANISATION,
            tokens.c.customer_id == _CUSTOMER,
            tokens.c.purpose == purpose.value,
        )
        .order_by(tokens.c.created_at.desc(), tokens.c.id.desc())
        .limit(1)
        .subquery(f"last_{purpose.value}")
    )


_open_accounts = (
    select(accounts.c.id, accounts.c.last_active_at, accounts.c.registered_at)
    .where(
        accounts.c.organisation_id == ORGANISATION,
        accounts.c.customer_id == _CUSTOMER,
        or_(accounts.c.state == AccountState.LIVE.value, accounts.c.retired_at.is_(None)),
    )
    .subquery("open_accounts")
)
_last_used = func.coalesce(_open_accounts.c.last_active_at, _open_accounts.c.registered_at)

_handed_off = case(
    (impersonations.c.state == ImpersonationState.PENDING.value, impersonations.c.handoff_expires_at),
    else_=impersonations.c.expires_at,
)
_last_impersonation = (
    select(
        case(
            (impersonations.c.ended_at.is_not(None), impersonations.c.state),
            (_handed_off <= func.now(), ImpersonationState.EXPIRED.value),
            else_=impersonations.c.state,
        ).label("state"),
        func.coalesce(impersonations.c.ended_at, case((_handed_off <= func.now(), _handed_off))).label("ended_at"),
        impersonations.c.end_reason,
    )
    .where(impersonations.c.organisation_id == ORGANISATION, impersonations.c.customer_id == _CUSTOMER)
    .order_by(impersonations.c.created_at.desc(), impersonations.c.id.desc())
    .limit(1)
    .subquery("last_impersonation")
)


def _prefixed(source: FromClause, prefix: str) -> list[Any]:
    return [column.label(prefix + column.name) for column in source.c]


def _standing_statement() -> Statement:
    joined: Any = with_organisation_and_account.outerjoin(
        portal_url_checks, portal_url_checks.c.organisation_id == organisations.c.organisation_id
    ).outerjoin(_last_impersonation, true())
    columns: list[Any] = [
        *STANDING_COLUMNS,
        func.now().label("checked_at"),
        customers.c.contracts,
        customers.c.documents,
        accounts.c.generation,
        select(func.count()).select_from(_open_accounts).scalar_subquery().label("open_accounts"),
        select(_open_accounts.c.id).order_by(_last_used.desc()).limit(1).scalar_subquery().label("likely_account_id"),
        *_prefixed(portal_url_checks, "check_"),
        *_prefixed(_last_impersonation, "impersonation_"),
    ]
    for purpose in PURPOSES:
        last = _last_token(purpose)
        joined = joined.outerjoin(last, true())
        columns += _prefixed(last, f"{purpose.value}_")
    return Statement(
        select(*columns)
        .select_from(joined)
        .where(customers.c.organisation_id == ORGANISATION, customers.c.id == _CUSTOMER)
    )


_STANDING = _standing_statement()

# The newest few of each type, each found by the index: a flood of one type hides none of another.
_wanted = func.unnest(bindparam("types", type_=ARRAY(Text()))).table_valued("type", name="wanted").render_derived()
_entry = (
    select(activities.c.type, activities.c.occurred_at, activities.c.account_generation, activities.c.payload)
    .where(
        activities.c.organisation_id == ORGANISATION,
        activities.c.customer_id == _CUSTOMER,
        activities.c.type == _wanted.c.type,
        activities.c.occurred_at > func.now() - literal(RECENT, Interval()),
    )
    .order_by(activities.c.occurred_at.desc())
    .limit(_MOST_OF_A_TYPE)
    .correlate(_wanted)
    .lateral("entry")
)
_RECENT = Statement(select(_entry).select_from(_wanted.join(_entry, true())).order_by(_entry.c.occurred_at.desc()))


class DiagnosisFacts:
    """Facts for the diagnosis of one organisation's customers."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def snapshot(self, customer_id: UUID) -> Snapshot:
        """Everything that the checks look at.

        Raises: CustomerDoesNotExist.
        """
        row = await self._connection.row(_STANDING, customer_id=customer_id)
        if row is None:
            raise CustomerDoesNotExist
        recent = await self._connection.rows(_RECENT, customer_id=customer_id, types=_LOOKED_FOR)
        return Snapshot(
            checked_at=row["checked_at"],
            standing=standing(row),
            contracts=tuple(contract_from_json(one) for one in row["contracts"]),
            documents=tuple(document_from_json(one) for one in row["documents"]),
            open_accounts=row["open_accounts"],
            likely_account_id=row["likely_account_id"],
            generation=row["generation"],
            last_login_at=_last_login(row, recent),
            last_tokens=_last_tokens(row),
            last_impersonation=_impersonation(row),
            url_check=_url_check(row),
            recent=tuple(_activity(one) for one in recent),
        )


def _last_login(row: Row, recent: list[Row]) -> datetime | None:
    """To the live account. One before the last 30 days is known by the account's sign of life, not by the log."""
    lately = (
        one["occurred_at"]
        for one in recent
        if one["type"] == ActivityType.LOGIN_SUCCEEDED.value and one["account_generation"] == row["generation"]
    )
    newest: datetime | None = max(lately, default=row["a_last_active_at"])
    return newest


def _last_tokens(row: Row) -> Mapping[Purpose, OneTimeToken]:
    return {
        purpose: one_time_token(row, f"{purpose.value}_t_", f"{purpose.value}_m_")
        for purpose in PURPOSES
        if row[f"{purpose.value}_t_id"] is not None
    }


def _impersonation(row: Row) -> LastImpersonation | None:
    if row["impersonation_state"] is None:
        return None
    ended_at: datetime | None = row["impersonation_ended_at"]
    return LastImpersonation(ImpersonationState(row["impersonation_state"]), ended_at, row["impersonation_end_reason"])


def _url_check(row: Row) -> UrlCheck | None:
    if row["check_url"] is None:
        return None
    return UrlCheck(row["check_url"], row["check_checked_at"], row["check_problem"])


def _activity(row: Row) -> RecentActivity:
    return RecentActivity(ActivityType(row["type"]), row["occurred_at"], row["account_generation"], row["payload"])
