"""Webhook endpoints: where the organisation's activities go."""

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query

from app import errors
from app.domain.callers import Call
from app.domain.idempotency import Replay
from app.domain.webhooks import DeliveryStatus
from app.permissions import Permission
from app.routers.dependencies import BackOffice, Paging, Service, Services
from app.routers.openapi import refusals
from app.routers.reading import StrictRoute
from app.schemas.base import PageBody
from app.schemas.webhooks import (
    EndpointWithSecretBody,
    WebhookDeliveryBody,
    WebhookEndpointBody,
    WebhookEndpointGiven,
)

router = APIRouter(
    prefix="/api/portal/v1/organisation/webhook-endpoints", tags=["Partners: webhooks"], route_class=StrictRoute
)

_WRITE = Permission.PORTAL_WEBHOOKS_WRITE
_Calling = Annotated[Call, Depends(BackOffice(_WRITE))]
_Creating = Annotated[Call, Depends(BackOffice(_WRITE, answer=EndpointWithSecretBody, status=201))]
_Rotating = Annotated[Call, Depends(BackOffice(_WRITE, answer=EndpointWithSecretBody))]
_Enabling = Annotated[Call, Depends(BackOffice(_WRITE, answer=WebhookEndpointBody))]
_Sending = Annotated[Call, Depends(BackOffice(_WRITE, answer=WebhookDeliveryBody, status=202))]
_EndpointId = Annotated[UUID, Path(alias="endpointId", description="Which endpoint.")]


@router.get("", operation_id="listWebhookEndpoints", summary="List the webhook endpoints")
async def list_webhook_endpoints(call: _Calling, services: Service, page: Paging) -> PageBody[WebhookEndpointBody]:
    """Newest first."""
    return PageBody.of(await services.webhook_endpoints.page(page, call=call), WebhookEndpointBody.of)


@router.post(
    "",
    operation_id="createWebhookEndpoint",
    summary="Have activities sent to a URL",
    status_code=201,
    responses=refusals(errors.ResourceNotFound, errors.ReceiverUrlRefused, errors.TooManyWebhookEndpoints),
)
async def create_webhook_endpoint(
    body: WebhookEndpointGiven, call: _Creating, services: Service
) -> EndpointWithSecretBody:
    """Every activity from now on is sent as `{type, timestamp, data}`, at least once and in no promised order.

    Each message is signed by the Standard Webhooks specification with the `secret` that this answer alone shows. What
    is not answered with a 2xx within 15 seconds is repeated ten times in all over about three days under the same
    `webhook-id`; `Retry-After` counts. 410 switches the endpoint off, and so does a message that failed every time
    while nothing else was taken.
    """
    try:
        made = await services.webhook_endpoints.create(body.wish(), call=call)
    except Replay as first:
        raise await _with_secret(first, call, services) from None
    return EndpointWithSecretBody.of(made.endpoint, made.secret)


@router.post(
    "/deliveries/{deliveryId}/redeliver",
    operation_id="redeliverWebhook",
    summary="Send a delivery again",
    status_code=202,
    responses=refusals(errors.ResourceNotFound, errors.WebhookEndpointDisabled),
)
async def redeliver_webhook(
    delivery_id: Annotated[UUID, Path(alias="deliveryId", description="Which of its deliveries.")],
    call: _Sending,
    services: Service,
) -> WebhookDeliveryBody:
    """Under the same `webhook-id`, whatever became of it, with all its attempts."""
    return WebhookDeliveryBody.of(await services.webhook_endpoints.redeliver(delivery_id, call=call))


@router.get(
    "/{endpointId}",
    operation_id="getWebhookEndpoint",
    summary="Show a webhook endpoint",
    responses=refusals(errors.ResourceNotFound),
)
async def get_webhook_endpoint(endpoint_id: _EndpointId, call: _Calling, services: Service) -> WebhookEndpointBody:
    """Without its secret."""
    return WebhookEndpointBody.of(await services.webhook_endpoints.get(endpoint_id, call=call))


