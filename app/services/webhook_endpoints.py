"""Webhook endpoints: where an organisation's activities go, and what became of each."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.domain.callers import Call
from app.domain.paging import Page, PageRequest
from app.domain.webhooks import (
    MOST_ENDPOINTS,
    DeliveryStatus,
    EndpointStatus,
    EndpointWish,
    WebhookDelivery,
    WebhookEndpoint,
)
from app.errors import (
    FieldError,
    ReceiverUrlRefused,
    ResourceNotFound,
    TooManyWebhookEndpoints,
    WebhookEndpointDisabled,
)
from app.ids import new_id
from app.repositories.unit_of_work import Transactions, UnitOfWork
from app.services.deeds.webhook_changes import record_webhook_change
from app.webhook_receivers import Receivers
from app.webhook_secrets import SecretUnreadable, WebhookSecrets


@dataclass(frozen=True, slots=True)
class EndpointWithSecret:
    """An endpoint, and its secret as it is told once."""

    endpoint: WebhookEndpoint
    secret: str


class WebhookEndpoints:
    """Webhook endpoints. `overlap` is how long a secret counts beside the one that replaced it."""

    def __init__(
        self, transaction: Transactions, secrets: WebhookSecrets, receivers: Receivers, *, overlap: timedelta
    ) -> None:
        self._transaction = transaction
        self._secrets = secrets
        self._receivers = receivers
        self._overlap = overlap

    async def page(self, request: PageRequest, *, call: Call) -> Page[WebhookEndpoint]:
        """The organisation's endpoints, newest first."""
        async with self._transaction.reading(call.organisation_id) as uow:
            return await uow.webhook_endpoints.page(request)

    async def get(self, endpoint_id: UUID, *, call: Call) -> WebhookEndpoint:
        """One of them.

        Raises: ResourceNotFound.
        """
        async with self._transaction.reading(call.organisation_id) as uow:
            return await _found(uow, endpoint_id)

    async def create(self, wish: EndpointWish, *, call: Call) -> EndpointWithSecret:
        """A new endpoint, switched on.

        Raises: ReceiverUrlRefused, ResourceNotFound, TooManyWebhookEndpoints.
        """
        refusal = await self._refusal(wish)
        secret = self._secrets.new()
        async with self._transaction.of(call) as uow:
            if refusal is not None:
                raise refusal
            if await uow.organisations.lock() is None:
                raise ResourceNotFound(
                    "The organisation is not known here yet: PUT /organisation/portal-settings creates it."
                )
            if await uow.webhook_endpoints.count() >= MOST_ENDPOINTS:
                raise TooManyWebhookEndpoints
            endpoint = await uow.webhook_endpoints.add(new_id(), wish, self._secrets.seal(secret))
            _record(uow, "webhookendpointcreated", endpoint, call, **_described(endpoint))
            return EndpointWithSecret(uow.answer(endpoint), secret)

    async def change(self, endpoint_id: UUID, wish: EndpointWish, *, call: Call) -> WebhookEndpoint:
        """Another URL, other types. What waits goes to the new URL; an endpoint that is off stays off.

        Raises: ReceiverUrlRefused, ResourceNotFound.
        """
        refusal = await self._refusal(wish)
        async with self._transaction.of(call) as uow:
            before = await _locked(uow, endpoint_id)
            if refusal is not None:
                raise refusal
            endpoint = await uow.webhook_endpoints.change(endpoint_id, wish)
            uow.jobs.serve_webhook_endpoint(endpoint_id)
            if endpoint != before:
                changed = {"urlChanged": endpoint.url != before.url} | _described(endpoint)
                _record(uow, "webhookendpointchanged", endpoint, call, **changed)
            return endpoint

    async def delete(self, endpoint_id: UUID, *, call: Call) -> None:
        """Take the endpoint away, with what waits for it; once more changes nothing.

        Raises: ResourceNotFound.
        """
        async with self._transaction.of(call) as uow:
            found = await uow.webhook_endpoints.lock(endpoint_id)
            if found is None:
                if not await uow.webhook_endpoints.existed(endpoint_id):
                    raise ResourceNotFound
                return
            await uow.webhook_endpoints.delete(endpoint_id)
            _record(uow, "webhookendpointdeleted", found.endpoint, call)

    async def rotate_secret(self, endpoint_id: UUID, *, call: Call) -> EndpointWithSecret:
        """A new secret; for a while what is sent is signed with the one before as well.

        Raises: ResourceNotFound.
        """
        secret = self._secrets.new()
        async with self._transaction.of(call) as uow:
            await _locked(uow, endpoint_id)
            endpoint = await uow.webhook_endpoints.rotate(endpoint_id, self._secrets.seal(secret), self._overlap)
            _record(uow, "webhooksecretrotated", endpoint, call)
            return EndpointWithSecret(uow.answer(endpoint), secret)

    async def secret_again(self, endpoint_id: UUID, created_at: datetime, *, call: Call) -> str | None:
        """The secret that was made then, for an answer that is repeated; None when it has been replaced."""
        async with self._transaction.reading(call.organisation_id) as uow:
            sealed = await uow.webhook_endpoints.secret_of(endpoint_id, created_at)
        try:
            return self._secrets.open(sealed) if sealed else None
        except SecretUnreadable:
            return None

    async def enable(self, endpoint_id: UUID, *, call: Call) -> WebhookEndpoint:
        """Switch the endpoint on again: what waits for it is sent, with all its attempts. Twice changes nothing.

        Raises: ResourceNotFound.
        """
        async with self._transaction.of(call) as uow:
            before = await _locked(uow, endpoint_id)
            if before.status is EndpointStatus.ENABLED:
                return uow.answer(before)
            endpoint = await uow.webhook_endpoints.enable(endpoint_id)
            await uow.webhook_deliveries.ask_again_pending(endpoint_id)
            uow.jobs.serve_webhook_endpoint(endpoint_id)
            _record(uow, "webhookendpointenabled", endpoint, call)
            return uow.answer(endpoint)

    async def test(self, endpoint_id: UUID, *, call: Call) -> WebhookDelivery:
        """Send a test, whatever types the endpoint wants.

        Raises: ResourceNotFound, WebhookEndpointDisabled.
        """
        async with self._transaction.of(call) as uow:
            await _enabled(uow, endpoint_id)
            delivery_id = new_id()
            await uow.webhook_deliveries.add_test(delivery_id, endpoint_id)
            uow.jobs.serve_webhook_endpoint(endpoint_id)
            return uow.answer(await _delivery(uow, delivery_id))

    async def deliveries(
        self, endpoint_id: UUID, request: PageRequest, status: DeliveryStatus | None, *, call: Call
    ) -> Page[WebhookDelivery]:
        """What was sent to the endpoint, or waits to be, newest first.

        Raises: ResourceNotFound.
        """
        async with self._transaction.reading(call.organisation_id) as uow:
            await _found(uow, endpoint_id)
            return await uow.webhook_deliveries.page(endpoint_id, request, status)

    async def redeliver(self, delivery_id: UUID, *, call: Call) -> WebhookDelivery:
        """Send something once more, whatever became of it, under the same id.

        Raises: ResourceNotFound, WebhookEndpointDisabled.
        """
        async with self._transaction.of(call) as uow:
            delivery = await _delivery(uow, delivery_id)
            await _enabled(uow, delivery.endpoint_id)
            uow.jobs.serve_webhook_endpoint(delivery.endpoint_id)
            return uow.answer(await uow.webhook_deliveries.ask_again(delivery_id))

    async def _refusal(self, wish: EndpointWish) -> ReceiverUrlRefused | None:
        reason = await self._receivers.refusal(wish.url)
        if reason is None:
            return None
        return ReceiverUrlRefused(reason + ".", errors=[FieldError("url", ReceiverUrlRefused.key, reason)])


