"""Watching an invitation batch: server-sent events for as long as it runs.

The batch is looked at once a second, by short statements between which no connection is held. Each look is judged
like a call of its own, but counted as none: a bearer that has expired, or has lost its permission, sees nothing more.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app import errors
from app.domain.callers import Call
from app.domain.invitation_batches import InvitationBatch
from app.permissions import Permission
from app.routers.backoffice.invitation_batches import PREFIX, TAG, BatchId
from app.routers.dependencies import BackOffice, Service
from app.routers.openapi import refusals
from app.routers.reading import StrictRoute
from app.schemas.invitation_batches import InvitationBatchBody

_SECONDS = 1.0

# The data is cut short here; it is the whole batch, as `GET /{batchId}` answers it.
_STREAM = """event: progress
data: {"id": "01a2049d-d2a0-7b19-a4c8-1f6e0d3b7a55", "status": "running", …}

event: end
data: {"id": "01a2049d-d2a0-7b19-a4c8-1f6e0d3b7a55", "status": "finished", …}
"""

_Watching = Annotated[Call, Depends(BackOffice(Permission.PORTAL_INVITE))]
_still_admitted = BackOffice(Permission.PORTAL_INVITE, counted=False)


class EventRoute(StrictRoute):
    """The framework's streams say `no-cache`; nothing of ours may be stored anywhere."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, its answers without that header: they get the one that all answers have."""
        handle = super().get_route_handler()

        async def unstored(request: Request) -> Response:
            answer = await handle(request)
            del answer.headers["Cache-Control"]
            return answer

        return unstored


router = APIRouter(prefix=PREFIX, tags=[TAG], route_class=EventRoute)


async def _watched(batch_id: BatchId, call: _Watching, services: Service) -> AsyncIterator[InvitationBatch]:
    """The batch, and a place among those who watch until the client is gone.

    Raises: ResourceNotFound, TemporarilyUnavailable.
    """
    batch = await services.invitation_batches.get(batch_id, call=call)
    with services.event_streams.one():
        yield batch


@router.get(
    "/{batchId}/events",
    operation_id="watchInvitationBatch",
    summary="Watch a batch",
    response_class=EventSourceResponse,
    responses=refusals(errors.ResourceNotFound, errors.TemporarilyUnavailable)
    | {200: {"content": {"text/event-stream": {"example": _STREAM}}}},
)
async def watch_invitation_batch(
    batch_id: BatchId,
    request: Request,
    call: _Watching,  # noqa: ARG001 - judged before the batch is looked for
    services: Service,
    batch: Annotated[InvitationBatch, Depends(_watched)],
) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events, each with the batch as its data: `progress` when something has changed, `end` when it has
    finished or was cancelled, and then the stream ends. Comments in between keep the connection open.

    A stream that breaks off without `end` can be asked for again.
    """
    shown: InvitationBatch | None = None
    while True:
        if batch != shown:
            yield _event(batch)
            shown = batch
        if not batch.running:
            return
        await asyncio.sleep(_SECONDS)
        try:
            batch = await services.invitation_batches.get(batch_id, call=await _still_admitted(request))
        except errors.TemporarilyUnavailable:
            continue
        except errors.PortalError:
            return


def _event(batch: InvitationBatch) -> ServerSentEvent:
    data = InvitationBatchBody.of(batch).model_dump_json(by_alias=True)
    return ServerSentEvent(event="progress" if batch.running else "end", raw_data=data)
