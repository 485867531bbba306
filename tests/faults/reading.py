"""What the tests of faults look at: an invitation's mail, as employees see it."""

import time
from collections.abc import Callable
from typing import Any

from tests.journeys.reading import invitations
from tests.support.world import Customer


def mail_of(customer: Customer) -> dict[str, Any]:
    """What the newest invitation tells about its mail."""
    return dict(invitations(customer)[0]["communication"])


def until(customer: Customer, seen: Callable[[dict[str, Any]], bool], seconds: float = 15) -> dict[str, Any]:
    """The newest invitation's mail, once it looks like this."""
    deadline = time.monotonic() + seconds
    while not seen(mail := mail_of(customer)):
        assert time.monotonic() < deadline, mail
        time.sleep(0.03)
    return mail


def arrived(customer: Customer) -> list[str]:
    """The tokens of the invitations that have arrived."""
    return [mail.token for mail in customer.utility.world.mailbox.to(customer.email)]


def mail_activities(customer: Customer) -> list[tuple[str, str]]:
    """What the log tells about mails, oldest first, each with the request that asked for it."""
    kinds = ("PortalCommunicationSent", "PortalCommunicationFailed")
    entries = [entry for entry in reversed(customer.activities()) if entry["type"] in kinds]
    return [(entry["type"], entry["correlationId"]) for entry in entries]
