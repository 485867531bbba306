"""Calls to partners' receivers: never into our own network, however the URL gets there (hardening 30)."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from app.domain.webhooks import Attempt
from app.outgoing import Outgoing
from app.webhook_receivers import Receivers
from tests.support.receivers import Receiver, Reply, receiver
from tests.unit.test_outgoing import PRIVATE

_REFUSED = "The URL leads to an address that is not called: a private one, or a public one without https."
_LOOPBACK = ["127.0.0.0/8"]


@pytest.fixture
def inbox() -> Iterator[Receiver]:
    with receiver() as server:
        yield server


def now() -> datetime:
    return datetime.now(UTC)


def post(outgoing: Outgoing, url: str) -> Attempt:
    """What a call comes to."""
    try:
        return asyncio.run(Receivers(outgoing, now, seconds=2).post(url, {}, b"{}"))
    finally:
        outgoing.close()


def refusal(outgoing: Outgoing, url: str) -> str | None:
    """What is said beforehand."""
    try:
        return asyncio.run(Receivers(outgoing, now, seconds=2).refusal(url))
    finally:
        outgoing.close()


def leading_to(*answers: str) -> Callable[[str, int], list[str]]:
    """A name that leads to one address after the other."""
    left = list(answers)
    return lambda _host, _port: [left.pop(0) if len(left) > 1 else left[0]]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "127.1", "[::ffff:127.0.0.1]"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_spelling_of_loopback_is_called(inbox: Receiver, scheme: str, host: str) -> None:
    url = f"{scheme}://{host}:{inbox.server_port}/"
    assert post(Outgoing(), url) == Attempt(None, _REFUSED)
    assert refusal(Outgoing(), url) is not None
    assert inbox.received == []


@pytest.mark.parametrize("address", PRIVATE)
def test_no_private_address_behind_a_name_is_called(address: str) -> None:
    url = "https://partner.example/"
    assert post(Outgoing(resolve=leading_to(address)), url) == Attempt(None, _REFUSED)
    assert refusal(Outgoing(resolve=leading_to(address)), url) is not None


def test_a_name_that_was_public_when_it_was_entered_is_judged_again(inbox: Receiver) -> None:
    outgoing = Outgoing(resolve=leading_to("8.8.8.8", "127.0.0.1"))
    receivers = Receivers(outgoing, now, seconds=2)
    url = f"https://rebinding.example:{inbox.server_port}/"

    async def entered_then_called() -> tuple[str | None, Attempt]:
        return await receivers.refusal(url), await receivers.post(url, {}, b"{}")

    assert asyncio.run(entered_then_called()) == (None, Attempt(None, _REFUSED))
    outgoing.close()
    assert inbox.received == []


def test_without_https_only_an_allowed_network_is_called(inbox: Receiver) -> None:
    assert refusal(Outgoing(_LOOPBACK), inbox.url) is None
    assert post(Outgoing(_LOOPBACK), inbox.url) == Attempt(200)
    for url in ("http://8.8.8.8/", "http://10.0.0.1/"):
        assert refusal(Outgoing(_LOOPBACK), url) == "The URL must start with https://"
        assert post(Outgoing(_LOOPBACK), url) == Attempt(None, _REFUSED)
    moved = Outgoing(_LOOPBACK, resolve=leading_to("8.8.8.8"))
    assert post(moved, f"http://moved.example:{inbox.server_port}/") == Attempt(None, _REFUSED)
    assert len(inbox.received) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("target", ["http://127.0.0.1/", "https://10.0.0.1/", "/elsewhere"])
def test_no_redirect_is_followed(inbox: Receiver, status: int, target: str) -> None:
    inbox.replies = [Reply(status, {"Location": target})]
    attempt = post(Outgoing(_LOOPBACK), inbox.url)
    assert (attempt.status, attempt.accepted) == (status, False)
    assert len(inbox.received) == 1


def test_a_receiver_that_is_not_encrypted_where_it_should_be_is_told_apart(inbox: Receiver) -> None:
    attempt = post(Outgoing(_LOOPBACK), inbox.url.replace("http://", "https://"))
    assert attempt == Attempt(None, "Its certificate is not valid, or it does not speak https.")


@pytest.mark.parametrize(
    ("status", "given", "seconds"),
    [(429, "7", 7), (503, " 7 ", 7), (500, "7", None), (429, "", None), (429, "-1", None), (429, "soon", None)],
)
def test_retry_after_counts_where_it_means_patience(
    inbox: Receiver, status: int, given: str, seconds: int | None
) -> None:
    inbox.replies = [Reply(status, {"Retry-After": given})]
    waits = post(Outgoing(_LOOPBACK), inbox.url).retry_after
    assert (waits.total_seconds() if waits else None) == seconds


def test_a_retry_after_without_zone_or_in_the_past_does_no_harm(inbox: Receiver) -> None:
    inbox.replies = [
        Reply(429, {"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}),
        Reply(429, {"Retry-After": "Fri, 31 Dec 2999 23:59:59 -0000"}),
    ]
    past, zoneless = (post(Outgoing(_LOOPBACK), inbox.url).retry_after for _ in range(2))
    assert past is not None
    assert past.total_seconds() == 0
    assert zoneless is None
