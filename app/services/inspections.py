"""Looking at a link without spending it, so that mail scanners burn nothing."""

from dataclasses import dataclass
from datetime import datetime

from app.domain.accounts import masked
from app.domain.activities import ActivityType, NewActivity, Subject, SubjectType
from app.domain.callers import AnonymousCall
from app.domain.one_time_tokens import TokenState
from app.errors import TokenInvalid
from app.repositories.unit_of_work import Transactions
from app.tokens import Purpose, TokenSigner


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
        async with self._transaction(link.organisation_id) as uow:
            viewed = await uow.tokens.view(link)
            if viewed is None:
                raise TokenInvalid
            found, first_view = viewed
            if first_view and found.purpose is Purpose.INVITATION:
                standing = await uow.customers.standing(found.customer_id)
                uow.activities.record(
                    NewActivity(
                        ActivityType.INVITATION_VIEWED,
                        standing.actor,
                        call.seen,
                        Subject(SubjectType.INVITATION, found.id),
                        standing.ref,
                    )
                )
        return Inspection(
            purpose=found.purpose,
            state=found.state,
            email=masked(found.email),
            expires_at=found.expires_at,
            account_number_required=found.purpose is Purpose.INVITATION,
        )
