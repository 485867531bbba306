"""Invitation batches."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Response

from app import errors
from app.domain.callers import Call
from app.domain.invitation_batches import BatchOutcome
from app.permissions import Permission
from app.routers.dependencies import BackOffice, Paging, Service
from app.routers.exporting import Export, Exporting
from app.routers.openapi import refusals
from app.routers.reading import StrictRoute
from app.schemas.base import PageBody
from app.schemas.invitation_batches import BatchResultBody, InvitationBatchBody, StartInvitationBatch

PREFIX = "/api/portal/v1/organisation/invitation-batches"
TAG = "Partners: invitation batches"


class StartingRoute(StrictRoute):
    """100,000 ids are 4 MB."""

    largest_body = 5 * 1024 * 1024


starting = APIRouter(prefix=PREFIX, tags=[TAG], route_class=StartingRoute)
router = APIRouter(prefix=PREFIX, tags=[TAG], route_class=StrictRoute)

BatchId = Annotated[UUID, Path(alias="batchId", description="Which batch.")]
_Starting = Annotated[Call, Depends(BackOffice(Permission.PORTAL_INVITE, answer=InvitationBatchBody, status=201))]
_Cancelling = Annotated[Call, Depends(BackOffice(Permission.PORTAL_INVITE, answer=InvitationBatchBody))]
_Reading = Annotated[Call, Depends(BackOffice(Permission.PORTAL_INVITE))]
_EXPORT = Export("invitation-batch", BatchResultBody, BatchResultBody.of)


@starting.post(
    "",
    operation_id="startInvitationBatch",
    summary="Invite many customers",
    status_code=201,
    responses=refusals(errors.PortalNotEnabled, errors.PortalUrlMissing),
)
async def start_invitation_batch(body: StartInvitationBatch, call: _Starting, services: Service) -> InvitationBatchBody:
    """Takes up to 100,000 customers and answers at once; they are invited one after another, at a pace that mail
    servers bear.

    Each gets the same invitation as from the card, and a result. Who has an account is skipped. The mails are
    automatic ones: where the organisation has switched those off, they are not sent.
    """
    return InvitationBatchBody.of(await services.invitation_batches.start(body.new, call=call))


@router.get(
    "/{batchId}",
    operation_id="getInvitationBatch",
    summary="See how far a batch is",
    responses=refusals(errors.ResourceNotFound),
)
async def get_invitation_batch(batch_id: BatchId, call: _Reading, services: Service) -> InvitationBatchBody:
    """Status and counts."""
    return InvitationBatchBody.of(await services.invitation_batches.get(batch_id, call=call))


@router.get(
    "/{batchId}/results",
    operation_id="listInvitationBatchResults",
    summary="See what became of each customer",
    response_model=PageBody[BatchResultBody],
    responses=refusals(errors.ResourceNotFound) | _EXPORT.responses(),
)
async def list_invitation_batch_results(
    batch_id: BatchId,
    call: _Reading,
    services: Service,
    page: Paging,
    wanted: Exporting,
    outcome: Annotated[BatchOutcome | None, Query(description="Only those with this outcome.")] = None,
) -> PageBody[BatchResultBody] | Response:
    """In the order in which they were asked for.

    `Accept: text/csv` or `application/x-ndjson` gives all of them as one file, whatever page is asked for.
    """
    if wanted is not None:
        everything = services.invitation_batches.all_results(batch_id, outcome, call=call)
        return await _EXPORT.answer(wanted, everything, services.clock())
    found = await services.invitation_batches.results(batch_id, outcome, page, call=call)
    return PageBody.of(found, BatchResultBody.of)


@router.post(
    "/{batchId}/cancel",
    operation_id="cancelInvitationBatch",
    summary="Stop a batch",
    responses=refusals(errors.ResourceNotFound),
)
async def cancel_invitation_batch(batch_id: BatchId, call: _Cancelling, services: Service) -> InvitationBatchBody:
    """Nobody else is invited; who was not yet stays `pending`, who was keeps the invitation.

    A batch that has ended stays as it is: cancelling twice answers the same.
    """
    return InvitationBatchBody.of(await services.invitation_batches.cancel(batch_id, call=call))
