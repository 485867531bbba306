"""Customers as the platform's existing calls show and change them. Fields that nobody knows are ignored here."""

import hashlib
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StrictBool,
)
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from pydantic_core.core_schema import no_info_before_validator_function

from app.domain.customers import Contract, ContractStatus
from app.domain.impersonations import Impersonation, NewImpersonation
from app.domain.platform_customers import PlatformCustomer
from app.schemas.base import Answered, Email
from app.schemas.platform_answers import Envelope
from app.services.account_resets import AccountReset
from app.services.portal_details import NewPortalDetails

FRONT_END = NewImpersonation("Opened from the customer's page of the platform's front end")
"""The platform's call says no reason: log and customer are told where it came from."""


class PlatformGiven(BaseModel):
    """A body of the platform's own: fields that are not known here are ignored."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)


def _nothing(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


class EmptyIsNothing:
    """A form's empty field counts as none, and the document says so."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Look before anything else does."""
        return no_info_before_validator_function(_nothing, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """One more that is taken."""
        made = handler(schema)
        made["anyOf"].append({"type": "string", "pattern": r"^\s*$", "description": "The same as `null`."})
        return made


MaybeEmail = Annotated[Email | None, EmptyIsNothing()]
Flag = Annotated[StrictBool, BeforeValidator(lambda value: False if value is None else value)]


class PlatformConfirmation(PlatformGiven):
    """The token out of the confirmation mail."""

    model_config = PlatformGiven.model_config | {
        "json_schema_extra": {"examples": [{"confirmAccountToken": "IjAxOTlkOGEwIg.b3V0LW9mLXRoZS1tYWls"}]}
    }

    confirm_account_token: str | None = Field(None, description="All that follows `#token=` in the link.")


class PlatformReset(PlatformGiven):
    """Where to invite the customer again."""

    model_config = PlatformGiven.model_config | {
        "json_schema_extra": {
            "examples": [{"communicationEmail": "jan.peeters@example.com", "sendCommunication": True}]
        }
    }

    communication_email: MaybeEmail = Field(
        description="Where the new invitation goes; it becomes the customer's contact address then. Null: the address "
        "known."
    )
    send_communication: Flag = Field(False, description="Invites the customer again.")

    def account_reset(self) -> AccountReset:
        """For the service. An address that nothing is sent to is not the customer's."""
        return AccountReset(
            reinvite=self.send_communication, email=self.communication_email if self.send_communication else None
        )


class PlatformPortalDetails(PlatformGiven):
    """What changes about the customer's account."""

    model_config = PlatformGiven.model_config | {
        "json_schema_extra": {"examples": [{"email": "jan.peeters@example.com", "sendCommunication": True}]}
    }

    application_user_id: Any = Field(None, description="Ignored: it is always the live account's.")
    reset_password_token: Any = Field(None, description="Ignored: tokens are made here and stand in mails alone.")
    confirm_account_token: Any = Field(None, description="Ignored, for the same reason.")
    email: MaybeEmail = Field(None, description="The account's address from now on, once it is confirmed.")
    send_communication: Flag = Field(False, description="Mails a link that confirms the address.")

    def details(self) -> NewPortalDetails:
        """For the service."""
        return NewPortalDetails(self.email, self.send_communication)


class PlatformContactDetail(Answered):
    """A way to reach the customer."""

    contact_type: Literal["email"] = "email"
    value: str
    description: str | None = None
    primary_for_type: bool = True


class PlatformContract(Answered):
    """A contract linked to the customer."""

    contract_id: UUID
    contract_number: str
    current_contract_status: ContractStatus

    @classmethod
    def of(cls, contract: Contract) -> "PlatformContract":
        """From the domain's contract."""
        return cls(
            contract_id=contract.contract_id,
            contract_number=contract.contract_number,
            current_contract_status=contract.status,
        )


class PlatformPortalProperties(Answered):
    """The customer's live account. Tokens never leave this service."""

    application_user_id: UUID | None
    confirm_account_token: None = None
    reset_password_token: None = None
    email: str | None
    email_confirmed: bool


class PlatformCustomerBody(Answered):
    """The customer."""

    id: UUID
    entity_type: Literal["customer"] = "customer"
    created_date_time: datetime
    discriminator: Literal["Customer"] = "Customer"
    etag: str = Field(alias="_etag", description="Another one after each change.")
    has_errors: bool = False
    has_warnings: bool = False
    require_attention: bool = False
    is_read_only: bool = False
    organisation_id: UUID
    account_number: str
    short_display_name: str
    contact_details: list[PlatformContactDetail]
    contracts: list[PlatformContract]
    activation_code: str | None = Field(None, description="Always null: what activates an account is mailed alone.")
    portal_properties: PlatformPortalProperties

    @classmethod
    def of(cls, found: PlatformCustomer) -> "PlatformCustomerBody":
        """From the domain's customer."""
        standing = found.standing
        customer, account = standing.customer, standing.account
        return cls(
            id=customer.customer_id,
            created_date_time=found.created_at,
            etag=_etag(found),
            organisation_id=standing.organisation.organisation_id,
            account_number=customer.account_number,
            short_display_name=customer.display_name,
            contact_details=[PlatformContactDetail(value=customer.email)] if customer.email else [],
            contracts=[PlatformContract.of(one) for one in customer.contracts],
            portal_properties=PlatformPortalProperties(
                application_user_id=account.account_id if account else None,
                email=account.email if account else None,
                email_confirmed=account is not None and account.email_confirmed,
            ),
        )


def _etag(found: PlatformCustomer) -> str:
    """The record has a time of its last change; the account that is shown with it has none, so it counts itself."""
    account = found.standing.account
    shown = (account.account_id, account.email, account.email_confirmed) if account else None
    return hashlib.sha256(f"{found.changed_at.isoformat()} {shown}".encode()).hexdigest()[:32]


class CustomerAnswer(Envelope[PlatformCustomerBody]):
    """The customer, as found or as changed."""

    @classmethod
    def of(cls, found: PlatformCustomer) -> "CustomerAnswer":
        """From the domain's customer."""
        return cls(data=PlatformCustomerBody.of(found))


class HandOffAnswer(Envelope[str | None]):
    """The token that the portal's login page spends."""

    data: str | None = Field(description="Works once, within a minute. Null when an answer is repeated after that.")

    @classmethod
    def of(cls, one: Impersonation) -> "HandOffAnswer":
        """What is kept for a repetition: which impersonation it was. Its token is signed again."""
        return cls(data=str(one.id))
