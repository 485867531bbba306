"""How often an operation goes to the database. A statement more is a round trip more for every caller: whoever adds one
says so here.

Counted are the operation's own: not `BEGIN` and `COMMIT`, what remembers answers for an Idempotency-Key, and the queue.
Six at most are the goal for what changes something, two for a look at a link; the first look, which the log remembers,
takes three.
"""

from collections.abc import Callable, Iterator

import httpx
import pytest

from app.permissions import Permission
from tests.support.watching import Watched, watching
from tests.support.world import Client, Customer, Utility, World

_OTHERS = "idempotency_keys"


@pytest.fixture(scope="module")
def watched(world: World) -> Iterator[Watched]:
    with watching(world) as running:
        yield running


# What is done by the service that is watched; all that leads up to it is done by the other one.
Deed = Callable[[Customer], httpx.Response]


def _card(_customer: Customer) -> Deed:
    return lambda mine: mine.utility.employee().get(mine.path)


def _activities(customer: Customer) -> Deed:
    customer.invite()
    return lambda mine: mine.utility.employee().get(f"{mine.path}/activities?pageSize=50")


def _me(customer: Customer) -> Deed:
    headers = customer.active().logged_in().headers
    return lambda mine: Client(mine.utility.world, headers).get("/portal/me")


def _introspection(customer: Customer) -> Deed:
    token = customer.active().logged_in().headers["Authorization"].removeprefix("Bearer ")
    headers = customer.utility.bearer(None, Permission.PORTAL_INTROSPECT)

    def introspect(mine: Customer) -> httpx.Response:
        url = f"{mine.utility.world.url}/api/portal/v1/portal/sessions/introspect"
        return mine.utility.world.http.post(url, data={"token": token}, headers=headers)

    return introspect


def _first_look(customer: Customer) -> Deed:
    token = customer.invited()
    return lambda mine: mine.utility.portal.post("/portal/tokens/inspect", {"token": token})


def _inspection(customer: Customer) -> Deed:
    token = customer.invited()
    assert customer.utility.portal.post("/portal/tokens/inspect", {"token": token}).is_success
    return lambda mine: mine.utility.portal.post("/portal/tokens/inspect", {"token": token})


def _invitation(_customer: Customer) -> Deed:
    return lambda mine: mine.utility.employee().post(f"{mine.path}/invitations", {"language": "nl-BE"})


def _registration(customer: Customer) -> Deed:
    token = customer.invited()
    return lambda mine: mine.register(token)


def _confirmation(customer: Customer) -> Deed:
    token = customer.registered()
    return lambda mine: mine.confirm(token)


def _login(customer: Customer) -> Deed:
    customer.active()
    return lambda mine: mine.log_in()


def _logout(customer: Customer) -> Deed:
    headers = customer.active().logged_in().headers
    return lambda mine: Client(mine.utility.world, headers).delete("/portal/sessions/current")


def _reset_mail(customer: Customer) -> Deed:
    customer.active()
    return lambda mine: mine.send_reset()


def _forgotten(customer: Customer) -> Deed:
    customer.active()
    return lambda mine: mine.utility.portal.post("/portal/password-resets", {"email": mine.email})


def _account_reset(customer: Customer) -> Deed:
    customer.active()
    return lambda mine: mine.utility.employee().post(f"{mine.path}/reset", {"reason": "Wrong person"})


def _impersonation(customer: Customer) -> Deed:
    customer.active()
    path, body = f"{customer.path}/impersonation-sessions", {"reason": "Help with an invoice"}
    return lambda mine: mine.utility.employee().post(path, body)


def _redemption(customer: Customer) -> Deed:
    started = customer.active().impersonate()
    return lambda mine: mine.redeem(started)


def _end(customer: Customer) -> Deed:
    started = customer.active().impersonate()
    return lambda mine: mine.utility.employee().post(f"{mine.path}/impersonation-sessions/{started['id']}/end")


OPERATIONS: dict[str, tuple[Callable[[Customer], Deed], int]] = {
    "card": (_card, 1),
    "page of activities": (_activities, 1),
    "me": (_me, 1),
    "introspection": (_introspection, 2),  # one is for the roles assigned to the caller, whose bearer names none
    "first look at a link, which is remembered": (_first_look, 3),
    "look at a link": (_inspection, 1),
    "invitation": (_invitation, 4),
    "registration": (_registration, 6),
    "confirmation": (_confirmation, 5),
    "login": (_login, 5),
    "logout": (_logout, 3),
    "password reset": (_reset_mail, 4),
    # A job in the queue does the rest, so that no address is told from another by the time it takes.
    "forgotten password": (_forgotten, 0),
    "reset of the account": (_account_reset, 6),
    "start of an impersonation": (_impersonation, 6),
    "redemption of an impersonation": (_redemption, 4),
    "end of an impersonation": (_end, 5),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_goes_to_the_database_so_often(name: str, utility: Utility, watched: Watched) -> None:
    prepare, expected = OPERATIONS[name]
    said: list[str] = []
    for _ in range(2):  # what is read once and remembered, such as the organisation's tenant, is known the second time
        customer = utility.customer()
        deed = prepare(customer)
        said = watched.behind(lambda deed=deed, customer=customer: deed(watched.on(customer)))
    counted = [one for one in said if _OTHERS not in one]
    assert len(counted) == expected, "\n".join(one[:120] for one in counted)
