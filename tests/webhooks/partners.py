"""A partner of a utility: its endpoint, and what the back office sees of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx

from tests.support.receivers import Receiver
from tests.support.world import Utility

ENDPOINTS = "/organisation/webhook-endpoints"
TYPES = ["PortalInvitationSent"]  # so that nothing but what a test does comes along


@dataclass(frozen=True)
class Partner:
    """A webhook endpoint of a utility."""

    utility: Utility
    created: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.created["id"])

    @property
    def secret(self) -> str:
        return str(self.created["secret"])

    @property
    def path(self) -> str:
        return f"{ENDPOINTS}/{self.id}"

    def seen(self) -> dict[str, Any]:
        """The endpoint as it is shown."""
        answer = self.utility.employee().get(self.path)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def do(self, what: str, **given: Any) -> dict[str, Any]:
        """One of the endpoint's own operations."""
        answer = self.utility.employee().post(f"{self.path}/{what}", **given)
        assert answer.status_code in (200, 202), answer.text
        return dict(answer.json())

    def deliveries(self, **query: Any) -> list[dict[str, Any]]:
        """What was sent, newest first."""
        answer = self.utility.employee().get(f"{self.path}/deliveries", params={"pageSize": 200} | query)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["results"])

    def delivery(self, seen: Callable[[dict[str, Any]], bool], seconds: float = 15) -> dict[str, Any]:
        """The newest delivery, once it looks like this."""
        deadline = time.monotonic() + seconds
        while not seen(newest := (self.deliveries() or [{}])[0]):
            assert time.monotonic() < deadline, newest
            time.sleep(0.03)
        return newest

    def attempted(self, times: int) -> dict[str, Any]:
        """The newest delivery, once so many attempts have come to something."""

        def seen(one: dict[str, Any]) -> bool:
            return one["attempts"] == times and (one["status"] != "pending" or wait(one) > timedelta(seconds=1))

        return self.delivery(seen)

    def until(self, seen: Callable[[list[dict[str, Any]]], bool], seconds: float = 15) -> None:
        """Until the deliveries look like this."""
        deadline = time.monotonic() + seconds
        while not seen(found := self.deliveries()):
            assert time.monotonic() < deadline, found
            time.sleep(0.03)

    def once(self, seen: Callable[[dict[str, Any]], bool], seconds: float = 15) -> dict[str, Any]:
        """The endpoint, once it looks like this."""
        deadline = time.monotonic() + seconds
        while not seen(endpoint := self.seen()):
            assert time.monotonic() < deadline, endpoint
            time.sleep(0.03)
        return endpoint

    def redeliver(self, delivery: dict[str, Any]) -> httpx.Response:
        """Send one again."""
        return self.utility.employee().post(f"{ENDPOINTS}/deliveries/{delivery['id']}/redeliver")

    def let_pause_end(self) -> None:
        """Until the receiver is not left alone any more."""
        self.utility.world.sql.run("UPDATE webhook_endpoints SET paused_until = now() WHERE id = $1", UUID(self.id))

    def let_time_pass(self) -> None:
        """Until whatever waits is due."""
        self.let_pause_end()
        sql = self.utility.world.sql
        sql.run(
            "UPDATE webhook_deliveries SET next_attempt_at = now() WHERE endpoint_id = $1 AND status = 'pending'",
            UUID(self.id),
        )
        sql.run(
            "UPDATE pgqueuer SET execute_after = now() WHERE position(convert_to($1, 'UTF8') in payload) > 0",
            self.id,
        )


def wait(delivery: dict[str, Any]) -> timedelta:
    """How long after the last attempt the next one is planned."""
    last, following = (
        datetime.fromisoformat(delivery[name]) for name in ("lastAttemptDateTime", "nextAttemptDateTime")
    )
    return following - last


def create(utility: Utility, url: str, **given: Any) -> httpx.Response:
    """The administrator enters a partner's URL."""
    return utility.employee().post(ENDPOINTS, {"url": url, "types": TYPES} | given)


def partner(utility: Utility, receiver: Receiver | str, **given: Any) -> Partner:
    """A partner with an endpoint."""
    answer = create(utility, receiver if isinstance(receiver, str) else receiver.url, **given)
    assert answer.status_code == 201, answer.text
    return Partner(utility, answer.json())
