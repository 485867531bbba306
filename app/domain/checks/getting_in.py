"""Checks of the way in: address, invitation, confirmation, login, reset, duplicates."""

from datetime import datetime, timedelta

from app.domain.activities import ActivityType
from app.domain.communications import CommunicationStatus
from app.domain.diagnosis import Evidence, Outcome, Remedy, Severity, Snapshot, Trouble
from app.domain.one_time_tokens import OneTimeToken, TokenState
from app.errors import CustomerNumberMismatch, EmailNotConfirmed
from app.tokens import Purpose

_FAILED_LOGINS = 3
_MAIL_IS_OLD = timedelta(hours=1)  # a mail not acted upon by then has most likely not been seen
# With any of these the customer has no need of an earlier reset link, whatever ended it.
_NO_MORE_NEED = (ActivityType.PASSWORD_CHANGED, ActivityType.PASSWORD_RESET_COMPLETED, ActivityType.EMAIL_CHANGED)
_SUCCESSES = (
    ActivityType.LOGIN_SUCCEEDED,
    ActivityType.ACCOUNT_REGISTERED,
    ActivityType.EMAIL_CONFIRMED,
    ActivityType.PASSWORD_RESET_COMPLETED,
)
_UNDELIVERED = (CommunicationStatus.FAILED, CommunicationStatus.SKIPPED)


def customer_has_no_email(snapshot: Snapshot) -> Trouble | Outcome:
    """There is no address to write to."""
    standing = snapshot.standing
    if standing.customer.email:
        return Outcome.OK
    if standing.account is None:
        return Trouble(Severity.BLOCKING, Remedy.SEND_INVITATION, {"hasAccount": False})
    return Trouble(Severity.WARNING, Remedy.CHANGE_CUSTOMER, {"hasAccount": True})


def registration_link_not_working(snapshot: Snapshot) -> Trouble | Outcome:
    """No live account, and the last invitation is dead or never reached its reader."""
    invitation = snapshot.last_tokens.get(Purpose.INVITATION)
    if snapshot.standing.account is not None or invitation is None:
        return Outcome.NOT_APPLICABLE
    if not _of_no_use(invitation):
        return Outcome.OK
    return Trouble(Severity.BLOCKING, Remedy.SEND_INVITATION, _link_evidence(invitation))


def customer_number_mismatch(snapshot: Snapshot) -> Trouble | Outcome:
    """Registrations refused for the number within 30 days, and none that worked since."""
    if snapshot.standing.account is not None:
        return Outcome.NOT_APPLICABLE
    refused = [
        one.at
        for one in snapshot.since(_registered_at(snapshot), ActivityType.REGISTRATION_REFUSED)
        if one.payload.get("key") == CustomerNumberMismatch.key
    ]
    if not refused:
        return Outcome.OK
    invitation = snapshot.last_tokens.get(Purpose.INVITATION)
    usable = invitation is not None and invitation.state is TokenState.PENDING
    return Trouble(
        Severity.BLOCKING,
        Remedy.REGISTER if usable else Remedy.SEND_INVITATION,
        {
            "refusedRegistrations": len(refused),
            "lastRefusedDateTime": refused[0],
            "accountNumber": snapshot.standing.customer.account_number,
        },
    )


def confirmation_not_received(snapshot: Snapshot) -> Trouble | Outcome:
    """The account waits for its confirmation, and the mail failed, is older than an hour, or its link is dead."""
    account = snapshot.standing.account
    if account is None or account.email_confirmed:
        return Outcome.NOT_APPLICABLE
    confirmation = snapshot.last_tokens.get(Purpose.EMAIL_CONFIRMATION)
    if confirmation is None or confirmation.account_id != account.account_id:
        return Trouble(Severity.BLOCKING, Remedy.SEND_CONFIRMATION, {"sentDateTime": None})
    if not _of_no_use(confirmation) and snapshot.checked_at - confirmation.created_at < _MAIL_IS_OLD:
        return Outcome.OK
    return Trouble(Severity.BLOCKING, Remedy.SEND_CONFIRMATION, _link_evidence(confirmation))


def cannot_log_in(snapshot: Snapshot) -> Trouble | Outcome:
    """Three or more failed logins within 30 days since the last that worked."""
    account = snapshot.standing.account
    if account is None:
        return Outcome.NOT_APPLICABLE
    failures = _failed_logins(snapshot)
    if len(failures) < _FAILED_LOGINS:
        return Outcome.OK
    return Trouble(
        Severity.BLOCKING,
        Remedy.SEND_PASSWORD_RESET if account.email_confirmed else Remedy.SEND_CONFIRMATION,
        {
            "failedLogins": len(failures),
            "lastFailedDateTime": failures[0][0],
            "lastLoginDateTime": snapshot.last_login_at,
            "emailConfirmed": account.email_confirmed,
        },
    )


