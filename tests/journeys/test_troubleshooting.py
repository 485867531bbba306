"""Every row of the two troubleshooting tables: the problem made, seen in the diagnosis, solved by the operation that
the finding names, gone."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.domain.troubleshooting import ROWS
from tests.journeys.reading import expires_in, newest_mail, refusal
from tests.support.world import PASSWORD, Client, Customer, Utility

_PREFIX = "/api/portal/v1"
_CONTRACT = {"contractId": "0199d8a0-0000-7000-8000-000000000100", "contractNumber": "C-1000", "status": "signed"}
_SETTINGS = {"name": "Zonneveld Warmte", "portalEnabled": True, "portalUrl": "https://portal.example.com"}


def diagnosis(customer: Customer) -> dict[str, Any]:
    """What the employee is told."""
    answer = customer.utility.employee().get(f"{customer.path}/diagnosis")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def outcome(customer: Customer, code: str) -> str:
    """What one row came to."""
    return next(check["outcome"] for check in diagnosis(customer)["checks"] if check["code"] == code)


def finding(customer: Customer, code: str) -> dict[str, Any]:
    """The finding of one row, which must be there."""
    found = diagnosis(customer)
    assert {"code": code, "outcome": "finding"} in found["checks"]
    return next(dict(one) for one in found["findings"] if one["code"] == code)


def solve(customer: Customer, code: str, body: Any = None, client: Client | None = None) -> httpx.Response:
    """Call the very operation that the finding names."""
    action = finding(customer, code)["action"]
    path = action["path"].removeprefix(_PREFIX)
    client = client or customer.utility.employee()
    answer = client.put(path, body) if action["method"] == "PUT" else client.post(path, body)
    assert answer.status_code in (200, 201), answer.text
    return answer


def reset_link(customer: Customer, count: int = 1) -> str:
    """The token of the newest password reset in the customer's mailbox."""
    return newest_mail(customer.utility, customer.email, "reset-password", count).token


def has_no_email(utility: Utility) -> Customer:
    customer = utility.customer(email=None)
    address = f"late.{customer.number}@example.com"
    solve(customer, "customerhasnoemail", {"email": address})
    assert customer.mail(address=address).page.endswith("/register")
    return customer


def registration_link_not_working(utility: Utility) -> Customer:
    customer = utility.customer()
    invitation = customer.invite()
    assert customer.mail(), "a link that has ended before its mail went would not be mailed"
    expires_in(utility, invitation["id"], timedelta(minutes=-1))
    assert finding(customer, "registrationlinknotworking")["evidence"]["status"] == "expired"
    solve(customer, "registrationlinknotworking")
    assert outcome(customer, "registrationlinknotworking") == "ok"
    assert customer.register(customer.mail(2).token).status_code == 201
    return customer


def cannot_access_while_account_exists(utility: Utility) -> Customer:
    customer = utility.customer().active()
    assert customer.log_in(password="forgotten, alas, long ago").status_code == 401
    solve(customer, "cannotaccesswhileaccountexists", {"reinvite": True, "reason": "never got in"})
    assert customer.register(newest_mail(utility, customer.email, "register", 2).token).status_code == 201
    assert customer.confirm(newest_mail(utility, customer.email, "confirm-email", 2).token).status_code == 200
    customer.logged_in()
    return customer


def customer_number_mismatch(utility: Utility) -> Customer:
    customer = utility.customer()
    token = customer.invited()
    assert refusal(customer.register(token, customerNumber="1")) == (422, "CUSTOMER_NUMBER_MISMATCH")
    right = finding(customer, "customernumbermismatch")["evidence"]["accountNumber"]
    body = {"token": token, "customerNumber": right, "password": PASSWORD}
    solve(customer, "customernumbermismatch", body, utility.portal)
    return customer


def no_invoices_or_files(utility: Utility) -> Customer:
    customer = utility.customer()
    solve(customer, "noinvoicesorfiles", customer.record | {"contracts": [_CONTRACT | {"invoiceCount": 2}]})
    return customer


def portal_not_activated(utility: Utility) -> Customer:
    customer = utility.customer()
    utility.change_settings(portalEnabled=False)
    solve(customer, "portalnotactivated", _SETTINGS)
    return customer


