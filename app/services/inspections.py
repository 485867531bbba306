"""Looking at a link without spending it, so that mail scanners burn nothing."""

from dataclasses import dataclass
from datetime import datetime

from app.domain.accounts import masked
from app.domain.activities import ActivityType, NewActivity, Subject, SubjectType
from app.domain.callers import AnonymousCall
from app.domain.one_time_tokens import OneTimeToken, TokenState
from app.errors import TokenInvalid
from app.repositories.unit_of_work import Transactions
from app.tokens import Link, Purpose, TokenSigner


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a link's page needs to know before the customer acts. The address is masked."""

    purpose: Purpose
    state: TokenState
    email: str
    expires_at: datetime
    account_number_required: bool


class Inspections:
    """Inspects one-time tokens of every purpose."""

    def __init__(self, transaction: Transactions, signer: TokenSigner) -> None:
        self._transaction = transaction
        self._signer = signer

    async def inspect(self, token: str, *, call: AnonymousCall) -> Inspection:
        """Purpose and state of a genuine token, dead or alive. Changes nothing but the time of the first view.

        Raises: TokenInvalid.
        """
        link = self._signer.read_any(token)
        if link.organisation_id != call.organisation_id:
            raise TokenInvalid
        if link.purpose is Purpose.IMPERSONATION:
            return await self._hand_off(link)
        async with self._transaction.reading(link.organisation_id) as uow:
            found = await uow.tokens.find(link)
        if found is None:
            raise TokenInvalid
        if found.viewed_at is None and found.state is TokenState.PENDING:
            await self._view(link, found, call)
        return Inspection(
            purpose=found.purpose,
            state=found.state,
            email=masked(found.email),
            expires_at=found.expires_at,
            account_number_required=found.purpose is Purpose.INVITATION,
        )

    async def _view(self, link: Link, found: OneTimeToken, call: AnonymousCall) -> None:
        """The first view of a living token, which the log knows of an invitation."""
        async with self._transaction(link.organisation_id) as uow:
            standing = await uow.links.view(link)
            if standing is not None and found.purpose is Purpose.INVITATION:
                uow.activities.record(
                    NewActivity(
                        ActivityType.INVITATION_VIEWED,
                        standing.actor,
                        call.seen,
                        Subject(SubjectType.INVITATION, found.id),
                        standing.ref,
                    )
                )

    async def _hand_off(self, link: Link) -> Inspection:
        """The link of an impersonation stands in no mail; what it shows is the customer's account."""
        async with self._transaction.reading(link.organisation_id) as uow:
            known = await uow.links.hand_off(link)
        if known is None:
            raise TokenInvalid
        found, standing = known
        account = standing.account
        return Inspection(
            purpose=link.purpose,
            state=found.handoff_state,
            email=masked(account.email) if account and account.account_id == found.account_id else "***",
            expires_at=found.handoff_expires_at,
            account_number_required=False,
        )
