"""The stories that the card is for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from app.tour.cast import PASSWORD, Customer
from app.tour.stage import Stage, TourFailed

_WRONG = "forgotten, alas, long ago"
_NEW = "eight cold radiators"


@dataclass(frozen=True, slots=True)
class Story:
    """A story: what it is called, and how it goes."""

    title: str
    play: Callable[[Stage], None]


def invitation(stage: Stage) -> None:
    """From a customer without an account to an active one."""
    jan = Customer("Jan Peeters")
    stage.chapter("A customer, known to the billing system, without a portal account")
    stage.employee("PUT", jan.path, 201, jan.record())
    stage.employee("GET", f"{jan.path}/portal", 200, only=("portalStatus", "hasAccount", "actions"))
    stage.chapter("An employee presses “send invitation”")
    stage.employee("POST", f"{jan.path}/portal/invitations", 201)
    stage.chapter("The mail arrives, in the customer's own language")
    token = stage.mail(jan.email, "/register")
    stage.chapter("The portal looks at the link; that spends nothing")
    stage.portal("POST", "/portal/tokens/inspect", 200, {"token": token})
    stage.chapter("A wrong customer number is refused, and the link stays usable")
    wrong = {"token": token, "customerNumber": "10000000", "password": PASSWORD}
    stage.portal("POST", "/portal/registrations", 422, wrong)
    stage.chapter("The right one makes the account")
    stage.portal("POST", "/portal/registrations", 201, wrong | {"customerNumber": jan.number})
    stage.chapter("The same link a second time")
    stage.portal("POST", "/portal/registrations", 410, wrong | {"customerNumber": jan.number})
    stage.chapter("The customer confirms the address")
    stage.portal("POST", "/portal/email-confirmations", 200, {"token": stage.mail(jan.email, "/confirm-email")})
    stage.chapter("The customer logs in")
    stage.visitor(jan.log_in(stage), "GET", "/portal/me", 200, only=("account", "customer"))
    stage.chapter("The card says Active, and offers other buttons now")
    card = stage.employee("GET", f"{jan.path}/portal", 200, only=("portalStatus", "emailConfirmed", "actions"))
    if card["portalStatus"] != "active":
        raise TourFailed(f"The card says {card['portalStatus']}, not active.")
    stage.chapter("And the log tells the story")
    _tell_the_log(stage, jan)


def password(stage: Stage) -> None:
    """A customer who cannot log in any more."""
    lotte = Customer("Lotte Janssens")
    stage.chapter("A customer with an active account")
    lotte.registered(stage)
    session = lotte.log_in(stage)
    stage.chapter("Three times the wrong password")
    for _ in range(3):
        lotte.log_in(stage, _WRONG, 401)
    stage.chapter("The diagnosis says what is wrong, and which operation solves it")
    _solve(stage, lotte, "cannotlogin")
    stage.chapter("The customer pressed “Forgot password” as well: the newest link alone works")
    older = stage.mail(lotte.email, "/reset-password")
    stage.portal("POST", "/portal/password-resets", 202, {"email": lotte.email})
    newest = stage.mail(lotte.email, "/reset-password", 2)
    stage.portal("POST", "/portal/password-resets/complete", 410, {"token": older, "password": _NEW})
    stage.portal("POST", "/portal/password-resets/complete", 200, {"token": newest, "password": _NEW})
    stage.chapter("Every session has ended, and the new password opens a new one")
    stage.visitor(session, "GET", "/portal/me", 401)
    lotte.log_in(stage, _NEW)


def trouble(stage: Stage) -> None:
    """A page that fails, and an account that is reset."""
    emma = Customer("Emma Willems")
    stage.chapter("A customer is logged in, and a page of the portal fails")
    emma.registered(stage)
    session = emma.log_in(stage)
    stage.visitor(session, "POST", "/portal/error-reports", 202, {"page": "/invoices", "message": "Unexpected answer"})
    stage.chapter("The employee logs the customer out and clears the cache")
    _solve(stage, emma, "portalpageerror")
    stage.visitor(session, "GET", "/portal/me", 401, header="clear-site-data")
    stage.chapter("It did not help: the account is reset, and the customer is invited again")
    body = {"reason": "Pages keep failing", "reinvite": True}
    stage.employee("POST", f"{emma.path}/portal/reset", 200, body, only=("portalStatus", "hasAccount"))
    emma.log_in(stage, expected=401)
    emma.register(stage, 2)
    stage.chapter("A new account; the log of the old one stays")
    _tell_the_log(stage, emma)


def duplicates(stage: Stage) -> None:
    """Two accounts that came from older systems."""
    noah = Customer("Noah Claes")
    noah.known(stage)
    stage.chapter("Two accounts of older systems are imported")
    for year in (2019, 2024):
        account = {
            "email": f"noah.{year}.{noah.number}@example.com",
            "registeredDateTime": f"{year}-03-01T10:00:00Z",
            "emailConfirmedDateTime": f"{year}-03-01T11:00:00Z",
        }
        stage.employee("POST", f"{noah.path}/portal/accounts", 201, account)
    stage.chapter("The diagnosis proposes the one that was used last")
    _solve(stage, noah, "multipleaccounts")
    stage.employee("GET", f"{noah.path}/portal", 200, only=("portalStatus", "email", "accountCount"))


def support(stage: Stage) -> None:
    """An employee sees what the customer sees."""
    mila = Customer("Mila Goossens")
    letter = {
        "documentId": "0199d8a0-0000-7000-8000-000000000200",
        "name": "Welcome letter",
        "visibility": "portal",
        "createdDateTime": "2026-03-01T10:00:00Z",
    }
    mila.known(stage, documents=[letter])
    stage.employee("POST", f"{mila.path}/portal/invitations", 201, show=False)
    mila.register(stage)
    stage.chapter("The customer opens a document, and the employee sees that")
    session = mila.log_in(stage)
    stage.visitor(session, "POST", f"/portal/documents/{letter['documentId']}/views", 201)
    stage.employee("GET", f"{mila.path}/portal/documents", 200)
    stage.chapter("The employee logs in as the customer, with a reason")
    why = {"reason": "The customer asks where the invoice is."}
    started = stage.employee("POST", f"{mila.path}/portal/impersonation-sessions", 201, why)
    token = stage.open_link(started["portalLoginUrl"])
    redeemed = stage.portal("POST", "/portal/impersonations/redeem", 201, {"token": token})
    stage.visitor(redeemed["accessToken"], "GET", "/portal/me", 200, only=("customer", "impersonation"))
    stage.chapter("They may look, and nothing more")
    change = {"currentPassword": PASSWORD, "password": _NEW}
    stage.visitor(redeemed["accessToken"], "PUT", "/portal/me/password", 403, change)
    stage.chapter("The banner ends it")
    stage.visitor(redeemed["accessToken"], "POST", "/portal/impersonations/current/end", 200)
    stage.visitor(redeemed["accessToken"], "GET", "/portal/me", 401)
    stage.visitor(session, "GET", "/portal/me", 200, only=("account",))
    stage.chapter("Everything carries both names")
    _tell_the_log(stage, mila)


STORIES: Mapping[str, Story] = MappingProxyType(
    {
        "invitation": Story("An invitation becomes an active account", invitation),
        "password": Story("A customer cannot log in", password),
        "trouble": Story("A page fails, and the account is reset", trouble),
        "duplicates": Story("Two accounts of one customer", duplicates),
        "support": Story("Support sees what the customer sees", support),
    }
)


def _solve(stage: Stage, customer: Customer, code: str) -> dict[str, Any]:
    """Show the finding of this row of the troubleshooting tables, and call the operation that it names."""
    diagnosis = stage.employee("GET", f"{customer.path}/portal/diagnosis", 200, show=False)
    found = next((one for one in diagnosis["findings"] if one["code"] == code), None)
    if found is None:
        raise TourFailed(f"The diagnosis has no finding {code}.")
    stage.line(f"{found['severity']}: {found['problem']}")
    stage.line(found["solution"])
    action = found["action"]
    path = str(action["path"]).removeprefix("/api/portal/v1")
    return stage.employee(action["method"], path, 200 if path.endswith(("/logout", "/reactivate")) else 201)


def _tell_the_log(stage: Stage, customer: Customer) -> None:
    log = stage.employee("GET", f"{customer.path}/portal/activities?pageSize=200", 200, show=False)
    for entry in reversed(log["results"]):
        actor = entry["actor"]["name"] or entry["actor"]["id"]
        both = f" as {customer.name}" if entry["impersonation"] else ""
        when = entry["occurredDateTime"][11:19]
        stage.line(f"[dim]{when}[/]  {entry['type']:<31} [dim]{entry['actor']['type']} {actor}{both}[/]")
