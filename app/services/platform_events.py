"""What the platform tells by its webhooks: kept when it comes, and followed by a job.

The job asks the platform for the customer, where it may, and does what the events tell by themselves in the order in
which they came. It works on everything that waits for its customer, so a burst of events is mostly one call, and the
others find nothing left to do. No connection of the database is held while the platform is asked.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

import structlog

from app.domain.activities import ActivityType, NewActivity, Subject, SubjectType
from app.domain.callers import Actor, ActorType, Seen
from app.domain.organisations import Organisation
from app.domain.platform_events import (
    CustomerChange,
    KeptEvent,
    PlatformEvent,
    PlatformEventKind,
    PlatformEventState,
)
from app.errors import ResourceNotFound
from app.platform.answers import PlatformBusy
from app.platform.client import PlatformClient
from app.platform.reading import read_change, read_customer, read_features
from app.repositories.unit_of_work import Transactions, UnitOfWork
from app.services.deeds.customers import put_customers

PLATFORM = Actor(ActorType.SYSTEM, "platform", "Platform")

_SOON = timedelta(seconds=1)

_log = structlog.get_logger(__name__)


class _Overtaken(Exception):
    """Somebody else changed or made the customer's record meanwhile."""


class PlatformEvents:
    """The platform's events. `platform` is None where it cannot be asked."""

    def __init__(self, transaction: Transactions, platform: PlatformClient | None, random: Random) -> None:
        self._transaction = transaction
        self._platform = platform
        self._random = random

    async def receive(self, organisation_id: UUID, event: PlatformEvent, *, seen: Seen) -> tuple[UUID, bool]:
        """Keep an event; its id, and whether it is a new one. The same body minutes later is the same event.

        Raises: ResourceNotFound.
        """
        async with self._transaction(organisation_id) as uow:
            if await uow.organisations.get() is None:
                raise ResourceNotFound("The organisation is not known here.")
            earlier = await uow.platform_events.earlier(event.body_digest)
            if earlier is not None:
                return earlier, False
            event_id = await uow.platform_events.keep(event, seen.correlation_id)
            if event.may_change:
                uow.jobs.follow_platform(event.customer_id)
            return event_id, True

    async def follow(self, organisation_id: UUID, customer_id: UUID | None) -> timedelta | None:
        """Let what waits take effect; how long to wait when it could not yet, else None.

        Raises: PlatformFailed, ValidationFailed, when the record cannot be kept as told.
        """
        async with self._transaction.reading(organisation_id) as uow:
            began_at = await uow.platform_events.moment(customer_id)
            organisation = await uow.organisations.get()
        if began_at is None or organisation is None:
            return None
        if customer_id is None:
            await self._follow_of_organisation(organisation_id, began_at)
            return None
        try:
            return await self._follow_of_customer(organisation, customer_id, began_at)
        except PlatformBusy as busy:  # not all of them come back at the same moment
            return timedelta(seconds=busy.seconds * self._random.uniform(1, 1.2))
        except _Overtaken:
            return _SOON

    async def _follow_of_customer(
        self, organisation: Organisation, customer_id: UUID, began_at: datetime
    ) -> timedelta | None:
        told: CustomerChange | None = None
        if self._platform is not None:
            found = await self._platform.customer(organisation.tenant_id, organisation.organisation_id, customer_id)
            if found is None:
                await self._note_gone(organisation.organisation_id, customer_id, began_at)
                return None
            told = read_customer(found, customer_id, began_at)
        async with self._transaction(organisation.organisation_id) as uow:
            await uow.customers.lock(customer_id)
            kept = await uow.customers.record(customer_id)
            events = await uow.platform_events.waiting(customer_id, began_at)
            if not events:
                return None
            if told is not None and kept is not None and kept.changed_at > began_at:
                raise _Overtaken  # what was fetched may be older than what is kept
            changes = [change for event in events if (change := _change(event, customer_id)) is not None]
            if told is not None:
                changes.append(told)  # it knows best, being the newest
            record = kept.customer if kept else None
            for change in changes:
                record = change.on(record)
            if record is not None and changes:
                (created,) = await put_customers(uow, [record], by=PLATFORM, seen=Seen(events[-1].correlation_id))
                if created is not (kept is None):
                    raise _Overtaken
            await _end(uow, events, took_effect=record is not None and bool(changes))
        return None

    async def _follow_of_organisation(self, organisation_id: UUID, began_at: datetime) -> None:
        async with self._transaction(organisation_id) as uow:
            organisation = await uow.organisations.lock()
            events = await uow.platform_events.waiting(None, began_at)
            if organisation is None or not events:
                return
            features = organisation.features
            for event in events:
                features = replace(features, **read_features(event.body))
            if features != organisation.features:
                await uow.organisations.put(replace(organisation, features=features))
                uow.activities.record(
                    NewActivity(
                        ActivityType.SETTINGS_CHANGED,
                        PLATFORM,
                        Seen(events[-1].correlation_id),
                        Subject(SubjectType.ORGANISATION, organisation_id),
                        payload={"created": False, "changed": ["features"]},
                    )
                )
            await _end(uow, events, took_effect=features != organisation.features)

    async def _note_gone(self, organisation_id: UUID, customer_id: UUID, began_at: datetime) -> None:
        """The platform has deleted the customer: what is kept here stays as it was."""
        async with self._transaction(organisation_id) as uow:
            events = await uow.platform_events.waiting(customer_id, began_at)
            await uow.platform_events.end([event.id for event in events], PlatformEventState.CUSTOMER_GONE)
        _log.warning(
            "platform does not know the customer", organisation_id=str(organisation_id), customer_id=str(customer_id)
        )


def _change(event: KeptEvent, customer_id: UUID) -> CustomerChange | None:
    """What an event tells by itself; an invoice that was told before is counted already."""
    if event.kind == PlatformEventKind.INVOICE_AVAILABLE and event.told_before and "invoiceId" in event.body:
        return None
    return read_change(event.kind, event.body, customer_id, event.received_at)


async def _end(uow: UnitOfWork, events: list[KeptEvent], *, took_effect: bool) -> None:
    state = PlatformEventState.APPLIED if took_effect else PlatformEventState.IGNORED
    await uow.platform_events.end([event.id for event in events], state)
