"""Portal accounts across customers."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from app.domain.accounts import AccountState, PortalStatus, portal_status
from app.domain.portal_accounts import PortalAccount
from app.schemas.base import Answered, printable

SearchText = Annotated[
    str, StringConstraints(min_length=2, max_length=100, strip_whitespace=True), AfterValidator(printable)
]


class PortalAccountBody(Answered):
    """An account and its customer; with `portalStatus=noaccount` a customer who has no live one."""

    customer_id: UUID
    account_number: str
    display_name: str
    account_id: UUID | None
    email: str | None = Field(description="The account's.")
    state: AccountState | None
    portal_status: PortalStatus = Field(description="Of this account.")
    registered_date_time: datetime | None
    email_confirmed_date_time: datetime | None
    last_active_date_time: datetime | None
    imported: bool | None
    invited_date_time: datetime | None = Field(description="When the customer's newest invitation was sent.")

    @classmethod
    def of(cls, one: PortalAccount) -> "PortalAccountBody":
        """From the domain's row."""
        record = one.record
        account = record.account if record else None
        return cls(
            customer_id=one.customer.customer_id,
            account_number=one.customer.account_number,
            display_name=one.customer.display_name,
            account_id=account.account_id if account else None,
            email=account.email if account else None,
            state=record.state if record else None,
            portal_status=portal_status(account),
            registered_date_time=account.registered_at if account else None,
            email_confirmed_date_time=account.email_confirmed_at if account else None,
            last_active_date_time=account.last_active_at if account else None,
            imported=record.imported if record else None,
            invited_date_time=one.invited_at,
        )
