"""The checks of the diagnosis at their edges, over made-up snapshots."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.domain.accounts import Account
from app.domain.activities import ActivityType
from app.domain.callers import Actor, ActorType
from app.domain.cards import Standing
from app.domain.checks import getting_in, inside
from app.domain.communications import Communication, CommunicationStatus
from app.domain.customers import Contract, ContractStatus, Customer, Document, DocumentVisibility
from app.domain.diagnosis import (
    LastImpersonation,
    Outcome,
    RecentActivity,
    Remedy,
    Severity,
    Snapshot,
    Trouble,
    UrlCheck,
)
from app.domain.impersonations import ImpersonationState
from app.domain.one_time_tokens import OneTimeToken, TokenState
from app.domain.organisations import Features, Organisation
from app.main import create_app
from app.routers.walking import operations
from app.schemas.diagnosis import ADDRESSES
from app.tokens import Purpose
from tests.support.service import test_settings

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
_ID = UUID(int=1)
_ACCOUNT = Account(_ID, _ID, "jan@example.com", None, NOW - timedelta(days=9), NOW - timedelta(days=9), None)
_UNCONFIRMED = replace(_ACCOUNT, email_confirmed_at=None)


def snapshot(account: Account | None = None, **given: Any) -> Snapshot:
    """A customer with an address and a portal that works."""
    organisation = Organisation(_ID, _ID, "Zonneveld Warmte", portal_enabled=True, portal_url="https://p.example.com")
    customer = Customer(_ID, "20019188", "Jan Peeters", "jan@example.com", None)
    standing = Standing(organisation, customer, account)
    return Snapshot(NOW, standing, **({"generation": 1 if account else None} | given))


def ago(**time: float) -> datetime:
    return NOW - timedelta(**time)


def entry(kind: ActivityType, at: datetime, generation: int | None = 1, **payload: Any) -> RecentActivity:
    return RecentActivity(kind, at, generation, payload)


def failed_logins(*moments: datetime, **given: Any) -> tuple[RecentActivity, ...]:
    wrong = {"key": "INVALID_CREDENTIALS"} | given
    return tuple(entry(ActivityType.LOGIN_FAILED, at, **wrong) for at in sorted(moments, reverse=True))


def token(purpose: Purpose, state: TokenState = TokenState.PENDING, **given: Any) -> dict[Purpose, OneTimeToken]:
    known: dict[str, Any] = {
        "id": _ID,
        "purpose": purpose,
        "customer_id": _ID,
        "account_id": _ID,
        "email": "jan@example.com",
        "language": "nl-BE",
        "state": state,
        "created_at": ago(minutes=5),
        "created_by": Actor(ActorType.EMPLOYEE, "e"),
        "expires_at": NOW + timedelta(hours=1),
        "viewed_at": None,
        "ended_at": None,
    }
    return {purpose: OneTimeToken(**(known | given))}


def mail(status: CommunicationStatus) -> Communication:
    return Communication(_ID, status, 1, "550 no such user", None)


def is_found(result: Trouble | Outcome) -> bool:
    return isinstance(result, Trouble)


@pytest.mark.parametrize(("failures", "found"), [(2, False), (3, True), (4, True)])
def test_three_failed_logins_are_a_finding(failures: int, found: bool) -> None:
    recent = failed_logins(*(ago(hours=hour + 1) for hour in range(failures)))
    assert is_found(getting_in.cannot_log_in(snapshot(_ACCOUNT, last_login_at=ago(days=2), recent=recent))) is found


def test_failed_logins_before_the_last_success_do_not_count() -> None:
    recent = failed_logins(*(ago(hours=hour + 1) for hour in range(5)))
    assert getting_in.cannot_log_in(snapshot(_ACCOUNT, last_login_at=ago(minutes=30), recent=recent)) is Outcome.OK


def test_failed_logins_to_an_account_before_its_reset_do_not_count() -> None:
    recent = failed_logins(*(ago(hours=hour + 1) for hour in range(5)))
    assert getting_in.cannot_log_in(snapshot(_ACCOUNT, generation=2, recent=recent)) is Outcome.OK


def test_who_cannot_log_in_unconfirmed_needs_a_confirmation() -> None:
    recent = failed_logins(*(ago(hours=hour + 1) for hour in range(3)), key="EMAIL_NOT_CONFIRMED")
    trouble = getting_in.cannot_log_in(snapshot(_UNCONFIRMED, recent=recent))
    assert isinstance(trouble, Trouble)
    assert trouble.remedy is Remedy.SEND_CONFIRMATION
    assert getting_in.cannot_access_while_account_exists(snapshot(_UNCONFIRMED, recent=recent)) is Outcome.OK


def test_one_success_shows_that_the_account_can_be_reached() -> None:
    recent = failed_logins(ago(hours=1))
    assert is_found(getting_in.cannot_access_while_account_exists(snapshot(_ACCOUNT, recent=recent)))
    reached = snapshot(_ACCOUNT, recent=recent, last_login_at=ago(days=90))
    assert getting_in.cannot_access_while_account_exists(reached) is Outcome.OK


@pytest.mark.parametrize("state", [state for state in TokenState if state is not TokenState.PENDING])
def test_an_invitation_that_is_over_is_a_finding_without_an_account_only(state: TokenState) -> None:
    last = token(Purpose.INVITATION, state)
    assert is_found(getting_in.registration_link_not_working(snapshot(last_tokens=last)))
    assert getting_in.registration_link_not_working(snapshot(_ACCOUNT, last_tokens=last)) is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize("status", [CommunicationStatus.FAILED, CommunicationStatus.SKIPPED])
def test_an_invitation_whose_mail_failed_is_a_finding(status: CommunicationStatus) -> None:
    last = token(Purpose.INVITATION, communication=mail(status))
    trouble = getting_in.registration_link_not_working(snapshot(last_tokens=last))
    assert isinstance(trouble, Trouble)
    assert trouble.evidence["communicationStatus"] == status.value
    assert trouble.evidence["lastError"] == "550 no such user"


def test_a_confirmation_is_overdue_after_an_hour() -> None:
    purpose = Purpose.EMAIL_CONFIRMATION
    for minutes, found in ((59, False), (61, True)):
        last = token(purpose, created_at=ago(minutes=minutes), communication=mail(CommunicationStatus.SUCCESSFUL))
        assert is_found(getting_in.confirmation_not_received(snapshot(_UNCONFIRMED, last_tokens=last))) is found
    confirmed = snapshot(_ACCOUNT, last_tokens=token(purpose, created_at=ago(days=1)))
    assert getting_in.confirmation_not_received(confirmed) is Outcome.NOT_APPLICABLE


def test_an_account_without_any_confirmation_needs_one() -> None:
    assert is_found(getting_in.confirmation_not_received(snapshot(_UNCONFIRMED)))


def test_a_reset_link_that_ended_matters_until_the_customer_gets_in() -> None:
    last = token(Purpose.PASSWORD_RESET, TokenState.EXPIRED)
    assert is_found(getting_in.password_reset_not_working(snapshot(_ACCOUNT, last_tokens=last)))
    later = snapshot(_ACCOUNT, last_tokens=last, last_login_at=ago(minutes=1))
    assert getting_in.password_reset_not_working(later) is Outcome.OK
    used = snapshot(_ACCOUNT, last_tokens=token(Purpose.PASSWORD_RESET, TokenState.USED))
    assert getting_in.password_reset_not_working(used) is Outcome.OK


def test_a_wrong_number_matters_until_a_registration_works() -> None:
    wrong = entry(ActivityType.REGISTRATION_REFUSED, ago(hours=2), key="CUSTOMER_NUMBER_MISMATCH")
    assert is_found(getting_in.customer_number_mismatch(snapshot(recent=(wrong,))))
    worked = entry(ActivityType.ACCOUNT_REGISTERED, ago(hours=1))
    assert getting_in.customer_number_mismatch(snapshot(recent=(worked, wrong))) is Outcome.OK
    assert getting_in.customer_number_mismatch(snapshot(_ACCOUNT, recent=(wrong,))) is Outcome.NOT_APPLICABLE
    other = entry(ActivityType.REGISTRATION_REFUSED, ago(hours=2), key="PORTAL_NOT_ENABLED")
    assert getting_in.customer_number_mismatch(snapshot(recent=(other,))) is Outcome.OK


@pytest.mark.parametrize("state", TokenState)
def test_a_link_used_too_early_is_one_that_was_used_or_had_expired(state: TokenState) -> None:
    refused = entry(ActivityType.TOKEN_REFUSED, ago(hours=1), purpose="invitation", state=state.value)
    found = is_found(getting_in.login_link_used_too_early(snapshot(recent=(refused,))))
    assert found is (state in (TokenState.USED, TokenState.EXPIRED))


@pytest.mark.parametrize(
    ("account", "remedy"),
    [
        (None, Remedy.SEND_INVITATION),
        (_UNCONFIRMED, Remedy.SEND_CONFIRMATION),
        (_ACCOUNT, Remedy.SEND_PASSWORD_RESET),
    ],
)
def test_the_link_to_send_instead_depends_on_the_account(account: Account | None, remedy: Remedy) -> None:
    refused = entry(ActivityType.TOKEN_REFUSED, ago(hours=1), purpose="invitation", state="used")
    trouble = getting_in.login_link_used_too_early(snapshot(account, recent=(refused,)))
    assert isinstance(trouble, Trouble)
    assert trouble.remedy is remedy


def test_a_login_to_an_address_without_account_is_remembered_until_one_works() -> None:
    tried = failed_logins(ago(hours=2), reason="noaccount")
    trouble = getting_in.account_does_not_exist(snapshot(recent=tried))
    assert isinstance(trouble, Trouble)
    assert trouble.remedy is Remedy.SEND_INVITATION
    other_address = getting_in.account_does_not_exist(snapshot(_ACCOUNT, recent=tried))
    assert isinstance(other_address, Trouble)
    assert other_address.remedy is Remedy.RESET_ACCOUNT
    assert getting_in.account_does_not_exist(snapshot(_ACCOUNT, recent=tried, last_login_at=NOW)) is Outcome.OK


def test_an_address_that_the_customer_changed_is_right() -> None:
    elsewhere = replace(_ACCOUNT, email="jan@example.org")
    assert is_found(inside.incorrect_information(snapshot(elsewhere)))
    assert inside.incorrect_information(snapshot(replace(elsewhere, email_changed_at=ago(days=400)))) is Outcome.OK
    assert inside.incorrect_information(snapshot(replace(_ACCOUNT, email="JAN@example.com"))) is Outcome.OK


@pytest.mark.parametrize(("hours", "found"), [(23, True), (25, False)])
def test_an_impersonation_of_last_week_is_no_trouble(hours: int, found: bool) -> None:
    last = LastImpersonation(ImpersonationState.EXPIRED, ago(hours=hours), "expired")
    assert is_found(inside.impersonation_stopped(snapshot(_ACCOUNT, last_impersonation=last))) is found


@pytest.mark.parametrize(("state", "remedy"), [("pending", Remedy.REGISTER), ("revoked", Remedy.SEND_INVITATION)])
def test_after_too_many_wrong_numbers_only_a_new_invitation_helps(state: str, remedy: Remedy) -> None:
    wrong = entry(ActivityType.REGISTRATION_REFUSED, ago(hours=2), key="CUSTOMER_NUMBER_MISMATCH")
    last = token(Purpose.INVITATION, TokenState(state))
    trouble = getting_in.customer_number_mismatch(snapshot(recent=(wrong,), last_tokens=last))
    assert isinstance(trouble, Trouble)
    assert trouble.remedy is remedy


@pytest.mark.parametrize(
    "kind", [ActivityType.PASSWORD_CHANGED, ActivityType.PASSWORD_RESET_COMPLETED, ActivityType.EMAIL_CHANGED]
)
def test_a_reset_link_that_ended_because_the_customer_got_further_is_no_trouble(kind: ActivityType) -> None:
    last = token(Purpose.PASSWORD_RESET, TokenState.REVOKED)
    seen = snapshot(_ACCOUNT, last_tokens=last, recent=(entry(kind, ago(minutes=1)),))
    assert getting_in.password_reset_not_working(seen) is Outcome.OK


def test_logging_the_customer_out_answers_the_reports_before_it() -> None:
    report = entry(ActivityType.ERROR_REPORTED, ago(hours=2), page="/invoices")
    cleared = entry(ActivityType.SESSIONS_ENDED, ago(hours=1), reason="customerlogout")
    changed = entry(ActivityType.SESSIONS_ENDED, ago(hours=1), reason="passwordchanged")
    assert is_found(inside.portal_page_error(snapshot(recent=(changed, report))))
    assert is_found(inside.portal_page_error(snapshot(recent=(report,))))
    assert inside.portal_page_error(snapshot(recent=(cleared, report))) is Outcome.OK
    again = entry(ActivityType.ERROR_REPORTED, ago(minutes=1), page="/invoices")
    assert is_found(inside.portal_page_error(snapshot(recent=(again, cleared, report))))


@pytest.mark.parametrize(
    ("url", "check", "severity"),
    [
        (None, None, Severity.BLOCKING),
        ("http://p.example.com", None, Severity.WARNING),
        ("https://p.example.com", None, None),
        ("https://p.example.com", UrlCheck("https://p.example.com", NOW, None), None),
        ("https://p.example.com", UrlCheck("https://p.example.com", NOW, "It does not answer."), Severity.BLOCKING),
        ("https://p.example.com", UrlCheck("https://old.example.com", NOW, "It does not answer."), None),
    ],
)
def test_the_portals_address(url: str | None, check: UrlCheck | None, severity: Severity | None) -> None:
    seen = snapshot(url_check=check)
    organisation = replace(seen.standing.organisation, portal_url=url)
    result = inside.portal_address_not_working(
        replace(seen, standing=replace(seen.standing, organisation=organisation))
    )
    assert (result.severity if isinstance(result, Trouble) else None) is severity


def test_internal_documents_are_nothing_to_see() -> None:
    documents = {kind: Document(_ID, "Contract", kind, NOW) for kind in DocumentVisibility}
    assert is_found(inside.no_invoices_or_files(snapshot(documents=(documents[DocumentVisibility.INTERNAL],))))
    for visible in (DocumentVisibility.PORTAL, DocumentVisibility.PORTAL_AND_MOVE_IN):
        assert inside.no_invoices_or_files(snapshot(documents=(documents[visible],))) is Outcome.OK


@pytest.mark.parametrize("status", ContractStatus)
def test_only_a_signed_contract_must_have_invoices(status: ContractStatus) -> None:
    contracts = (Contract(_ID, "C-1", status, 0), Contract(_ID, "C-2", ContractStatus.SIGNED, 4))
    found = is_found(inside.new_invoices_not_visible(snapshot(contracts=contracts)))
    assert found is (status is ContractStatus.SIGNED)


def test_features_that_are_off_raise_no_questions() -> None:
    seen = snapshot(contracts=(Contract(_ID, "C-1", ContractStatus.SIGNED, 0),))
    features = Features(documents=False, invoices=False)
    organisation = replace(seen.standing.organisation, features=features)
    without = replace(seen, standing=replace(seen.standing, organisation=organisation))
    assert inside.no_invoices_or_files(without) is Outcome.NOT_APPLICABLE
    assert inside.new_invoices_not_visible(without) is Outcome.NOT_APPLICABLE


def test_every_remedy_is_an_operation_of_the_application() -> None:
    known = {(method, path): route.operation_id for method, path, route in operations(create_app(test_settings()))}
    assert {remedy: known.get(address) for remedy, address in ADDRESSES.items()} == {
        remedy: remedy.value for remedy in Remedy
    }
