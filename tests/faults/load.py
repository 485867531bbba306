"""Customers and employees who go on whatever happens to the service: the story of the card, again and again."""

import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import httpx

from tests.support.world import NEW_PASSWORD, PASSWORD, Client, Customer, Utility

TOLD_TO_RETRY = {429, 503}


@dataclass
class Load:
    """Threads of which each plays with its own customers; `answers` counts what they were told."""

    utility: Utility
    answers: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self, threads: int) -> Iterator["Load"]:
        """Under load until the block ends."""
        players = [threading.Thread(target=self._play, args=(number,)) for number in range(threads)]
        for player in players:
            player.start()
        try:
            yield self
        finally:
            self._ended.set()
            for player in players:
                player.join(60)
        assert not self.faults, self.faults[:5]

    def _play(self, number: int) -> None:
        with httpx.Client(timeout=20) as http:
            utility = replace(self.utility, world=replace(self.utility.world, http=http))
            chance = random.Random(number)
            while not self._ended.is_set():
                try:
                    self._story(utility, chance)
                except httpx.TransportError as fault:  # its process was killed
                    self.answers[type(fault).__name__] += 1
                    self._ended.wait(0.05)
                except AssertionError as fault:
                    self.faults.append(str(fault))

    def _story(self, utility: Utility, chance: random.Random) -> None:
        customer = utility.new_customer()
        if not self._counted("customer", customer.save()):
            return
        staff = utility.employee()
        for _ in range(chance.choice((1, 1, 2))):
            if not self._counted("invitation", staff.post(f"{customer.path}/invitations")):
                return
        token = self._link(customer, "register")
        if token is None or not self._counted("registration", customer.register(token)):
            return
        token = self._link(customer, "confirm-email")
        if token is None or not self._counted("confirmation", customer.confirm(token)):
            return
        password = PASSWORD
        if chance.random() < 0.3 and self._counted("reset", customer.send_reset()):
            token = self._link(customer, "reset-password")
            if token and self._counted("new password", customer.choose_password(token)):
                password = NEW_PASSWORD
        answer = customer.log_in(password=password)
        if self._counted("login", answer):
            own = Client(utility.world, {"Authorization": f"Bearer {answer.json()['accessToken']}"})
            self._counted("me", own.get("/portal/me"))
            if chance.random() < 0.5:
                self._counted("logout", own.delete("/portal/sessions/current"))
        if chance.random() < 0.3:
            self._counted("account reset", staff.post(f"{customer.path}/reset", {}))

    def _link(self, customer: Customer, page: str) -> str | None:
        """The newest link of this page out of the customer's mails, once one has come; none when the load ends."""
        mailbox = customer.utility.world.mailbox
        while not self._ended.is_set():
            found = [mail for mail in mailbox.to(customer.email) if mail.page.endswith(page)]
            if found:
                return found[-1].token
            self._ended.wait(0.02)
        return None

    def _counted(self, what: str, answer: httpx.Response) -> bool:
        """Whether it went well. A server may say that it is busy, never that it failed."""
        self.answers[f"{what} {answer.status_code}"] += 1
        if answer.status_code >= 500 and answer.status_code not in TOLD_TO_RETRY:
            self.faults.append(f"{what}: {answer.status_code} {answer.text}")
        if answer.status_code in TOLD_TO_RETRY:
            assert "Retry-After" in answer.headers, answer.headers
            self._ended.wait(0.05)
        return answer.is_success
