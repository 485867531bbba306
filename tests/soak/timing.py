"""Nobody learns from the time of an answer which addresses have an account. `make soak`; not part of `make test`.

Each call is timed 500 times for an address of each class, in one random order, so that whatever else the machine does
(the mails of the requests before, above all) falls on all classes alike. Half of the asking lies below the limit of
mails, half above. Everything stays on loopback.
"""

import random
import secrets
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations
from statistics import median, quantiles

import httpx
import pytest

from tests.faults.mail_servers import MovableSmtpServer
from tests.soak.ranks import probability_of_one_kind
from tests.support.databases import Sql, drop, fresh_copy
from tests.support.service import api_process, free_port, test_settings
from tests.support.world import Customer, Utility, World

SAMPLES = 500
PEOPLE = 50  # of each class: ten samples each, five within the limit of mails and five beyond
WARM_UP = 30
LEAST_PROBABILITY = 0.001

FORGOTTEN, RESEND, LOGIN = "/portal/password-resets", "/portal/email-confirmations/resend", "/portal/sessions"
CALLS = {
    "forgot-password": (FORGOTTEN, 202),
    "resend-confirmation": (RESEND, 202),
    "failed login": (LOGIN, 401),
}


@dataclass(frozen=True)
class Scene:
    """A utility whose mail server can be down, and addresses of each class."""

    utility: Utility
    mail_server: MovableSmtpServer
    addresses: Mapping[str, list[str]]

    def seconds(self, call: str, address: str) -> float:
        """How long an answer takes."""
        path, status = CALLS[call]
        body = {"email": address}
        if path == LOGIN:
            body["password"] = "eight cold radiators"
        started = time.perf_counter()
        answer = self.utility.portal.post(path, body)
        taken = time.perf_counter() - started
        assert answer.status_code == status, answer.text
        return taken

    def forget_mails(self) -> None:
        """Let an hour pass, and whatever the last measurement left to do come to its end."""
        sql = self.utility.world.sql
        sql.run("UPDATE tokens SET created_at = created_at - interval '61 minutes'")
        deadline = time.monotonic() + 120
        while sql.value("SELECT count(*) FROM pgqueuer WHERE execute_after < now() + interval '1 second'"):
            assert time.monotonic() < deadline, "the workers did not come to an end"
            time.sleep(0.2)


def _address(prefix: str) -> str:
    """Of the same length for everybody."""
    return f"{prefix}.{secrets.randbelow(90_000_000) + 10_000_000}@example.com"


def _registered(utility: Utility, *, confirmed: bool) -> str:
    customer: Customer = utility.customer(email=_address("jan"))
    token = customer.registered()
    if confirmed:
        assert customer.confirm(token).status_code == 200
    return customer.email


@pytest.fixture(scope="module")
def scene(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    database = fresh_copy(server, "portal_soak")
    folder = tmp_path_factory.mktemp("soak")
    with MovableSmtpServer(free_port()) as mail_server:
        mail_server.start()
        settings = test_settings(database_url=database, smtp_url=mail_server.url, data_dir=folder, mail_retry_seconds=2)
        with api_process(settings, folder / "api.log") as (url, _), httpx.Client(timeout=20) as http:
            utility = World(url, settings, Sql(database), mail_server.mailbox, http).utility()
            with ThreadPoolExecutor(4) as threads:
                known = list(threads.map(lambda _: _registered(utility, confirmed=True), range(PEOPLE)))
                unconfirmed = list(threads.map(lambda _: _registered(utility, confirmed=False), range(PEOPLE)))
            unknown = [_address("jan") for _ in range(PEOPLE)]
            yield Scene(utility, mail_server, {"known": known, "unknown": unknown, "unconfirmed": unconfirmed})
    drop(server, "portal_soak")


@pytest.mark.parametrize(
    ("call", "mail_server"),
    [
        ("forgot-password", "up"),
        ("forgot-password", "down"),
        ("resend-confirmation", "up"),
        ("resend-confirmation", "down"),
        ("failed login", "up"),
    ],
)
def test_the_time_tells_nothing(call: str, mail_server: str, scene: Scene) -> None:
    scene.forget_mails()
    if mail_server == "down":
        scene.mail_server.stop()
    try:
        times = _measure(scene, call)
    finally:
        if mail_server == "down":
            scene.mail_server.start()
    found = {pair: probability_of_one_kind(times[pair[0]], times[pair[1]]) for pair in combinations(times, 2)}
    print(f"\n\n{call}, mail server {mail_server}: {SAMPLES} samples of each class, in milliseconds")
    print(f"  {'':<24}{'median':>8}{'p10':>8}{'p90':>8}")
    for name, taken in times.items():
        tenths = quantiles(taken, n=10)
        print(f"  {name:<24}{median(taken) * 1e3:>8.2f}{tenths[0] * 1e3:>8.2f}{tenths[-1] * 1e3:>8.2f}")
    for (one, other), probability in found.items():
        print(f"  {f'{one} and {other}':<24}   p = {probability:.4f}")
    told_apart = {pair: probability for pair, probability in found.items() if probability < LEAST_PROBABILITY}
    assert not told_apart


def _measure(scene: Scene, call: str) -> dict[str, list[float]]:
    for number in range(WARM_UP):
        scene.seconds(call, _address("warm") if number % 2 else scene.addresses["unknown"][0])
    order = [
        (name, addresses[number % PEOPLE]) for name, addresses in scene.addresses.items() for number in range(SAMPLES)
    ]
    random.shuffle(order)
    times: dict[str, list[float]] = {name: [] for name in scene.addresses}
    for name, address in order:
        times[name].append(scene.seconds(call, address))
    return times
