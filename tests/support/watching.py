"""Seeing what a service says to its database."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import httpx

from app.database import Database, registered
from tests.support.service import listening
from tests.support.world import Client, Customer, World


@dataclass(frozen=True)
class Watched:
    """A service without a worker, and every statement that it sends."""

    world: World
    statements: list[str]

    def by(self, client: Client) -> Client:
        """The same caller, of this service."""
        return replace(client, world=self.world)

    def on(self, customer: Customer) -> Customer:
        """The same customer, as this service knows them."""
        return replace(customer, utility=replace(customer.utility, world=self.world))

    def behind(self, call: Callable[[], httpx.Response]) -> list[str]:
        """The service's own statements behind a call that succeeds: neither the transaction's, nor the queue's that
        leaves jobs to the worker, nor what a driver asks on a new connection."""
        answer, statements = self.asked(call)
        assert answer.is_success, answer.text
        assert statements, "nothing was seen"
        ours = {statement.sql for statement in registered()}
        return [one for one in statements if one in ours]

    def asked(self, call: Callable[[], httpx.Response]) -> tuple[httpx.Response, list[str]]:
        """The answer, and all that was said to the database for it."""
        self._all_told()
        self.statements.clear()
        answer = call()
        self._all_told()
        return answer, list(self.statements)

    def _all_told(self) -> None:
        """By the next answer the last statement of the one before has been told too."""
        self.world.http.get(f"{self.world.url}/healthz")


@contextmanager
def watching(world: World) -> Iterator[Watched]:
    """A service of its own on the world's database."""
    settings = world.settings.model_copy(update={"run_worker": False, "database_pool_size": 1})
    with listening(settings) as (url, app):
        database: Database = app.state.database
        statements: list[str] = []
        database.watchers.append(statements.append)
        yield Watched(replace(world, url=url), statements)
