"""Sending a mail."""

from uuid import UUID

from app.domain.callers import Actor, Seen
from app.domain.cards import Standing
from app.domain.communications import NewMail
from app.ids import new_id
from app.repositories.unit_of_work import UnitOfWork


async def send_mail(
    uow: UnitOfWork, standing: Standing, mail: NewMail, *, by: Actor, seen: Seen, communication_id: UUID | None = None
) -> UUID:
    """Write a mail down and leave it to the workers; its id, which may be given."""
    mail_id = communication_id or new_id()
    await uow.communications.add(
        mail_id, standing.customer.customer_id, mail, by=by, correlation_id=seen.correlation_id
    )
    uow.jobs.deliver_mail(mail_id, bulk=mail.bulk)
    return mail_id
