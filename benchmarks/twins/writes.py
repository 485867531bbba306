"""Writes, by the product's own statements in one transaction: what it locks, changes, logs and leaves to the worker.

An answer is a dictionary of the shape that the product sends.
"""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.domain.accounts import masked
from app.domain.activities import ActivityType, SubjectType
from app.domain.callers import Actor, ActorType
from app.domain.communications import MailKind
from app.domain.impersonations import LIFETIME
from app.domain.one_time_tokens import link_url
from app.ids import new_id
from app.repositories import (
    accounts,
    customers,
    impersonations,
    links,
    logins,
    organisations,
    sessions,
    tokens,
)
from app.repositories.jobs import Job
from app.session_tokens import new_session_token
from app.tokens import Purpose
from benchmarks.twins import shapes
from benchmarks.twins.bare import Answer, Bare, Connected, Row
from benchmarks.twins.entries import SEEN, enqueue, entry, entry_of, log, of_end, of_impersonation


async def send_invitation(bare: Bare, organisation: UUID, by: Actor, customer: UUID) -> Answer:
    async with bare.transaction(organisation) as connected:
        await connected.row(customers._LOCK, customer_id=customer)
        standing = await connected.row(customers._STANDING, customer_id=customer)
        return await _send_link(connected, Purpose.INVITATION, standing, None, by)


async def confirm_email(bare: Bare, organisation: UUID, token: str) -> Answer:
    link = bare.link(token, organisation, Purpose.EMAIL_CONFIRMATION)
    named = {"token_id": link.token_id, "purpose": link.purpose.value}
    async with bare.transaction(organisation) as connected:
        await connected.row(customers._LOCK_OF_TOKEN, token_id=link.token_id)
        found = await connected.row(links._FIND, **named)
        await connected.row(tokens._CONSUME, **named)
        account = await connected.row(accounts._CONFIRM, account_id=found["t_account_id"], email=found["t_email"])
        await log(connected, entry(found, ActivityType.EMAIL_CONFIRMED, SubjectType.ACCOUNT, account["a_id"]))
    return {"portalStatus": "active", "email": account["a_email"]}


async def forgot_password(bare: Bare, organisation: UUID, email: str) -> Answer:
    async with bare.transaction(organisation) as connected:
        await enqueue(connected, Job.MAIL_PASSWORD_RESETS, requestId=str(new_id()), email=email, seen=SEEN)
    return {"accepted": True}


async def redeem_impersonation(bare: Bare, organisation: UUID, token: str) -> Answer:
    this = {"impersonation_id": bare.link(token, organisation, Purpose.IMPERSONATION).token_id}
    session, key = new_session_token(organisation, new_id())
    async with bare.transaction(organisation) as connected:
        await connected.row(customers._LOCK_OF_IMPERSONATION, **this)
        found = await connected.row(links._HAND_OFF, **this)
        opened = await connected.row(
            impersonations._REDEEM,
            **this,
            session_id=key.session_id,
            secret_digest=key.secret_digest,
            ip_address=SEEN["ip_address"],
            user_agent=SEEN["user_agent"],
        )
        await log(connected, of_impersonation(found, ActivityType.IMPERSONATION_REDEEMED, found))
    return {"accessToken": session, "expiresDateTime": opened["expires_at"], "customerId": found["c_id"]}


async def start_impersonation(
    bare: Bare, organisation: UUID, by: Actor, customer: UUID, reason: str, access_mode: str
) -> Answer:
    async with bare.transaction(organisation) as connected:
        await connected.row(customers._LOCK, customer_id=customer)
        standing = await connected.row(customers._STANDING, customer_id=customer)
        await connected.row(impersonations._LOCK_EMPLOYEE, employee_id=by.id)
        ended = await connected.rows(impersonations._END_OF_EMPLOYEE, employee_id=by.id, **_ending(by, "superseded"))
        started = await connected.row(
            impersonations._START,
            impersonation_id=new_id(),
            customer_id=customer,
            account_id=standing["a_id"],
            employee_id=by.id,
            employee_name=by.name,
            reason=reason,
            ticket_reference=None,
            access_mode=access_mode,
            handoff=timedelta(seconds=60),
            lifetime=LIFETIME,
        )
        await log(
            connected,
            *(of_end(one, by) for one in ended),
            of_impersonation(standing, ActivityType.IMPERSONATION_STARTED, started, {"reason": reason}),
        )
        await enqueue(connected, Job.FINISH_IMPERSONATION, impersonationId=str(started["i_id"]), delay=LIFETIME)
    token = bare.sign(Purpose.IMPERSONATION, organisation, started["i_id"])
    return shapes.impersonation(started) | {
        "portalLoginUrl": link_url(standing["o_portal_url"], Purpose.IMPERSONATION, token),
        "handoffExpiresDateTime": started["i_handoff_expires_at"],
    }


