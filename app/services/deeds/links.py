"""Sending one-time links: the one before ends, the new one goes out by mail, the log tells both."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from app.domain.accounts import masked
from app.domain.activities import NewActivity, Subject
from app.domain.callers import Actor, Seen
from app.domain.cards import Standing
from app.domain.communications import NewMail
from app.domain.one_time_tokens import PURPOSES, OneTimeToken
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
    bulk: bool = False,
    communication_id: UUID | None = None,
    resent_from: UUID | None = None,
) -> OneTimeToken:
    """A new link by mail. The caller holds the customer's lock.

    `communication_id` names the mail when it has to be known again, `resent_from` the mail that this one repeats.
    """
    mail = _mail(purpose, standing, recipient, automatic=automatic, bulk=bulk, resent_from=resent_from)
    mail_id = communication_id or new_id()
    uow.jobs.deliver_mail(mail_id, bulk=bulk)
    return await _send(uow, mail_id, mail, purpose, standing, by=by, seen=seen)


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
    uow.jobs.deliver_mail(communication_id)
    for standing in standings:
        mail = _mail(purpose, standing, recipient, automatic=False)
        queued = standing is not standings[0]
        await _send(uow, communication_id, mail, purpose, standing, by=standing.actor, seen=seen, queued=queued)


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


async def _send(
    uow: UnitOfWork,
    communication_id: UUID,
    mail: NewMail,
    purpose: Purpose,
    standing: Standing,
    *,
    by: Actor,
    seen: Seen,
    queued: bool = False,
) -> OneTimeToken:
    words = PURPOSES[purpose]
    token_id = new_id()
    token, superseded = await uow.links.send(
        mail,
        purpose,
        communication_id=communication_id,
        token_id=token_id,
        customer_id=standing.customer.customer_id,
        lifetime=standing.organisation.token_lifetimes.of(purpose),
        by=by,
        correlation_id=seen.correlation_id,
        queued=queued,
    )
    for ended in superseded:
        uow.activities.record(
            NewActivity(words.superseded, by, seen, Subject(words.subject, ended), standing.ref, {"by": str(token_id)})
        )
    uow.activities.record(
        NewActivity(
            words.sent,
            by,
            seen,
            Subject(words.subject, token_id),
            standing.ref,
            {"email": masked(mail.email), "communicationId": str(communication_id)},
        )
    )
    return token
