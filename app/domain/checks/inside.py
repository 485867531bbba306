"""Checks of the portal itself and of what the customer sees in it."""

from datetime import timedelta

from app.domain.activities import ActivityType
from app.domain.customers import ContractStatus, DocumentVisibility
from app.domain.diagnosis import Evidence, Outcome, Remedy, Severity, Snapshot, Trouble
from app.domain.impersonations import ImpersonationState
from app.domain.sessions import CUSTOMER_LOGOUT

_STOPPED_LATELY = timedelta(days=1)  # nobody asks about an impersonation of last week


def no_invoices_or_files(snapshot: Snapshot) -> Trouble | Outcome:
    """Neither an invoice nor a document for the portal is linked to the customer."""
    features = snapshot.standing.organisation.features
    if not (features.invoices or features.documents):
        return Outcome.NOT_APPLICABLE
    invoices = sum(contract.invoice_count for contract in snapshot.contracts)
    documents = sum(document.visibility is not DocumentVisibility.INTERNAL for document in snapshot.documents)
    if invoices or documents:
        return Outcome.OK
    return Trouble(
        Severity.WARNING,
        Remedy.CHANGE_CUSTOMER,
        {"contracts": len(snapshot.contracts), "invoices": invoices, "documents": documents},
    )


def portal_not_activated(snapshot: Snapshot) -> Trouble | Outcome:
    """The organisation's portal is off."""
    if snapshot.standing.organisation.portal_enabled:
        return Outcome.OK
    return Trouble(Severity.BLOCKING, Remedy.CHANGE_SETTINGS, {"portalEnabled": False})


def incorrect_information(snapshot: Snapshot) -> Trouble | Outcome:
    """The account's address differs from the customer's, and nobody changed it on purpose."""
    account, customer = snapshot.standing.account, snapshot.standing.customer
    if account is None or customer.email is None:
        return Outcome.NOT_APPLICABLE
    if account.email.casefold() == customer.email.casefold() or account.email_changed_at is not None:
        return Outcome.OK
    return Trouble(
        Severity.WARNING, Remedy.RESET_ACCOUNT, {"accountEmail": account.email, "contactEmail": customer.email}
    )


def advance_payment_not_adjustable(snapshot: Snapshot) -> Trouble | Outcome:
    """The feature is off for the organisation."""
    if snapshot.standing.organisation.features.advance_payment_adjustable:
        return Outcome.OK
    return Trouble(Severity.INFO, Remedy.CHANGE_SETTINGS, {"advancePaymentAdjustable": False})


def impersonation_stopped(snapshot: Snapshot) -> Trouble | Outcome:
    """The last impersonation ended, or its time ran out, within a day."""
    last = snapshot.last_impersonation
    if last is None:
        return Outcome.NOT_APPLICABLE
    over = last.state in (ImpersonationState.ENDED, ImpersonationState.EXPIRED)
    if not over or (last.ended_at is not None and snapshot.checked_at - last.ended_at > _STOPPED_LATELY):
        return Outcome.OK
    return Trouble(
        Severity.INFO,
        Remedy.START_IMPERSONATION,
        {"state": last.state.value, "endedDateTime": last.ended_at, "endReason": last.end_reason},
    )


def portal_page_error(snapshot: Snapshot) -> Trouble | Outcome:
    """The portal reported failing pages within 30 days, and the customer was not logged out since."""
    logged_out = [
        one.at
        for one in snapshot.since(None, ActivityType.SESSIONS_ENDED)
        if one.payload.get("reason") == CUSTOMER_LOGOUT
    ]
    resets = [one.at for one in snapshot.since(None, ActivityType.ACCOUNT_RESET)]
    cleared = max(logged_out + resets, default=None)
    reports = snapshot.since(cleared, ActivityType.ERROR_REPORTED)
    if not reports:
        return Outcome.OK
    return Trouble(
        Severity.WARNING,
        Remedy.LOG_OUT_CUSTOMER,
        {
            "reports": len(reports),
            "lastReportedDateTime": reports[0].at,
            "page": str(reports[0].payload.get("page", "")),
        },
    )


def portal_address_not_working(snapshot: Snapshot) -> Trouble | Outcome:
    """The portal's URL is missing, not https, or did not answer when last checked."""
    url, check = snapshot.standing.organisation.portal_url, snapshot.url_check
    if url is None:
        return Trouble(Severity.BLOCKING, Remedy.CHANGE_SETTINGS, {"portalUrl": None, "problem": "It is missing."})
    if not url.startswith("https://"):
        return Trouble(
            Severity.WARNING,
            Remedy.CHANGE_SETTINGS,
            {"portalUrl": url, "problem": "It does not start with https://, so browsers warn of it."},
        )
    if check is None or check.url != url or check.problem is None:
        return Outcome.OK
    return Trouble(
        Severity.BLOCKING,
        Remedy.CHECK_PORTAL_URL,
        {"portalUrl": url, "problem": check.problem, "lastCheckedDateTime": check.checked_at},
    )


def new_invoices_not_visible(snapshot: Snapshot) -> Trouble | Outcome:
    """A signed contract has no invoice linked to it."""
    signed = [contract for contract in snapshot.contracts if contract.status is ContractStatus.SIGNED]
    if not signed or not snapshot.standing.organisation.features.invoices:
        return Outcome.NOT_APPLICABLE
    without = [contract.contract_number for contract in signed if contract.invoice_count == 0]
    if not without:
        return Outcome.OK
    evidence: Evidence = {"contractsWithoutInvoices": len(without), "contractNumber": without[0]}
    return Trouble(Severity.WARNING, Remedy.CHANGE_CUSTOMER, evidence)