def incorrect_information(utility: Utility) -> Customer:
    customer = utility.customer().active()
    address = f"moved.{customer.number}@example.com"
    assert customer.save(email=address).status_code == 200
    solve(customer, "incorrectinformation", {"reinvite": True})
    assert customer.register(newest_mail(utility, address, "register").token).status_code == 201
    return customer


def advance_payment_not_adjustable(utility: Utility) -> Customer:
    customer = utility.customer()
    solve(customer, "advancepaymentnotadjustable", _SETTINGS | {"features": {"advancePaymentAdjustable": True}})
    return customer


def multiple_accounts(utility: Utility) -> Customer:
    customer = utility.customer()
    for year in (2019, 2024):
        body = {
            "email": f"{year}.{customer.number}@example.com",
            "registeredDateTime": f"{year}-03-01T10:00:00Z",
            "emailConfirmedDateTime": f"{year}-03-01T11:00:00Z",
        }
        assert utility.employee().post(f"{customer.path}/accounts", body).status_code == 201
    assert finding(customer, "multipleaccounts")["evidence"]["accounts"] == 2
    made_live = solve(customer, "multipleaccounts").json()
    assert made_live["email"].startswith("2024."), "the one used last is proposed"
    return customer


def cannot_log_in(utility: Utility) -> Customer:
    customer = utility.customer().active()
    customer.logged_in()
    for _ in range(3):
        assert customer.log_in(password="forgotten, alas, long ago").status_code == 401
    solve(customer, "cannotlogin")
    new = "eight cold radiators"
    body = {"token": reset_link(customer), "password": new}
    assert utility.portal.post("/portal/password-resets/complete", body).status_code == 200
    assert customer.log_in(password=new).status_code == 201
    return customer


def confirmation_not_received(utility: Utility) -> Customer:
    customer = utility.customer()
    customer.registered()
    utility.world.sql.run(
        "UPDATE tokens SET created_at = created_at - interval '2 hours'"
        " WHERE customer_id = $1 AND purpose = 'emailconfirmation'",
        customer.id,
    )
    solve(customer, "confirmationnotreceived")
    assert outcome(customer, "confirmationnotreceived") == "ok"
    assert customer.confirm(newest_mail(utility, customer.email, "confirm-email", 2).token).status_code == 200
    return customer


def password_reset_not_working(utility: Utility) -> Customer:
    customer = utility.customer().active()
    sent = utility.employee().post(f"{customer.path}/password-resets")
    assert sent.status_code == 201
    assert reset_link(customer)
    expires_in(utility, sent.json()["id"], timedelta(minutes=-1))
    solve(customer, "passwordresetnotworking")
    body = {"token": reset_link(customer, 2), "password": "eight cold radiators"}
    assert utility.portal.post("/portal/password-resets/complete", body).status_code == 200
    return customer


def impersonation_stopped(utility: Utility) -> Customer:
    customer = utility.customer().active()
    why = {"reason": "The customer asks about an invoice."}
    path = f"{customer.path}/impersonation-sessions"
    started = utility.employee().post(path, why)
    assert started.status_code == 201, started.text
    assert outcome(customer, "impersonationstopped") == "ok"
    assert utility.employee().post(f"{path}/{started.json()['id']}/end").status_code == 200
    solve(customer, "impersonationstopped", why)
    return customer


def portal_page_error(utility: Utility) -> Customer:
    customer = utility.customer().active()
    session = customer.logged_in()
    report = {"page": "/invoices", "message": "Something went wrong"}
    assert session.post("/portal/error-reports", report).status_code == 202
    assert finding(customer, "portalpageerror")["evidence"]["page"] == "/invoices"
    assert solve(customer, "portalpageerror").json() == {"endedSessions": 1}
    answer = session.get("/portal/me")
    assert refusal(answer) == (401, "SESSION_ENDED")
    assert answer.headers["clear-site-data"] == '"cache", "storage"'
    return customer


def portal_address_not_working(utility: Utility) -> Customer:
    customer = utility.customer()
    utility.change_settings(portalUrl=None)
    solve(customer, "portaladdressnotworking", _SETTINGS)
    return customer