async def _found(uow: UnitOfWork, endpoint_id: UUID) -> WebhookEndpoint:
    found = await uow.webhook_endpoints.find(endpoint_id)
    if found is None:
        raise ResourceNotFound
    return found


async def _locked(uow: UnitOfWork, endpoint_id: UUID) -> WebhookEndpoint:
    """The endpoint, which nobody else changes and no worker begins to serve until the transaction ends."""
    found = await uow.webhook_endpoints.lock(endpoint_id)
    if found is None:
        raise ResourceNotFound
    return found.endpoint


async def _enabled(uow: UnitOfWork, endpoint_id: UUID) -> None:
    endpoint = await _locked(uow, endpoint_id)
    if endpoint.status is EndpointStatus.DISABLED:
        raise WebhookEndpointDisabled(endpoint.disabled_reason)


async def _delivery(uow: UnitOfWork, delivery_id: UUID) -> WebhookDelivery:
    found = await uow.webhook_deliveries.find(delivery_id)
    if found is None:
        raise ResourceNotFound
    return found


def _record(uow: UnitOfWork, change: str, endpoint: WebhookEndpoint, call: Call, **more: Any) -> None:
    record_webhook_change(uow, change, endpoint, by=call.actor, seen=call.seen, **more)


def _described(endpoint: WebhookEndpoint) -> dict[str, Any]:
    return {"types": list(endpoint.types), "includePersonalData": endpoint.include_personal_data}
