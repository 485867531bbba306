"""Giving a live account another address on the customer's behalf: it counts once it is proven."""

from dataclasses import replace
from typing import Any

from app.domain.accounts import masked
from app.domain.activities import ActivityType, NewActivity, Subject, SubjectType
from app.domain.callers import Actor, Seen
from app.domain.cards import Standing
from app.domain.communications import MailKind, NewMail
from app.domain.one_time_tokens import TokenState
from app.errors import UserNotFound
from app.repositories.unit_of_work import UnitOfWork
from app.services.deeds.mails import send_mail
from app.services.deeds.sessions import end_impersonations, end_sessions
from app.tokens import Purpose

_REASON = "emailchanged"


async def correct_email(uow: UnitOfWork, standing: Standing, email: str, *, by: Actor, seen: Seen) -> Standing:
    """Correct the address of an account that is not confirmed yet; the standing with it."""
    account = standing.account
    if account is None:
        raise UserNotFound
    await uow.accounts.set_unconfirmed_email(account.account_id, email)
    _record(uow, standing, {"email": masked(email)}, by, seen)
    return replace(standing, account=replace(account, email=email))


async def replace_email(uow: UnitOfWork, standing: Standing, email: str, *, by: Actor, seen: Seen) -> Standing:
    """Give a confirmed account another address, which waits for its confirmation; the standing with it.

    The account is changed first, see `end_sessions`. Whoever could use it by the old address can do so no longer:
    sessions, impersonations and links for a new password end, and the old address is told.
    """
    known = standing.account
    if known is None:
        raise UserNotFound
    changed = await uow.accounts.replace_email(known.account_id, email)
    if changed is None:
        raise UserNotFound
    revoked = await uow.tokens.end_pending(known.customer_id, Purpose.PASSWORD_RESET, TokenState.REVOKED)
    payload = {"email": masked(email), "revokedPasswordResets": [str(one) for one in revoked]}
    _record(uow, standing, payload, by, seen)
    await end_sessions(uow, standing, _REASON, by=by, seen=seen)
    await end_impersonations(uow, standing, _REASON, by=by, seen=seen)
    # Not one of the mails that can be switched off: without it an account could be taken over in silence.
    notice = NewMail(MailKind.EMAIL_CHANGED, known.email, standing.language, False, known.account_id)
    await send_mail(uow, standing, notice, by=by, seen=seen)
    return replace(standing, account=changed)


def _record(uow: UnitOfWork, standing: Standing, payload: dict[str, Any], by: Actor, seen: Seen) -> None:
    assert standing.account is not None
    about = Subject(SubjectType.ACCOUNT, standing.account.account_id)
    uow.activities.record(NewActivity(ActivityType.EMAIL_CHANGED, by, seen, about, standing.ref, payload))