def account_does_not_exist(utility: Utility) -> Customer:
    customer = utility.customer()
    assert customer.log_in().status_code == 401
    solve(customer, "accountdoesnotexist")
    assert customer.register(customer.mail().token).status_code == 201
    return customer


def login_link_used_too_early(utility: Utility) -> Customer:
    customer = utility.customer()
    invitation, token = customer.invite(), customer.mail().token
    expires_in(utility, invitation["id"], timedelta(minutes=-1))
    assert refusal(customer.register(token)) == (410, "TOKEN_EXPIRED")
    solve(customer, "loginlinkusedtooearly")
    assert customer.register(customer.mail(2).token).status_code == 201
    return customer


def new_invoices_not_visible(utility: Utility) -> Customer:
    customer = utility.customer(contracts=[_CONTRACT | {"invoiceCount": 0}])
    solve(customer, "newinvoicesnotvisible", customer.record | {"contracts": [_CONTRACT | {"invoiceCount": 1}]})
    return customer


STORIES: dict[str, Callable[[Utility], Customer]] = {
    "customerhasnoemail": has_no_email,
    "registrationlinknotworking": registration_link_not_working,
    "cannotaccesswhileaccountexists": cannot_access_while_account_exists,
    "customernumbermismatch": customer_number_mismatch,
    "noinvoicesorfiles": no_invoices_or_files,
    "portalnotactivated": portal_not_activated,
    "incorrectinformation": incorrect_information,
    "advancepaymentnotadjustable": advance_payment_not_adjustable,
    "multipleaccounts": multiple_accounts,
    "cannotlogin": cannot_log_in,
    "confirmationnotreceived": confirmation_not_received,
    "passwordresetnotworking": password_reset_not_working,
    "impersonationstopped": impersonation_stopped,
    "portalpageerror": portal_page_error,
    "portaladdressnotworking": portal_address_not_working,
    "accountdoesnotexist": account_does_not_exist,
    "loginlinkusedtooearly": login_link_used_too_early,
    "newinvoicesnotvisible": new_invoices_not_visible,
}


def test_every_row_of_the_tables_has_a_story() -> None:
    assert list(STORIES) == [row.code for row in ROWS]


@pytest.mark.parametrize("code", STORIES)
def test_the_problem_is_found_and_solved_by_the_operation_that_the_finding_names(code: str, utility: Utility) -> None:
    customer = STORIES[code](utility)
    assert outcome(customer, code) in ("ok", "notapplicable")
    assert code not in [one["code"] for one in diagnosis(customer)["findings"]]


def test_a_customer_who_gets_everything_has_no_findings(utility: Utility) -> None:
    utility.change_settings(features={"advancePaymentAdjustable": True})
    customer = utility.customer(contracts=[_CONTRACT | {"invoiceCount": 3}]).active()
    customer.logged_in()
    found = diagnosis(customer)
    assert found["customerId"] == str(customer.id)
    assert found["findings"] == []
    assert {check["outcome"] for check in found["checks"]} == {"ok", "notapplicable"}


def test_what_blocks_the_customer_comes_first(utility: Utility) -> None:
    customer = utility.customer(email=None, contracts=[_CONTRACT | {"invoiceCount": 0}])
    severities = [one["severity"] for one in diagnosis(customer)["findings"]]
    assert severities == sorted(severities, key=["blocking", "warning", "info"].index)
    assert len(set(severities)) == 3


def test_a_finding_says_what_is_wrong_and_what_to_do(utility: Utility) -> None:
    customer = utility.customer(email=None)
    assert finding(customer, "customerhasnoemail") == {
        "code": "customerhasnoemail",
        "severity": "blocking",
        "problem": "The customer has no e-mail address.",
        "solution": "Add the e-mail address and send the invitation again.",
        "action": {"method": "POST", "path": f"{_PREFIX}{customer.path}/invitations"},
        "evidence": {"hasAccount": False},
    }


def test_another_organisations_customer_is_unknown(customer: Customer) -> None:
    stranger = customer.utility.world.utility().employee()
    assert refusal(stranger.get(f"{customer.path}/diagnosis")) == (404, "CUSTOMER_DOES_NOT_EXIST")