def password_reset_not_working(snapshot: Snapshot) -> Trouble | Outcome:
    """The last reset link ended unused or never arrived, and the customer has not got in since."""
    reset = snapshot.last_tokens.get(Purpose.PASSWORD_RESET)
    account = snapshot.standing.account
    if account is None or reset is None or reset.account_id != account.account_id:
        return Outcome.NOT_APPLICABLE
    helped_since = [
        at
        for at in (snapshot.last_login_at, snapshot.newest(*_NO_MORE_NEED))
        if at is not None and at > reset.created_at
    ]
    if reset.state is TokenState.USED or not _of_no_use(reset) or helped_since:
        return Outcome.OK
    return Trouble(Severity.WARNING, Remedy.SEND_PASSWORD_RESET, _link_evidence(reset))


def cannot_access_while_account_exists(snapshot: Snapshot) -> Trouble | Outcome:
    """A live account with failed logins within 30 days and no successful one ever."""
    if snapshot.standing.account is None:
        return Outcome.NOT_APPLICABLE
    failures = [at for at, key in _failed_logins(snapshot) if key != EmailNotConfirmed.key]
    if snapshot.last_login_at is not None or not failures:
        return Outcome.OK
    return Trouble(
        Severity.WARNING,
        Remedy.RESET_ACCOUNT,
        {"failedLogins": len(failures), "lastFailedDateTime": failures[0], "lastLoginDateTime": None},
    )


def account_does_not_exist(snapshot: Snapshot) -> Trouble | Outcome:
    """Logins with the customer's contact address within 30 days, for which there is no account."""
    start = _latest(snapshot.last_login_at, _registered_at(snapshot))
    attempts = [
        one.at for one in snapshot.since(start, ActivityType.LOGIN_FAILED) if one.payload.get("reason") == "noaccount"
    ]
    if not attempts:
        return Outcome.OK
    has_account = snapshot.standing.account is not None
    return Trouble(
        Severity.WARNING,
        Remedy.RESET_ACCOUNT if has_account else Remedy.SEND_INVITATION,
        {"failedLogins": len(attempts), "lastFailedDateTime": attempts[0], "hasAccount": has_account},
    )


def login_link_used_too_early(snapshot: Snapshot) -> Trouble | Outcome:
    """A used or expired link was refused within 30 days, and nothing worked since."""
    success = _latest(snapshot.last_login_at, snapshot.newest(*_SUCCESSES))
    refused = [
        one
        for one in snapshot.since(success, ActivityType.TOKEN_REFUSED)
        if one.payload.get("state") in (TokenState.USED.value, TokenState.EXPIRED.value)
    ]
    if not refused:
        return Outcome.OK
    newest = refused[0]
    evidence: Evidence = {
        "purpose": str(newest.payload.get("purpose", "")),
        "state": str(newest.payload.get("state", "")),
        "lastRefusedDateTime": newest.at,
    }
    return Trouble(Severity.WARNING, _another_link(snapshot), evidence)


def multiple_accounts(snapshot: Snapshot) -> Trouble | Outcome:
    """More than one account is live or waits for a decision."""
    if snapshot.open_accounts <= 1:
        return Outcome.OK
    return Trouble(
        Severity.WARNING,
        Remedy.REACTIVATE_ACCOUNT,
        {"accounts": snapshot.open_accounts, "hasLiveAccount": snapshot.standing.account is not None},
        account_id=snapshot.likely_account_id,
    )


def _of_no_use(token: OneTimeToken) -> bool:
    """Whether the link is dead, or never reached its reader."""
    return token.state is not TokenState.PENDING or (
        token.communication is not None and token.communication.status in _UNDELIVERED
    )


def _link_evidence(token: OneTimeToken) -> dict[str, str | datetime | None]:
    mail = token.communication
    return {
        "email": token.email,
        "status": token.state.value,
        "createdDateTime": token.created_at,
        "expiresDateTime": token.expires_at,
        "communicationStatus": mail.status.value if mail else None,
        "lastError": mail.last_error if mail else None,
    }


def _failed_logins(snapshot: Snapshot) -> list[tuple[datetime, str]]:
    """Failed logins to the live account since its last login: when, and the refusal's key; newest first."""
    return [
        (one.at, str(one.payload.get("key")))
        for one in snapshot.since(snapshot.last_login_at, ActivityType.LOGIN_FAILED)
        if one.generation == snapshot.generation and one.payload.get("reason") not in ("noaccount", "currentpassword")
    ]


def _registered_at(snapshot: Snapshot) -> datetime | None:
    """When the live account came to be known here, or the last one did."""
    return snapshot.newest(ActivityType.ACCOUNT_REGISTERED, ActivityType.ACCOUNT_REACTIVATED)


def _latest(*moments: datetime | None) -> datetime | None:
    return max((moment for moment in moments if moment is not None), default=None)


def _another_link(snapshot: Snapshot) -> Remedy:
    """The link that helps a customer in this state."""
    account = snapshot.standing.account
    if account is None:
        return Remedy.SEND_INVITATION
    return Remedy.SEND_PASSWORD_RESET if account.email_confirmed else Remedy.SEND_CONFIRMATION
