"""A new key comes in front of the old one, whose links work until it goes and are noise afterwards."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import httpx
import pytest

from tests.journeys.reading import refusal
from tests.support.service import SECRET, listening, test_settings
from tests.support.world import Customer, Utility

NEW = "another-secret-of-the-tests-0123456789-abcdefghij"


@contextmanager
def with_keys(utility: Utility, *keys: str) -> Iterator[Utility]:
    """The organisation as it is seen through a process with these keys."""
    known = utility.world.settings
    settings = test_settings(
        database_url=str(known.database_url), data_dir=known.data_dir, secret_keys=keys, run_worker=False
    )
    with listening(settings) as (url, _):
        yield replace(utility, world=replace(utility.world, url=url, settings=settings))


def through(customer: Customer, utility: Utility) -> Customer:
    return replace(customer, utility=utility)


@pytest.mark.asvs("6.4.1")
def test_a_link_works_while_the_key_that_signed_it_is_there_and_no_longer(utility: Utility) -> None:
    invited, registered, active = utility.customer(), utility.customer(), utility.customer().active()
    invitation, confirmation = invited.invited(), registered.registered()
    reset = utility.world.mailbox.of(active.send_reset().json()["communication"]["id"]).token
    uses: list[Callable[[Utility], httpx.Response]] = [
        lambda seen: through(invited, seen).register(invitation),
        lambda seen: through(registered, seen).confirm(confirmation),
        lambda seen: through(active, seen).choose_password(reset),
    ]
    with with_keys(utility, NEW) as without:
        for use in uses:
            assert refusal(use(without)) == (400, "TOKEN_INVALID")
    with with_keys(utility, NEW, SECRET) as rotating:
        for use in uses:
            assert use(rotating).is_success
