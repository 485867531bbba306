"""Nobody learns from an answer, or from the work behind it, which addresses have an account.

ASVS 5.0 6.3.8; CVE-2022-39307 and CVE-2024-45231 were systems that answered known addresses differently.
"""

from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.journeys.reading import wait_for_jobs
from tests.support.service import listening
from tests.support.watching import Watched, watching
from tests.support.world import Customer, Utility, World

FORGOTTEN, RESEND = "/portal/password-resets", "/portal/email-confirmations/resend"


@pytest.fixture(scope="module")
def watched(world: World) -> Iterator[Watched]:
    with watching(world) as running:
        yield running


def _post(watched: Watched, utility: Utility, path: str, address: str) -> tuple[httpx.Response, list[str]]:
    """The answer, and the statements behind it."""
    return watched.asked(lambda: watched.by(utility.portal).post(path, {"email": address}))


def _unknown(utility: Utility) -> str:
    return f"nobody.{utility.customer().number}@example.com"


def _known(utility: Utility) -> str:
    return utility.customer().active().email


def _uninvited(utility: Utility) -> str:
    return utility.customer().email


def _unconfirmed(utility: Utility) -> str:
    customer = utility.customer()
    customer.registered()
    return customer.email


def _retired(utility: Utility) -> str:
    customer = utility.customer().active()
    utility.world.sql.run("UPDATE accounts SET state = 'retired' WHERE customer_id = $1", customer.id)
    return customer.email


def _several(utility: Utility) -> str:
    customers = [utility.customer().active() for _ in range(3)]
    ids = [customer.id for customer in customers]
    utility.world.sql.run("UPDATE accounts SET email = $2 WHERE customer_id = ANY($1)", ids, customers[0].email)
    return customers[0].email


ADDRESSES: dict[str, Callable[[Utility], str]] = {
    "unknown": _unknown,
    "known": _known,
    "of a customer without an account": _uninvited,
    "unconfirmed": _unconfirmed,
    "retired": _retired,
    "of several accounts": _several,
}


def shown(answer: httpx.Response) -> tuple[int, bytes, list[tuple[str, str]]]:
    """All that an answer shows but for what names this one request and its time."""
    own = ("x-correlation-id", "date")
    return answer.status_code, answer.content, [pair for pair in answer.headers.items() if pair[0] not in own]


@pytest.mark.parametrize("path", [FORGOTTEN, RESEND])
@pytest.mark.asvs("6.3.8")
def test_every_address_costs_the_same_statements_and_gets_the_same_answer(
    path: str, utility: Utility, watched: Watched
) -> None:
    _post(watched, utility, path, "warm.up@example.com")  # the organisation is read once and remembered
    expected, expected_statements = _post(watched, utility, path, "somebody@example.com")
    assert expected.status_code == 202
    assert expected_statements[0].startswith("BEGIN")
    assert any("pgqueuer" in statement for statement in expected_statements), "the queue's own are seen too"
    assert expected_statements[-1] == "COMMIT;"
    for kind, address_of in ADDRESSES.items():
        address = address_of(utility)
        for round_ in range(7):
            answer, statements = _post(watched, utility, path, address)
            assert statements == expected_statements, f"{kind}, request {round_ + 1}"
            assert shown(answer) == shown(expected), f"{kind}, request {round_ + 1}"
            wait_for_jobs(utility)


def test_the_limit_was_reached_on_the_way(active: Customer, watched: Watched) -> None:
    """Otherwise the test above says nothing about what lies above it."""
    for _ in range(7):
        _post(watched, active.utility, FORGOTTEN, active.email)
    wait_for_jobs(active.utility)
    assert active.log().count("PortalPasswordResetSent") == 5


def test_a_watcher_sees_texts_and_never_an_address(active: Customer, watched: Watched) -> None:
    _, statements = _post(watched, active.utility, FORGOTTEN, active.email)
    assert statements
    assert active.email not in "".join(statements)


def test_nobody_watches_unasked(watched: Watched) -> None:
    with listening(watched.world.settings.model_copy(update={"run_worker": False})) as (_, app):
        assert app.state.database.watchers == []
