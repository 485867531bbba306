"""Sending a one-time link: the one before ends, the new one goes out by mail, the log tells both."""

from dataclasses import dataclass
from uuid import UUID

from app.domain.accounts import masked
from app.domain.activities import NewActivity, Subject
from app.domain.callers import Actor, Seen
from app.domain.cards import Standing
from app.domain.communications import NewMail
from app.domain.one_time_tokens import PURPOSES, OneTimeToken, TokenState
from app.ids import new_id
from app.repositories.unit_of_work import UnitOfWork
from app.tokens import Purpose


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where a link goes: the address, and the language the mail is written in."""

    email: str
    language: str


async def send_link(
    uow: UnitOfWork,
    purpose: Purpose,
    standing: Standing,
    recipient: Recipient,
    *,
    by: Actor,
    seen: Seen,
    automatic: bool = False,
    resent_from: UUID | None = None,
) -> OneTimeToken:
    """A new link by mail. The caller holds the customer's lock. `resent_from` is the mail that this one repeats."""
    words = PURPOSES[purpose]
    customer = standing.customer
    account_id = standing.account.account_id if standing.account else None
    token_id, communication_id = new_id(), new_id()
    for ended in await uow.tokens.end_pending(customer.customer_id, purpose, TokenState.SUPERSEDED):
        uow.activities.record(
            NewActivity(words.superseded, by, seen, Subject(words.subject, ended), standing.ref, {"by": str(token_id)})
        )
    mail = NewMail(words.mail, recipient.email, recipient.language, automatic, account_id, resent_from)
    await uow.communications.add(
        communication_id, customer.customer_id, mail, by=by, correlation_id=seen.correlation_id
    )
    token = await uow.tokens.add(
        token_id=token_id,
        purpose=purpose,
        customer_id=customer.customer_id,
        account_id=account_id,
        communication_id=communication_id,
        email=recipient.email,
        language=recipient.language,
        created_by=by,
        lifetime=standing.organisation.token_lifetimes.of(purpose),
    )
    uow.activities.record(
        NewActivity(
            words.sent,
            by,
            seen,
            Subject(words.subject, token_id),
            standing.ref,
            {"email": masked(recipient.email), "communicationId": str(communication_id)},
        )
    )
    uow.jobs.deliver_mail(communication_id)
    return token
