"""A failed login does the same work whatever it failed for (ASVS 5.0 6.3.8)."""

from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.journeys.reading import without_identity
from tests.support.watching import Watched, watching
from tests.support.world import PASSWORD, Customer, Utility, World

WRONG = "seven cold radiators"


@pytest.fixture(scope="module")
def watched(world: World) -> Iterator[Watched]:
    with watching(world) as running:
        yield running


def _log_in(watched: Watched, utility: Utility, given: dict[str, str]) -> tuple[httpx.Response, list[str]]:
    """The answer, and the statements behind it."""
    return watched.asked(lambda: watched.by(utility.portal).post("/portal/sessions", given))


def _nobody(_utility: Utility) -> dict[str, str]:
    return {"email": "nobody@example.com", "password": WRONG}


def _wrong_password(utility: Utility) -> dict[str, str]:
    return {"email": utility.customer().active().email, "password": WRONG}


def _much_too_long_a_password(utility: Utility) -> dict[str, str]:
    return {"email": utility.customer().active().email, "password": PASSWORD * 20}


def _wrong_number(utility: Utility) -> dict[str, str]:
    return {"email": utility.customer().active().email, "password": PASSWORD, "customerNumber": "1"}


def _contact_address(utility: Utility) -> dict[str, str]:
    return {"email": utility.customer().email, "password": WRONG}


def _of_several(utility: Utility) -> dict[str, str]:
    first = utility.customer()
    for _ in range(2):
        utility.customer(email=first.email)
    return {"email": first.email, "password": WRONG}


def _retired(utility: Utility) -> dict[str, str]:
    customer = utility.customer().active()
    utility.world.sql.run("UPDATE accounts SET state = 'retired' WHERE customer_id = $1", customer.id)
    return {"email": customer.email, "password": PASSWORD}


def _unconfirmed(utility: Utility) -> dict[str, str]:
    customer = utility.customer()
    customer.registered()
    return {"email": customer.email, "password": WRONG}


FAILURES: dict[str, Callable[[Utility], dict[str, str]]] = {
    "wrong password": _wrong_password,
    "much too long a password": _much_too_long_a_password,
    "wrong customer number": _wrong_number,
    "contact address without an account": _contact_address,
    "contact address of several": _of_several,
    "retired account": _retired,
    "not confirmed": _unconfirmed,
}


@pytest.mark.asvs("6.3.8")
def test_every_failed_login_costs_the_same_statements_and_gets_the_same_answer(
    utility: Utility, watched: Watched
) -> None:
    _log_in(watched, utility, _nobody(utility))  # the organisation's tenant is read once and remembered
    expected, expected_statements = _log_in(watched, utility, _nobody(utility))
    assert expected.status_code == 401
    assert expected_statements[-1] == "COMMIT;"
    for kind, login in FAILURES.items():
        answer, statements = _log_in(watched, utility, login(utility))
        assert statements == expected_statements, kind
        assert without_identity(answer) == without_identity(expected), kind


def test_the_right_password_of_an_unconfirmed_account_costs_the_same(customer: Customer, watched: Watched) -> None:
    customer.registered()
    _log_in(watched, customer.utility, _nobody(customer.utility))
    _, expected = _log_in(watched, customer.utility, _nobody(customer.utility))
    answer, statements = _log_in(watched, customer.utility, {"email": customer.email, "password": PASSWORD})
    assert answer.status_code == 403
    assert statements == expected
