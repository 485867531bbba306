"""Portal sessions: opened, recognised at every call, listed, ended."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Interval, bindparam, func, insert, literal, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.types import Integer, LargeBinary, Text, Uuid

from app.database import Connection, Row, Statement
from app.domain.accounts import AccountState
from app.domain.cards import impersonation_refusal
from app.domain.paging import Cursor, Page, PageRequest
from app.domain.sessions import PortalSession, PortalVisitor
from app.models import accounts, customers, impersonations, sessions
from app.repositories.customers import STANDING_COLUMNS, standing, with_organisation_and_account
from app.repositories.rows import ORGANISATION, impersonation, impersonation_columns

_CUSTOMER = bindparam("customer_id", type_=Uuid())
_IDLE = bindparam("idle", type_=Interval())
# Recording every call would turn each read into a write; once a minute is exact enough for 30 idle minutes.
_SEEN_EVERY = timedelta(minutes=1)


def _live(idle: object) -> list[object]:
    """The customer's own sessions that are live; an employee's lives as long as its impersonation."""
    return [
        sessions.c.impersonation_id.is_(None),
        sessions.c.ended_at.is_(None),
        sessions.c.expires_at > func.now(),
        sessions.c.last_seen_at > func.now() - idle,
    ]


# The update makes the insert wait for an account that is being deleted or changed, and then see the outcome. (Locking
# it for reading first would let two logins at once wait for each other.)
_account = (
    update(accounts)
    .where(
        accounts.c.organisation_id == ORGANISATION,
        accounts.c.id == bindparam("account_id", type_=Uuid()),
        accounts.c.state == AccountState.LIVE.value,
        accounts.c.email_confirmed_at.is_not(None),
        accounts.c.password_hash == bindparam("password_hash", type_=Text()),
    )
    .values(last_active_at=func.now())
    .returning(accounts.c.organisation_id, accounts.c.customer_id, accounts.c.id)
    .cte("account")
)
_OPEN = Statement(
    insert(sessions)
    .from_select(
        [
            "organisation_id",
            "customer_id",
            "account_id",
            "id",
            "secret_digest",
            "ip_address",
            "user_agent",
            "expires_at",
        ],
        select(
            _account.c.organisation_id,
            _account.c.customer_id,
            _account.c.id,
            bindparam("session_id", type_=Uuid()),
            bindparam("secret_digest", type_=LargeBinary()),
            bindparam("ip_address", type_=Text()),
            bindparam("user_agent", type_=Text()),
            func.now() + bindparam("lifetime", type_=Interval()),
        ),
    )
    .returning(sessions.c.expires_at)
)

_THIS = (sessions.c.organisation_id == ORGANISATION) & (sessions.c.id == bindparam("session_id"))
_SECRET = sessions.c.secret_digest == bindparam("secret_digest", type_=LargeBinary())

# A touch may be left out but never waited for: whoever changes the account or ends the session goes first.
_due = (
    select(sessions.c.organisation_id, sessions.c.id)
    .where(_THIS, _SECRET, *_live(_IDLE), sessions.c.last_seen_at < func.now() - literal(_SEEN_EVERY, Interval()))  # type: ignore[arg-type]
    .with_for_update(key_share=True, skip_locked=True)
    .cte("due")
)
_seen = (
    update(sessions)
    .where(sessions.c.organisation_id == ORGANISATION, sessions.c.id == select(_due.c.id).scalar_subquery())
    .values(last_seen_at=func.now())
    .returning(sessions.c.organisation_id, sessions.c.account_id)
    .cte("seen")
)
_free = (
    select(accounts.c.id)
    .where(
        accounts.c.organisation_id == ORGANISATION,
        accounts.c.id == select(_seen.c.account_id).scalar_subquery(),
    )
    .with_for_update(key_share=True, skip_locked=True)
    .cte("free")
)
_active = (
    update(accounts)
    .where(accounts.c.organisation_id == ORGANISATION, accounts.c.id == select(_free.c.id).scalar_subquery())
    .values(last_active_at=func.now())
    .cte("active")
)
_recognised = (
    select(
        *STANDING_COLUMNS,
        *impersonation_columns(),
        sessions.c.id.label("session_id"),
        sessions.c.created_at.label("opened_at"),
        sessions.c.expires_at.label("closes_at"),
        sessions.c.impersonation_id.label("impersonation_id"),
        (sessions.c.account_id == accounts.c.id).label("same_account"),
        func.coalesce(
            sessions.c.ended_at.is_(None)
            & (sessions.c.expires_at > func.now())
            & (sessions.c.impersonation_id.is_not(None) | (sessions.c.last_seen_at > func.now() - _IDLE)),
            False,
        ).label("live"),
    )
    .select_from(
        with_organisation_and_account.join(
            sessions,
            (sessions.c.organisation_id == customers.c.organisation_id) & (sessions.c.customer_id == customers.c.id),
        ).outerjoin(
            impersonations,
            (impersonations.c.organisation_id == sessions.c.organisation_id)
            & (impersonations.c.id == sessions.c.impersonation_id),
        )
    )
    .where(_THIS, _SECRET, customers.c.organisation_id == ORGANISATION)
)
_RECOGNISE = Statement(_recognised.add_cte(_due, _seen, _free, _active))
_LOOK = Statement(_recognised)

_PAGE = Statement(
    select(
        sessions.c.id,
        sessions.c.created_at,
        sessions.c.last_seen_at,
        sessions.c.expires_at,
        sessions.c.ip_address,
        sessions.c.user_agent,
    )
    .where(
        sessions.c.organisation_id == ORGANISATION,
        sessions.c.customer_id == _CUSTOMER,
        *_live(_IDLE),  # type: ignore[arg-type]
        or_(
            bindparam("after_at", type_=TIMESTAMP(timezone=True)).is_(None),
            tuple_(sessions.c.created_at, sessions.c.id)
            < tuple_(bindparam("after_at", type_=TIMESTAMP(timezone=True)), bindparam("after_id", type_=Uuid())),
        ),
    )
    .order_by(sessions.c.created_at.desc(), sessions.c.id.desc())
    .limit(bindparam("most", type_=Integer()))
)

_OWN = sessions.c.impersonation_id.is_(None)
_COUNT = Statement(
    select(func.count().label("count")).where(
        sessions.c.organisation_id == ORGANISATION,
        sessions.c.customer_id == _CUSTOMER,
        _OWN,
        *_live(_IDLE),  # type: ignore[arg-type]
    )
)
_IS_OPEN = Statement(select(sessions.c.id).where(_THIS, sessions.c.ended_at.is_(None)).with_for_update(read=True))
_EXISTS = Statement(select(sessions.c.id).where(_THIS, sessions.c.customer_id == _CUSTOMER, _OWN))

_END_REASON = Statement(select(sessions.c.end_reason).where(_THIS))

_END = Statement(
    update(sessions)
    .where(_THIS, sessions.c.customer_id == _CUSTOMER, _OWN, sessions.c.ended_at.is_(None))
    .values(ended_at=func.now(), end_reason=bindparam("reason"))
    .returning(sessions.c.id)
)

ENDING_ALL = (
    update(sessions)
    .where(
        sessions.c.organisation_id == ORGANISATION,
        sessions.c.customer_id == _CUSTOMER,
        _OWN,
        sessions.c.ended_at.is_(None),
        or_(bindparam("kept", type_=Uuid()).is_(None), sessions.c.id != bindparam("kept", type_=Uuid())),
    )
    .values(ended_at=func.now(), end_reason=bindparam("reason"))
    .returning(sessions.c.id, (sessions.c.expires_at > func.now()).label("live"))
)
_END_ALL = Statement(ENDING_ALL)


class Sessions:
    """Portal sessions of one organisation. `idle` is how long a session lives without a call."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def open(
        self,
        *,
        session_id: UUID,
        account_id: UUID,
        password_hash: str,
        secret_digest: bytes,
        lifetime: timedelta,
        ip_address: str | None,
        user_agent: str | None,
    ) -> datetime | None:
        """Open a session for a live, confirmed account that still has this hash; when it ends, or None."""
        row = await self._connection.row(
            _OPEN,
            session_id=session_id,
            account_id=account_id,
            password_hash=password_hash,
            secret_digest=secret_digest,
            lifetime=lifetime,
            ip_address=ip_address,
            user_agent=user_agent,
        )
        return row["expires_at"] if row else None

    async def recognise(
        self, session_id: UUID, secret_digest: bytes, *, idle: timedelta
    ) -> tuple[PortalVisitor, bool] | None:
        """Whose session this is, and whether it is live; None when there is none with this secret."""
        row = await self._connection.row(_RECOGNISE, session_id=session_id, secret_digest=secret_digest, idle=idle)
        return _recognition(row) if row else None

    async def look(
        self, session_id: UUID, secret_digest: bytes, *, idle: timedelta
    ) -> tuple[PortalVisitor, bool] | None:
        """The same, without counting as a sign of life."""
        row = await self._connection.row(_LOOK, session_id=session_id, secret_digest=secret_digest, idle=idle)
        return _recognition(row) if row else None

    async def page(self, customer_id: UUID, request: PageRequest, *, idle: timedelta) -> Page[PortalSession]:
        """The customer's live sessions, newest first."""
        rows = await self._connection.rows(
            _PAGE,
            customer_id=customer_id,
            idle=idle,
            after_at=request.after.at if request.after else None,
            after_id=request.after.id if request.after else None,
            most=request.size + 1,
        )
        found = [_portal_session(row) for row in rows]
        return Page.of(found, request.size, lambda session: Cursor(session.created_at, session.id))

    async def count(self, customer_id: UUID, *, idle: timedelta) -> int:
        """How many live sessions of their own the customer has."""
        return int((await self._connection.one(_COUNT, customer_id=customer_id, idle=idle))["count"])

    async def is_open(self, session_id: UUID) -> bool:
        """Whether nobody has ended the session; whoever is about to waits for this transaction."""
        return await self._connection.row(_IS_OPEN, session_id=session_id) is not None

    async def exists(self, customer_id: UUID, session_id: UUID) -> bool:
        """Whether the customer has or had this session."""
        return await self._connection.row(_EXISTS, customer_id=customer_id, session_id=session_id) is not None

    async def end_reason(self, session_id: UUID) -> str | None:
        """Why somebody ended the session; None when it lives, or time ended it."""
        row = await self._connection.row(_END_REASON, session_id=session_id)
        return row["end_reason"] if row else None

    async def end(self, customer_id: UUID, session_id: UUID, reason: str) -> bool:
        """End the customer's session; False when it had ended before or is not theirs."""
        row = await self._connection.row(_END, customer_id=customer_id, session_id=session_id, reason=reason)
        return row is not None

    async def end_all(self, customer_id: UUID, reason: str, *, keep: UUID | None = None) -> int:
        """End the customer's own sessions, but for the one to keep; how many time had not ended before.

        Employees' sessions end with their impersonations.
        """
        rows = await self._connection.rows(_END_ALL, customer_id=customer_id, reason=reason, kept=keep)
        return sum(row["live"] for row in rows)


def _recognition(row: Row) -> tuple[PortalVisitor, bool]:
    found = impersonation(row)
    visitor = PortalVisitor(row["session_id"], standing(row), row["opened_at"], row["closes_at"], found)
    live = bool(row["live"] and row["same_account"])
    if row["impersonation_id"] is not None:
        live = live and found is not None and found.open and impersonation_refusal(visitor.standing) is None
    return visitor, live


def _portal_session(row: Row) -> PortalSession:
    return PortalSession(
        id=row["id"],
        created_at=row["created_at"],
        last_seen_at=row["last_seen_at"],
        expires_at=row["expires_at"],
        ip_address=row["ip_address"],
        user_agent=row["user_agent"],
    )
