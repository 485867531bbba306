"""The customer's side: registering, confirming, logging in, looking at oneself."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from app.domain.accounts import PortalStatus, Registered, portal_status
from app.domain.banners import banner
from app.domain.impersonations import AccessMode
from app.domain.one_time_tokens import TokenState
from app.domain.organisations import Features
from app.domain.sessions import LoggedIn, PortalSession, PortalVisitor
from app.schemas.base import Answered, Culture, Email, Given, Line, Password, Token, known_form
from app.schemas.platform_settings import PlatformNotificationBody
from app.services.inspections import Inspection
from app.services.logins import Login
from app.services.registrations import Registration
from app.tokens import Purpose


class TokenGiven(Given):
    """A token out of a mail."""

    model_config = Given.model_config | {
        "json_schema_extra": {"examples": [{"token": "IjAxOTlkOGEwIg.b3V0LW9mLXRoZS1tYWls"}]}
    }

    token: Token


class InspectionBody(Answered):
    """What a link is good for."""

    purpose: Purpose
    state: TokenState
    email: str = Field(description="Masked: `j***@example.com`.")
    expires_date_time: datetime
    account_number_required: bool

    @classmethod
    def of(cls, inspection: Inspection) -> "InspectionBody":
        """From the service's inspection."""
        return cls(
            purpose=inspection.purpose,
            state=inspection.state,
            email=inspection.email,
            expires_date_time=inspection.expires_at,
            account_number_required=inspection.account_number_required,
        )


class RegistrationGiven(Given):
    """The registration page."""

    model_config = Given.model_config | {
        "json_schema_extra": {
            "examples": [
                {
                    "token": "IjAxOTlkOGEwIg.b3V0LW9mLXRoZS1tYWls",
                    "customerNumber": "20019188",
                    "password": "seven warm radiators",
                    "passwordConfirmation": "seven warm radiators",
                    "language": "nl-BE",
                }
            ]
        }
    }

    token: Token
    customer_number: Line
    password: Password
    password_confirmation: Password | None = None
    email: Email | None = Field(None, description="Absent: the address that was invited.")
    language: Culture | None = None

    def registration(self) -> Registration:
        """For the service."""
        return Registration(
            token=self.token,
            customer_number=self.customer_number,
            password=self.password,
            password_confirmation=self.password_confirmation,
            email=self.email,
            language=self.language,
        )


class RegisteredBody(Answered):
    """The account's status and address."""

    portal_status: PortalStatus
    email: str

    @classmethod
    def of(cls, registered: Registered) -> "RegisteredBody":
        """From the service's outcome."""
        return cls(portal_status=registered.portal_status, email=registered.email)


class AddressGiven(Given):
    """An e-mail address."""

    model_config = Given.model_config | {"json_schema_extra": {"examples": [{"email": "amelie.dubois@example.com"}]}}

    email: Email


class Accepted(Answered):
    """It is done soon; the same answer whatever comes of it."""

    accepted: bool = True

    @classmethod
    def of(cls, _asked: object) -> "Accepted":
        """Whatever was asked for."""
        return cls()


class LoginGiven(Given):
    """The login page. The address is not checked for its form here: what is unknown is wrong, nothing more."""

    model_config = Given.model_config | {
        "json_schema_extra": {"examples": [{"email": "amelie.dubois@example.com", "password": "seven warm radiators"}]}
    }

    email: str = Field(min_length=1, max_length=254)
    password: Password
    customer_number: Line | None = Field(None, description="Needed when several accounts match.")

    def login(self) -> Login:
        """For the service."""
        return Login(email=known_form(self.email.strip()), password=self.password, customer_number=self.customer_number)


class LoggedInBody(Answered):
    """A new session; the token is shown this once."""

    access_token: str
    expires_date_time: datetime
    customer_id: UUID

    @classmethod
    def of(cls, logged_in: LoggedIn) -> "LoggedInBody":
        """From the service's outcome."""
        return cls(
            access_token=logged_in.access_token,
            expires_date_time=logged_in.expires_at,
            customer_id=logged_in.customer_id,
        )


class SessionBody(Answered):
    """One of the customer's own live sessions."""

    id: UUID
    created_date_time: datetime
    last_seen_date_time: datetime
    expires_date_time: datetime
    ip_address: str | None
    user_agent: str | None
    current: bool = Field(description="Whether this is the session that asks.")

    @classmethod
    def of(cls, session: PortalSession, current: UUID) -> "SessionBody":
        """From a session and the id of the one that asks."""
        return cls(
            id=session.id,
            created_date_time=session.created_at,
            last_seen_date_time=session.last_seen_at,
            expires_date_time=session.expires_at,
            ip_address=session.ip_address,
            user_agent=session.user_agent,
            current=session.id == current,
        )


class FeaturesBody(Answered):
    """What the portal offers."""

    documents: bool
    invoices: bool
    advance_payment_adjustable: bool
    edit_contact_details: bool

    @classmethod
    def of(cls, features: Features) -> "FeaturesBody":
        """From the domain's features."""
        return cls(
            documents=features.documents,
            invoices=features.invoices,
            advance_payment_adjustable=features.advance_payment_adjustable,
            edit_contact_details=features.edit_contact_details,
        )


class MyAccount(Answered):
    """The visitor's account."""

    email: str
    email_confirmed: bool
    registered_date_time: datetime
    portal_status: PortalStatus


class MyCustomer(Answered):
    """The visitor as a customer."""

    customer_id: UUID
    account_number: str
    display_name: str
    language: str


class MyOrganisation(Answered):
    """The utility."""

    organisation_id: UUID
    name: str
    features: FeaturesBody
    page_notifications: list[PlatformNotificationBody]


class MyImpersonation(Answered):
    """The employee who is logged in as the customer, and the banner that says so."""

    session_id: UUID
    employee_name: str | None
    access_mode: AccessMode
    expires_date_time: datetime
    banner: str = Field(description="In the customer's language.")

    @classmethod
    def of(cls, visitor: PortalVisitor) -> "MyImpersonation | None":
        """From the recognised visitor; None for the customer."""
        during = visitor.impersonation
        if during is None:
            return None
        return cls(
            session_id=during.id,
            employee_name=during.employee.name,
            access_mode=during.access_mode,
            expires_date_time=during.expires_at,
            banner=banner(visitor.standing, during),
        )


class Me(Answered):
    """Who is logged in."""

    account: MyAccount
    customer: MyCustomer
    organisation: MyOrganisation
    impersonation: MyImpersonation | None = Field(description="Set while an employee is logged in as the customer.")

    @classmethod
    def of(cls, visitor: PortalVisitor) -> "Me":
        """From the recognised visitor."""
        standing, account = visitor.standing, visitor.standing.account
        assert account is not None  # a live session has a live account
        return cls(
            account=MyAccount(
                email=account.email,
                email_confirmed=account.email_confirmed,
                registered_date_time=account.registered_at,
                portal_status=portal_status(account),
            ),
            customer=MyCustomer(
                customer_id=standing.customer.customer_id,
                account_number=standing.customer.account_number,
                display_name=standing.customer.display_name,
                language=standing.language,
            ),
            organisation=MyOrganisation(
                organisation_id=standing.organisation.organisation_id,
                name=standing.organisation.name,
                features=FeaturesBody.of(standing.organisation.features),
                page_notifications=[
                    PlatformNotificationBody.of(one) for one in standing.organisation.page_notifications
                ],
            ),
            impersonation=MyImpersonation.of(visitor),
        )
