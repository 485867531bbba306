"""Mails: written down with the deed that asks for them, then carried to an end by the workers."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import any_, bindparam, case, exists, func, insert, select, update
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.types import Text, Uuid

from app.database import Connection, Row, Statement
from app.domain.activities import CustomerRef
from app.domain.callers import Actor
from app.domain.communications import CommunicationStatus, MailKind, NewMail
from app.domain.one_time_tokens import TokenState
from app.domain.organisations import Organisation
from app.models import accounts, communications, customers, organisations, tokens
from app.repositories.rows import ORGANISATION, ORGANISATION_COLUMNS, organisation

NEW_MAIL = insert(communications).values(
    organisation_id=ORGANISATION,
    id=bindparam("communication_id"),
    customer_id=bindparam("customer_id"),
    account_id=bindparam("account_id"),
    kind=bindparam("kind"),
    email=bindparam("email"),
    language=bindparam("language"),
    automatic=bindparam("automatic"),
    status=CommunicationStatus.QUEUED.value,
    created_by_type=bindparam("created_by_type"),
    created_by_id=bindparam("created_by_id"),
    created_by_name=bindparam("created_by_name"),
    correlation_id=bindparam("correlation_id"),
    resent_from=bindparam("resent_from"),
    created_at=func.clock_timestamp(),  # as its link
)
_ADD = Statement(NEW_MAIL)

_THIS = (communications.c.organisation_id == ORGANISATION) & (communications.c.id == bindparam("communication_id"))
_STILL_OPEN = communications.c.status == any_(
    array([CommunicationStatus.QUEUED.value, CommunicationStatus.SENDING.value], type_=Text())
)

_EXISTS = Statement(select(communications.c.id).where(_THIS))

# `sending` is open too: a worker that died while sending leaves it behind, and the next one takes it over.
_taken = (
    update(communications)
    .where(_THIS, _STILL_OPEN)
    .values(status=CommunicationStatus.SENDING.value, attempts=communications.c.attempts + 1)
    .returning(communications)
    .cte("taken")
)
_TAKE = Statement(
    select(
        *ORGANISATION_COLUMNS,
        _taken.c.id.label("id"),
        _taken.c.kind.label("kind"),
        _taken.c.email.label("email"),
        _taken.c.language.label("language"),
        _taken.c.automatic.label("automatic"),
        _taken.c.attempts.label("attempts"),
        _taken.c.correlation_id.label("correlation_id"),
        _taken.c.customer_id.label("customer_id"),
        customers.c.account_number.label("account_number"),
        func.coalesce(accounts.c.generation, customers.c.account_generation).label("account_generation"),
        customers.c.display_name.label("display_name"),
        accounts.c.email.label("account_email"),
    ).select_from(
        _taken.join(organisations, organisations.c.organisation_id == _taken.c.organisation_id)
        .join(
            customers,
            (customers.c.organisation_id == _taken.c.organisation_id) & (customers.c.id == _taken.c.customer_id),
        )
        .outerjoin(
            accounts,
            (accounts.c.organisation_id == _taken.c.organisation_id) & (accounts.c.id == _taken.c.account_id),
        )
    )
)

_END = Statement(
    update(communications)
    .where(_THIS, _STILL_OPEN)
    .values(
        status=bindparam("status"),
        last_error=bindparam("error"),
        ended_at=func.now(),
        sent_at=case(
            (bindparam("status", type_=Text()) == CommunicationStatus.SUCCESSFUL.value, func.now()),
            else_=communications.c.sent_at,
        ),
    )
    .returning(communications.c.id)
)

_POSTPONE = Statement(
    update(communications)
    .where(_THIS, _STILL_OPEN)
    .values(status=CommunicationStatus.QUEUED.value, last_error=bindparam("error"))
)

# A mail can carry links of several customers who share an address: a living one of another keeps it going.
_CUSTOMER = bindparam("customer_id", type_=Uuid())
_unsent = (
    select(communications.c.id)
    .where(
        communications.c.organisation_id == ORGANISATION,
        communications.c.customer_id == _CUSTOMER,
        _STILL_OPEN,
        ~exists(
            select(tokens.c.id)
            .where(
                tokens.c.organisation_id == ORGANISATION,
                tokens.c.communication_id == communications.c.id,
                tokens.c.customer_id != _CUSTOMER,
                tokens.c.state == TokenState.PENDING.value,
                tokens.c.expires_at > func.now(),
            )
            .correlate(communications)
        ),
    )
    .order_by(communications.c.id)
    .with_for_update(key_share=True, of=communications)
    .cte("unsent")
)
SKIPPING_UNSENT = (
    update(communications)
    .where(communications.c.organisation_id == ORGANISATION, communications.c.id.in_(select(_unsent.c.id)))
    .values(status=CommunicationStatus.SKIPPED.value, last_error=bindparam("error"), ended_at=func.now())
    .returning(communications.c.id)
)

# In the order of their ids, so that two batches about the same mails wait for each other instead of both failing.
_REPORTED = Statement(
    select(
        communications.c.id,
        communications.c.kind,
        communications.c.status,
        communications.c.attempts,
        communications.c.correlation_id,
        communications.c.customer_id,
        customers.c.account_number,
        customers.c.account_generation,
    )
    .join(
        customers,
        (customers.c.organisation_id == communications.c.organisation_id)
        & (customers.c.id == communications.c.customer_id),
    )
    .where(
        communications.c.organisation_id == ORGANISATION,
        communications.c.id == any_(bindparam("communication_ids", type_=ARRAY(Uuid()))),
    )
    .order_by(communications.c.id)
    .with_for_update(key_share=True, of=communications)
)

_DELIVERED = Statement(
    update(communications)
    .where(
        communications.c.organisation_id == ORGANISATION,
        communications.c.id == any_(bindparam("communication_ids", type_=ARRAY(Uuid()))),
        communications.c.delivered_at.is_(None),
    )
    .values(delivered_at=func.now())
)

_RETURNED = Statement(
    update(communications)
    .where(_THIS)
    .values(status=CommunicationStatus.FAILED.value, last_error=bindparam("error"), ended_at=func.now())
)


@dataclass(frozen=True, slots=True)
class ReportedMail:
    """A mail that its provider reports about."""

    id: UUID
    kind: MailKind
    status: CommunicationStatus
    attempts: int
    correlation_id: str
    customer: CustomerRef


@dataclass(frozen=True, slots=True)
class TakenMail:
    """A mail that a worker is about to send, with all that it needs to write it."""

    id: UUID
    kind: MailKind
    email: str
    language: str
    automatic: bool
    attempts: int
    correlation_id: str
    customer: CustomerRef
    display_name: str
    account_email: str | None
    organisation: Organisation


class Communications:
    """Mails of one organisation."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(
        self, communication_id: UUID, customer_id: UUID, mail: NewMail, *, by: Actor, correlation_id: str
    ) -> None:
        """Write a mail down as queued."""
        await self._connection.row(
            _ADD,
            communication_id=communication_id,
            customer_id=customer_id,
            account_id=mail.account_id,
            kind=mail.kind.value,
            email=mail.email,
            language=mail.language,
            automatic=mail.automatic,
            created_by_type=by.type.value,
            created_by_id=by.id,
            created_by_name=by.name,
            correlation_id=correlation_id,
            resent_from=mail.resent_from,
        )

    async def exists(self, communication_id: UUID) -> bool:
        """Whether the mail was written down before."""
        return await self._connection.row(_EXISTS, communication_id=communication_id) is not None

    async def take(self, communication_id: UUID) -> TakenMail | None:
        """Count an attempt and take the mail for sending; None when it has come to an end before."""
        row = await self._connection.row(_TAKE, communication_id=communication_id)
        return _taken_mail(row) if row else None

    async def end(self, communication_id: UUID, status: CommunicationStatus, error: str | None = None) -> bool:
        """The mail's end; False when it had ended before."""
        row = await self._connection.row(_END, communication_id=communication_id, status=status.value, error=error)
        return row is not None

    async def postpone(self, communication_id: UUID, error: str) -> None:
        """Back to the queue after a try that failed."""
        await self._connection.row(_POSTPONE, communication_id=communication_id, error=error)

    async def lock_reported(self, communication_ids: list[UUID]) -> list[ReportedMail]:
        """Those of the mails that there are; nobody else changes them until the transaction ends."""
        rows = await self._connection.rows(_REPORTED, communication_ids=communication_ids)
        return [
            ReportedMail(
                id=row["id"],
                kind=MailKind(row["kind"]),
                status=CommunicationStatus(row["status"]),
                attempts=row["attempts"],
                correlation_id=row["correlation_id"],
                customer=CustomerRef(row["customer_id"], row["account_number"], row["account_generation"]),
            )
            for row in rows
        ]

    async def delivered(self, communication_ids: list[UUID]) -> None:
        """The mails have reached their recipients; the first time counts."""
        await self._connection.row(_DELIVERED, communication_ids=communication_ids)

    async def returned(self, communication_id: UUID, error: str) -> None:
        """The mail came back, however it had ended before."""
        await self._connection.row(_RETURNED, communication_id=communication_id, error=error)


def _taken_mail(row: Row) -> TakenMail:
    return TakenMail(
        id=row["id"],
        kind=MailKind(row["kind"]),
        email=row["email"],
        language=row["language"],
        automatic=row["automatic"],
        attempts=row["attempts"],
        correlation_id=row["correlation_id"],
        customer=CustomerRef(row["customer_id"], row["account_number"], row["account_generation"]),
        display_name=row["display_name"],
        account_email=row["account_email"],
        organisation=organisation(row),
    )
