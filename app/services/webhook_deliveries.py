"""Sending activities to webhook endpoints: one worker at a time for each endpoint, several deliveries at once.

A job asks for an endpoint to be looked after and carries no delivery: those that are due stand in rows. Every waiting
delivery has a job that comes when it is due, written with it. A job that finds the endpoint in another's turn has
nothing to do: whoever's turn it is looks once more, after the lock, before it leaves, and a killed worker's job is
taken over and knows its turn again. No connection of the database is held while a receiver is called.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from uuid import UUID

import structlog

from app.clock import Clock
from app.domain.activities import Activity
from app.domain.callers import Actor, ActorType, Seen
from app.domain.webhooks import (
    MOST_ATTEMPTS,
    Attempt,
    DeliveryStatus,
    EndpointStatus,
    WebhookDelivery,
    WebhookEndpoint,
    message,
    pause,
    retry_wait,
    test_event,
)
from app.ids import new_id
from app.repositories.unit_of_work import Transactions, UnitOfWork
from app.repositories.webhook_endpoints import LockedEndpoint
from app.services.deeds.webhook_changes import record_webhook_change
from app.webhook_receivers import Receivers
from app.webhook_secrets import SecretUnreadable, WebhookSecrets, signatures

_log = structlog.get_logger(__name__)

POSTER = Actor(ActorType.SYSTEM, "webhooks", "Portal Access")
_AT_ONCE = 8  # deliveries to one endpoint
_LONGEST = 5.0  # seconds after which a worker that still finds more lets others come first
_MARGIN = timedelta(seconds=15)  # of a turn over the time-out: to write down what came of it
_SOON = timedelta(seconds=1)
_GONE = "The receiver answered 410 Gone: it wants nothing any more."
_NEVER_TAKEN = f"A delivery failed {MOST_ATTEMPTS} times over three days, and nothing else was taken meanwhile."
_FORGOTTEN = Attempt(None, "The log no longer holds what it was to tell.")
_UNREADABLE = "The secret was encrypted with a key that is no longer set. Rotate the secret, then switch it on again."


@dataclass(frozen=True, slots=True)
class PostingRules:
    """How long a receiver may take, and how many endpoints one worker serves at once beside its mails."""

    time_out: timedelta
    endpoints_at_once: int


@dataclass(frozen=True, slots=True)
class _Turn:
    """What a worker sends next, and by what right."""

    id: UUID
    endpoint: WebhookEndpoint
    secrets: tuple[str, ...]
    deliveries: Sequence[tuple[WebhookDelivery, Activity]]


class WebhookDeliveries:
    """Carries waiting deliveries to an end."""

    def __init__(
        self,
        transaction: Transactions,
        secrets: WebhookSecrets,
        receivers: Receivers,
        rules: PostingRules,
        clock: Clock,
        random: Random,
    ) -> None:
        self._transaction = transaction
        self._secrets = secrets
        self._receivers = receivers
        self._rules = rules
        self._clock = clock
        self._random = random
        self._serving = 0

    async def serve(self, organisation_id: UUID, endpoint_id: UUID, turn_id: UUID) -> timedelta | None:
        """Send what is due; None when nothing is left that has no job of its own, else when to come back."""
        if self._serving >= self._rules.endpoints_at_once:
            return _SOON
        self._serving += 1
        try:
            return await self._serve(organisation_id, endpoint_id, turn_id)
        finally:
            self._serving -= 1

    async def _serve(self, organisation_id: UUID, endpoint_id: UUID, turn_id: UUID) -> timedelta | None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        while loop.time() - started < _LONGEST:
            turn = await self._begin(organisation_id, endpoint_id, turn_id)
            if not isinstance(turn, _Turn):
                return turn
            attempts = await asyncio.gather(*(self._attempt(turn, *one) for one in turn.deliveries))
            await self._end(organisation_id, turn, attempts)
        return timedelta(0)

    async def _begin(self, organisation_id: UUID, endpoint_id: UUID, turn_id: UUID) -> _Turn | timedelta | None:
        """Take the deliveries that are due; or how long to wait, None when there is nothing to do."""
        async with self._transaction(organisation_id) as uow:
            locked = await uow.webhook_endpoints.lock(endpoint_id)
            if locked is None or locked.endpoint.status is EndpointStatus.DISABLED:
                return None
            if locked.turn not in (None, turn_id):
                return None
            if locked.pause is not None:
                return locked.pause * self._jitter()
            try:
                secrets = self._open(locked)
            except SecretUnreadable:
                await _disable(uow, locked.endpoint, _UNREADABLE)
                return None
            deliveries = await uow.webhook_deliveries.take(endpoint_id, _AT_ONCE)
            if not deliveries:
                return None
            turn = _Turn(turn_id, locked.endpoint, secrets, await self._told(uow, deliveries))
            await uow.webhook_endpoints.begin_turn(endpoint_id, turn.id, self._rules.time_out + _MARGIN)
            return turn

    async def _told(
        self, uow: UnitOfWork, deliveries: Sequence[WebhookDelivery]
    ) -> list[tuple[WebhookDelivery, Activity]]:
        """Each with what it tells; one that the log no longer holds has failed."""
        held = await uow.activities.of_ids([one.activity_id for one in deliveries if one.activity_id])
        told = []
        for one in deliveries:
            activity = held.get(one.activity_id) if one.activity_id else test_event(one)
            if activity is None:
                await uow.webhook_deliveries.end(one.id, DeliveryStatus.FAILED, _FORGOTTEN)
            else:
                told.append((one, activity))
        return told

    def _open(self, locked: LockedEndpoint) -> tuple[str, ...]:
        """The secrets to sign with; the one before, which may be older than every key, only if it can be read."""
        current, *previous = locked.sealed_secrets
        secrets = [self._secrets.open(current)]
        for sealed in previous:
            try:
                secrets.append(self._secrets.open(sealed))
            except SecretUnreadable:
                _log.warning("previous webhook secret unreadable", endpoint_id=str(locked.endpoint.id))
        return tuple(secrets)

    async def _attempt(self, turn: _Turn, delivery: WebhookDelivery, activity: Activity) -> Attempt:
        told = message(activity, personal=turn.endpoint.include_personal_data)
        body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
        timestamp = int(self._clock().timestamp())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "portal-access (webhooks)",
            "Accept-Encoding": "identity",
            "webhook-id": str(delivery.id),
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signatures(turn.secrets, str(delivery.id), timestamp, body),
        }
        try:
            return await self._receivers.post(turn.endpoint.url, headers, body)
        except (
            Exception
        ) as fault:  # whatever it is, the delivery's own count of attempts decides, and its list shows it
            _log.error("webhook not sent", delivery_id=str(delivery.id), exc_info=fault)
            return Attempt(None, "It could not be sent.")

    async def _end(self, organisation_id: UUID, turn: _Turn, attempts: Sequence[Attempt]) -> None:
        """Write down what came of it, and when each is tried again."""
        async with self._transaction(organisation_id) as uow:
            locked = await uow.webhook_endpoints.lock(turn.endpoint.id)
            reason: str | None = None
            for (one, _), attempt in zip(turn.deliveries, attempts, strict=True):
                if attempt.accepted:
                    await uow.webhook_deliveries.end(one.id, DeliveryStatus.DELIVERED, attempt)
                elif one.attempts >= MOST_ATTEMPTS and not attempt.gone:
                    await uow.webhook_deliveries.end(one.id, DeliveryStatus.FAILED, attempt)
                    if locked and not (locked.last_delivered_at and locked.last_delivered_at > one.requested_at):
                        reason = reason or _NEVER_TAKEN
                else:
                    wait = retry_wait(one.attempts, attempt.retry_after, self._jitter())
                    await uow.webhook_deliveries.postpone(one.id, wait, attempt)
                    uow.jobs.serve_webhook_endpoint(turn.endpoint.id, wait)
                    reason = _GONE if attempt.gone else reason
            if locked is None:
                return
            taken = any(attempt.accepted for attempt in attempts)
            left_alone = None if taken else pause(locked.failures + 1, attempts)
            await uow.webhook_endpoints.end_turn(turn.endpoint.id, turn.id, left_alone)
            if reason and (reason == _GONE or not taken) and locked.endpoint.status is EndpointStatus.ENABLED:
                await _disable(uow, locked.endpoint, reason)

    def _jitter(self) -> float:
        """A tenth more at most, so that retries spread out; never sooner, so that they find what they wait for."""
        return self._random.uniform(1.0, 1.1)


async def _disable(uow: UnitOfWork, endpoint: WebhookEndpoint, reason: str) -> None:
    """Switch the endpoint off, visibly. What waits for it stays until it is on again."""
    await uow.webhook_endpoints.disable(endpoint.id, reason)
    seen = Seen(correlation_id=str(new_id()))
    record_webhook_change(uow, "webhookendpointdisabled", endpoint, by=POSTER, seen=seen, reason=reason)