@router.put(
    "/{endpointId}",
    operation_id="putWebhookEndpoint",
    summary="Change a webhook endpoint",
    responses=refusals(errors.ResourceNotFound, errors.ReceiverUrlRefused),
)
async def put_webhook_endpoint(
    endpoint_id: _EndpointId, body: WebhookEndpointGiven, call: _Calling, services: Service
) -> WebhookEndpointBody:
    """What is left out goes back to its default. What waits goes to the new URL; an endpoint that is off stays off."""
    return WebhookEndpointBody.of(await services.webhook_endpoints.change(endpoint_id, body.wish(), call=call))


@router.delete(
    "/{endpointId}",
    operation_id="deleteWebhookEndpoint",
    summary="Delete a webhook endpoint",
    status_code=204,
    responses=refusals(errors.ResourceNotFound),
)
async def delete_webhook_endpoint(endpoint_id: _EndpointId, call: _Calling, services: Service) -> None:
    """Nothing is sent there any more, not even what waits; once more answers the same."""
    await services.webhook_endpoints.delete(endpoint_id, call=call)


@router.post(
    "/{endpointId}/rotate-secret",
    operation_id="rotateWebhookSecret",
    summary="Replace the secret",
    responses=refusals(errors.ResourceNotFound),
)
async def rotate_webhook_secret(endpoint_id: _EndpointId, call: _Rotating, services: Service) -> EndpointWithSecretBody:
    """For 24 hours messages carry two signatures, by the new secret and the one before; then by the new one alone."""
    try:
        rotated = await services.webhook_endpoints.rotate_secret(endpoint_id, call=call)
    except Replay as first:
        raise await _with_secret(first, call, services) from None
    return EndpointWithSecretBody.of(rotated.endpoint, rotated.secret)


@router.post(
    "/{endpointId}/enable",
    operation_id="enableWebhookEndpoint",
    summary="Switch a webhook endpoint on again",
    responses=refusals(errors.ResourceNotFound),
)
async def enable_webhook_endpoint(endpoint_id: _EndpointId, call: _Enabling, services: Service) -> WebhookEndpointBody:
    """What waited when it was switched off is sent now, what happened meanwhile is not. Twice answers the same."""
    return WebhookEndpointBody.of(await services.webhook_endpoints.enable(endpoint_id, call=call))


@router.post(
    "/{endpointId}/test",
    operation_id="testWebhookEndpoint",
    summary="Send a test",
    status_code=202,
    responses=refusals(errors.ResourceNotFound, errors.WebhookEndpointDisabled),
)
async def test_webhook_endpoint(endpoint_id: _EndpointId, call: _Sending, services: Service) -> WebhookDeliveryBody:
    """A message of the type `PortalWebhookTest`, whatever types the endpoint wants; its deliveries show the outcome."""
    return WebhookDeliveryBody.of(await services.webhook_endpoints.test(endpoint_id, call=call))


@router.get(
    "/{endpointId}/deliveries",
    operation_id="listWebhookDeliveries",
    summary="List what was sent to a webhook endpoint",
    responses=refusals(errors.ResourceNotFound),
)
async def list_webhook_deliveries(
    endpoint_id: _EndpointId,
    call: _Calling,
    services: Service,
    page: Paging,
    status: Annotated[DeliveryStatus | None, Query(description="Only those that stand there.")] = None,
) -> PageBody[WebhookDeliveryBody]:
    """Newest first, also what waits; kept for 30 days."""
    found = await services.webhook_endpoints.deliveries(endpoint_id, page, status, call=call)
    return PageBody.of(found, WebhookDeliveryBody.of)


async def _with_secret(first: Replay, call: Call, services: Services) -> Replay:
    """The first answer, which was kept without its secret."""
    kept = EndpointWithSecretBody.model_validate_json(first.answer.body)
    secret = await services.webhook_endpoints.secret_again(kept.id, kept.secret_created_date_time, call=call)
    again = kept.model_copy(update={"secret": secret})
    return Replay(replace(first.answer, body=again.model_dump_json(by_alias=True)))