async def end_impersonation(bare: Bare, organisation: UUID, by: Actor, customer: UUID, one: UUID) -> Answer:
    this = {"impersonation_id": one}
    async with bare.transaction(organisation) as connected:
        await connected.row(customers._LOCK, customer_id=customer)
        await connected.row(impersonations._GET_OF_CUSTOMER, customer_id=customer, **this)
        ended = await connected.row(impersonations._END, customer_id=customer, **this, **_ending(by, "employee"))
        found = await connected.row(impersonations._GET, **this)
        await log(connected, of_end(ended, by))
    return shapes.impersonation(found)


async def log_in(bare: Bare, organisation: UUID, email: str, password: str) -> Answer:
    async with bare.reading(organisation) as connected:
        await connected.row(organisations._GET)
        candidate = await connected.row(logins._CANDIDATES, email=email, account_number=None, most=6)
    await asyncio.to_thread(bare.hasher.verify, candidate["password_hash"], password)
    session, key = new_session_token(organisation, new_id())
    async with bare.transaction(organisation) as connected:
        opened = await connected.row(
            sessions._OPEN,
            session_id=key.session_id,
            account_id=candidate["a_id"],
            password_hash=candidate["password_hash"],
            secret_digest=key.secret_digest,
            lifetime=bare.session_lifetime,
            ip_address=SEEN["ip_address"],
            user_agent=SEEN["user_agent"],
        )
        await connected.rows(accounts._TAKE_CLEAR_SITE_DATA, account_id=candidate["a_id"])
        await log(
            connected,
            entry_of(
                candidate["customer_id"],
                candidate["account_number"],
                candidate["display_name"],
                candidate["generation"],
                ActivityType.LOGIN_SUCCEEDED,
                SubjectType.SESSION,
                key.session_id,
            ),
        )
    return {"accessToken": session, "expiresDateTime": opened["expires_at"], "customerId": candidate["customer_id"]}


async def register(bare: Bare, organisation: UUID, token: str, password: str) -> Answer:
    link = bare.link(token, organisation, Purpose.INVITATION)
    named = {"token_id": link.token_id, "purpose": link.purpose.value}
    async with bare.reading(organisation) as connected:
        await connected.row(links._FIND, **named)
    password_hash = await asyncio.to_thread(bare.hasher.hash, password)
    async with bare.transaction(organisation) as connected:
        await connected.row(customers._LOCK_OF_TOKEN, token_id=link.token_id)
        found = await connected.row(links._FIND, **named)
        customer = found["c_id"]
        account = await connected.row(
            accounts._REGISTER,
            **named,
            account_id=new_id(),
            customer_id=customer,
            email=found["t_email"],
            language=None,
            password_hash=password_hash,
            confirmed=False,
        )
        registered = entry(found, ActivityType.ACCOUNT_REGISTERED, SubjectType.ACCOUNT, account["a_id"])
        by = Actor(ActorType.CUSTOMER, str(customer), found["c_display_name"])
        await _send_link(connected, Purpose.EMAIL_CONFIRMATION, found, account["a_id"], by, registered)
    return {"portalStatus": "notconfirmed", "email": account["a_email"]}


async def _send_link(
    connected: Connected, purpose: Purpose, standing: Row, account: UUID | None, by: Actor, *before: Answer
) -> Answer:
    customer, email, mail, token = standing["c_id"], standing["c_email"], new_id(), new_id()
    by_whom = {"created_by_type": by.type.value, "created_by_id": by.id, "created_by_name": by.name}
    to = {"customer_id": customer, "account_id": account, "email": email, "language": standing["c_language"]}
    lifetime = timedelta(seconds=standing[f"o_{_SECONDS[purpose]}_seconds"])
    sent = await connected.row(
        links._SEND,
        communication_id=mail,
        token_id=token,
        purpose=purpose.value,
        lifetime=lifetime,
        kind=MailKind(purpose.value).value,
        automatic=False,
        correlation_id=SEEN["correlation_id"],
        resent_from=None,
        **to,
        **by_whom,
    )
    payload = {"email": masked(email), "communicationId": str(mail)}
    await log(
        connected,
        *before,
        *(
            entry(standing, ActivityType.INVITATION_SUPERSEDED, SubjectType.INVITATION, one)
            for one in sent["superseded"] or ()
        ),
        entry(standing, ActivityType.INVITATION_SENT, SubjectType.INVITATION, token, payload),
    )
    await enqueue(connected, Job.DELIVER_MAIL, communicationId=str(mail))
    return shapes.new_link(to, token, mail, by_whom, sent)


_SECONDS = {Purpose.INVITATION: "invitation", Purpose.EMAIL_CONFIRMATION: "email_confirmation"}


def _ending(by: Actor, reason: str) -> dict[str, Any]:
    return {"by_type": by.type.value, "by_id": by.id, "by_name": by.name, "reason": reason}
