"""Every account known for a customer; the account reset."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from app.domain.accounts import AccountRecord, AccountState, ImportedAccount, PortalStatus, portal_status
from app.schemas.base import Answered, Email, Given, Moment, Reason
from app.services.account_resets import AccountReset


class ResetAccount(Given):
    """Why, and what comes afterwards; all may be left out."""

    model_config = Given.model_config | {
        "json_schema_extra": {
            "examples": [
                {"reason": "Registered with a wrong address", "reinvite": True, "email": "jan.peeters@example.com"},
                {},
            ]
        }
    }

    reason: Reason | None = Field(None, description="For the log.")
    reinvite: bool = Field(False, description="Whether to mail a new invitation at once.")
    email: Email | None = Field(None, description="Stored as the customer's contact address.")

    def account_reset(self) -> AccountReset:
        """For the service."""
        return AccountReset(reason=self.reason, reinvite=self.reinvite, email=self.email)


class ImportAccount(Given):
    """An account as an older system knew it."""

    model_config = Given.model_config | {
        "json_schema_extra": {
            "examples": [
                {
                    "email": "jan.peeters@example.com",
                    "registeredDateTime": "2021-03-04T09:12:45Z",
                    "emailConfirmedDateTime": "2021-03-04T09:20:02Z",
                    "live": True,
                }
            ]
        }
    }

    email: Email
    registered_date_time: Moment
    email_confirmed_date_time: Moment | None = Field(None, description="Absent: the address is not proven yet.")
    password_hash: str | None = Field(
        None,
        max_length=500,
        description="argon2 (`$argon2id$…`), bcrypt (`$2b$…`) or PBKDF2 as Django writes it (`pbkdf2_sha256$…`), "
        "replaced by a hash of ours at the first login. Absent: the customer needs a password reset to log in.",
        json_schema_extra={"writeOnly": True},
    )
    live: bool = Field(
        False,
        description="Whether the customer logs in with this account from now on. Absent: it is kept as a duplicate, "
        "which harms nobody and can be reactivated.",
    )

    def imported_account(self) -> ImportedAccount:
        """For the service."""
        return ImportedAccount(
            email=self.email,
            registered_at=self.registered_date_time,
            email_confirmed_at=self.email_confirmed_date_time,
            password_hash=self.password_hash,
            live=self.live,
        )


class AccountBody(Answered):
    """One of the accounts known for a customer."""

    account_id: UUID
    email: str
    state: AccountState = Field(description="At most one is `live`; a `retired` one logs nobody in.")
    portal_status: PortalStatus = Field(description="Of this account: `active` once its address is confirmed.")
    registered_date_time: datetime
    email_confirmed_date_time: datetime | None
    last_active_date_time: datetime | None
    imported: bool = Field(description="Whether it comes from an older system.")

    @classmethod
    def of(cls, record: AccountRecord) -> "AccountBody":
        """From the domain's record."""
        account = record.account
        return cls(
            account_id=account.account_id,
            email=account.email,
            state=record.state,
            portal_status=portal_status(account),
            registered_date_time=account.registered_at,
            email_confirmed_date_time=account.email_confirmed_at,
            last_active_date_time=account.last_active_at,
            imported=record.imported,
        )
