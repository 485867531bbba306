"""How the journeys read answers, and how they let time pass."""

import time
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx

from tests.support.mail import Mail
from tests.support.world import Client, Customer, Utility


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Status and key of a refusal."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["solution"]
    return answer.status_code, str(problem["key"])


def without_identity(answer: httpx.Response) -> bytes:
    """The body but for what names this one request."""
    correlation_id = answer.headers["x-correlation-id"]
    assert correlation_id
    return answer.content.replace(correlation_id.encode(), b"-").replace(answer.request.url.path.encode(), b"-")


def newest_mail(utility: Utility, address: str, page: str, count: int = 1) -> Mail:
    """The newest mail to an address whose link opens this page, once there are `count` of them."""
    arrived = count
    while True:
        utility.world.mailbox.wait(address, arrived)
        mails = utility.world.mailbox.to(address)
        fitting = [mail for mail in mails if f"/{page}#token=" in mail.text]
        if len(fitting) >= count:
            return fitting[-1]
        arrived = len(mails) + 1


def links_to(utility: Utility, address: str, page: str) -> list[str]:
    """The tokens of all links to this page that an address has been sent, oldest first."""
    return [mail.token for mail in utility.world.mailbox.to(address) if f"/{page}#token=" in mail.text]


def wait_for_jobs(utility: Utility, seconds: float = 15) -> None:
    """Until the workers have nothing left to do for this organisation that is due within a minute."""
    organisation = str(utility.organisation)
    deadline = time.monotonic() + seconds
    while utility.world.sql.value(
        "SELECT count(*) FROM pgqueuer WHERE position(convert_to($1, 'UTF8') in payload) > 0"
        " AND execute_after < now() + interval '1 minute'",
        organisation,
    ):
        assert time.monotonic() < deadline, "the workers did not come to an end"
        time.sleep(0.02)


def expires_in(utility: Utility, token_id: str, left: timedelta) -> None:
    """Let a link's life have passed, but for what is left (or more than passed, when that is negative)."""
    changed = utility.world.sql.run(
        "UPDATE tokens SET created_at = created_at - (expires_at - now()) + $3, expires_at = now() + $3"
        " WHERE organisation_id = $1 AND id = $2",
        utility.organisation,
        UUID(token_id),
        left,
    )
    assert changed == "UPDATE 1"


def invitations(customer: Customer) -> list[dict[str, Any]]:
    """The customer's invitations, newest first."""
    answer = customer.utility.employee().get(f"{customer.path}/invitations")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["results"])


def reset_link(customer: Customer, count: int = 1) -> str:
    """The token of a reset that an employee sends, once so many have come."""
    answer = customer.send_reset()
    assert answer.status_code == 201, answer.text
    return newest_mail(customer.utility, customer.email, "reset-password", count).token


def refused_links(customer: Customer) -> list[dict[str, Any]]:
    """What the log tells of each link that was refused, newest first."""
    return [entry["payload"] for entry in customer.activities() if entry["type"] == "PortalTokenRefused"]


def actions(card: dict[str, Any]) -> dict[str, str | None]:
    """The card's buttons, and why each does not work."""
    for action in card["actions"]:
        assert action["allowed"] is (action["key"] is None), action
        assert bool(action["reason"]) is not action["allowed"], action
    return {action["action"]: action["key"] for action in card["actions"]}


def inspect(utility: Utility, token: str) -> httpx.Response:
    """The link's page looks at it before the customer acts."""
    return utility.portal.post("/portal/tokens/inspect", {"token": token})


def sessions(client: Client) -> list[dict[str, Any]]:
    """The sessions that the portal lists to their owner."""
    answer = client.get("/portal/sessions")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["results"])
