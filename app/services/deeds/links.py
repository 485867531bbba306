"""Sending one-time links: the one before ends, the new one goes out by mail, the log tells both."""

from collections.abc import Sequence
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
from app.services.deeds.mails import send_mail
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
    bulk: bool = False,
    communication_id: UUID | None = None,
    resent_from: UUID | None = None,
) -> OneTimeToken:
    """A new link by mail. The caller holds the customer's lock.

    `communication_id` names the mail when it has to be known again, `resent_from` the mail that this one repeats.
    """
    mail = _mail(purpose, standing, recipient, automatic=automatic, bulk=bulk, resent_from=resent_from)
    mail_id = await send_mail(uow, standing, mail, by=by, seen=seen, communication_id=communication_id)
    return await _make_link(uow, mail_id, purpose, standing, recipient, by=by, seen=seen)


async def send_links(
    uow: UnitOfWork,
    purpose: Purpose,
    standings: Sequence[Standing],
    recipient: Recipient,
    *,
    seen: Seen,
    communication_id: UUID,
) -> None:
    """One mail with a link for each of these customers, who asked for it themselves. The caller holds their locks.

    The mail is written to the first of them.
    """
    first = standings[0]
    mail = _mail(purpose, first, recipient, automatic=False)
    await send_mail(uow, first, mail, by=first.actor, seen=seen, communication_id=communication_id)
    for standing in standings:
        await _make_link(uow, communication_id, purpose, standing, recipient, by=standing.actor, seen=seen)


def _mail(
    purpose: Purpose,
    standing: Standing,
    recipient: Recipient,
    *,
    automatic: bool,
    bulk: bool = False,
    resent_from: UUID | None = None,
) -> NewMail:
    return NewMail(
        kind=PURPOSES[purpose].mail,
        email=recipient.email,
        language=recipient.language,
        automatic=automatic,
        account_id=standing.account.account_id if standing.account else None,
        resent_from=resent_from,
        bulk=bulk,
    )


async def _make_link(
    uow: UnitOfWork,
    communication_id: UUID,
    purpose: Purpose,
    standing: Standing,
    recipient: Recipient,
    *,
    by: Actor,
    seen: Seen,
) -> OneTimeToken:
    words = PURPOSES[purpose]
    customer = standing.customer
    token_id = new_id()
    for ended in await uow.tokens.end_pending(customer.customer_id, purpose, TokenState.SUPERSEDED):
        uow.activities.record(
            NewActivity(words.superseded, by, seen, Subject(words.subject, ended), standing.ref, {"by": str(token_id)})
        )
    token = await uow.tokens.add(
        token_id=token_id,
        purpose=purpose,
        customer_id=customer.customer_id,
        account_id=standing.account.account_id if standing.account else None,
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
    return token
