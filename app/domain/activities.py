"""The log of everything that happened around portal access (contract section 7)."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.domain.callers import Actor, ImpersonationRef, Seen


class ActivityType(StrEnum):
    """What happened."""

    INVITATION_SENT = "PortalInvitationSent"
    INVITATION_SUPERSEDED = "PortalInvitationSuperseded"
    INVITATION_VIEWED = "PortalInvitationViewed"
    INVITATION_REVOKED = "PortalInvitationRevoked"
    ACCOUNT_REGISTERED = "PortalAccountRegistered"
    REGISTRATION_REFUSED = "PortalRegistrationRefused"
    EMAIL_CONFIRMATION_SENT = "PortalEmailConfirmationSent"
    EMAIL_CONFIRMATION_SUPERSEDED = "PortalEmailConfirmationSuperseded"
    EMAIL_CONFIRMED = "PortalEmailConfirmed"
    TOKEN_REFUSED = "PortalTokenRefused"
    LOGIN_SUCCEEDED = "PortalLoginSucceeded"
    LOGIN_FAILED = "PortalLoginFailed"
    LOGGED_OUT = "PortalLoggedOut"
    SESSIONS_ENDED = "PortalSessionsEnded"
    CONTACT_EMAIL_CHANGED = "PortalContactEmailChanged"
    COMMUNICATION_SENT = "PortalCommunicationSent"
    COMMUNICATION_FAILED = "PortalCommunicationFailed"
    SETTINGS_CHANGED = "PortalSettingsChanged"
    PASSWORD_RESET_SENT = "PortalPasswordResetSent"
    PASSWORD_RESET_REQUESTED = "PortalPasswordResetRequested"
    PASSWORD_RESET_COMPLETED = "PortalPasswordResetCompleted"
    PASSWORD_RESET_SUPERSEDED = "PortalPasswordResetSuperseded"
    ACCOUNT_RESET = "PortalAccountReset"
    ACCOUNT_REACTIVATED = "PortalAccountReactivated"
    ACCOUNT_IMPORTED = "PortalAccountImported"
    ACCOUNT_RETIRED = "PortalAccountRetired"
    EMAIL_CHANGED = "PortalEmailChanged"
    EMAIL_CHANGE_REQUESTED = "PortalEmailChangeRequested"
    PASSWORD_CHANGED = "PortalPasswordChanged"
    IMPERSONATION_STARTED = "PortalImpersonationStarted"
    IMPERSONATION_REFUSED = "PortalImpersonationRefused"
    IMPERSONATION_REDEEMED = "PortalImpersonationRedeemed"
    IMPERSONATION_ENDED = "PortalImpersonationEnded"
    DOCUMENT_VIEWED = "PortalDocumentViewed"
    COMMUNICATION_RESENT = "PortalCommunicationResent"
    ERROR_REPORTED = "PortalErrorReported"
    INVITATION_BATCH_STARTED = "PortalInvitationBatchStarted"
    INVITATION_BATCH_FINISHED = "PortalInvitationBatchFinished"
    ACCESS_CHANGED = "PortalAccessChanged"


class SubjectType(StrEnum):
    """What kind of thing an activity is about."""

    INVITATION = "invitation"
    INVITATION_BATCH = "invitationbatch"
    EMAIL_CONFIRMATION = "emailconfirmation"
    PASSWORD_RESET = "passwordreset"
    IMPERSONATION = "impersonation"
    ACCOUNT = "account"
    SESSION = "session"
    COMMUNICATION = "communication"
    CUSTOMER = "customer"
    DOCUMENT = "document"
    ORGANISATION = "organisation"
    ROLE = "role"
    ROLE_ASSIGNMENT = "roleassignment"
    WEBHOOK_ENDPOINT = "webhookendpoint"


@dataclass(frozen=True, slots=True)
class Subject:
    """What an activity is about."""

    type: SubjectType
    id: UUID


@dataclass(frozen=True, slots=True)
class CustomerRef:
    """The customer an activity belongs to, with the generation of the account it happened to."""

    customer_id: UUID
    account_number: str
    account_generation: int = 0


@dataclass(frozen=True, slots=True)
class NewActivity:
    """An activity to be written with the change it reports. The payload never holds a secret."""

    type: ActivityType
    actor: Actor
    seen: Seen
    subject: Subject
    customer: CustomerRef | None = None
    payload: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Activity:
    """An entry of the log, as it stands there."""

    id: UUID
    type: str
    occurred_at: datetime
    customer_id: UUID | None
    account_number: str | None
    actor: Actor
    impersonation: ImpersonationRef | None
    subject: Subject
    ip_address: str | None
    user_agent: str | None
    correlation_id: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ActivityFilter:
    """Which activities to list; None means all. `from_at` is inclusive, `to_at` exclusive."""

    types: tuple[str, ...] | None = None
    from_at: datetime | None = None
    to_at: datetime | None = None
    actor_type: str | None = None
    impersonated: bool | None = None
