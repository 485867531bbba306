"""Impersonation: logging in to the portal as the customer."""

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Response

from app import errors
from app.domain.callers import Call
from app.domain.idempotency import Replay
from app.permissions import Permission
from app.routers.dependencies import (
    BackOffice,
    CustomerId,
    EndingImpersonation,
    Paging,
    Service,
    StartingImpersonation,
)
from app.routers.exporting import Export, Exporting
from app.routers.openapi import refusals
from app.routers.reading import StrictRoute
from app.schemas.base import PageBody
from app.schemas.impersonations import (
    ImpersonationBody,
    ImpersonationOverviewBody,
    StartedImpersonationBody,
    StartImpersonation,
)

router = APIRouter(prefix="/api/portal/v1", tags=["Back office: impersonation"], route_class=StrictRoute)

_OF_CUSTOMER = "/customers/{customerId}/portal/impersonation-sessions"
_Starting = Annotated[
    Call,
    Depends(StartingImpersonation(Permission.PORTAL_IMPERSONATE, answer=StartedImpersonationBody, status=201)),
]
_Ending = Annotated[Call, Depends(EndingImpersonation(Permission.PORTAL_IMPERSONATE, answer=ImpersonationBody))]
_Reading = Annotated[Call, Depends(BackOffice(Permission.PORTAL_READ))]
_LookingBack = Annotated[Call, Depends(BackOffice(Permission.PORTAL_ACTIVITY_READ))]
_EXPORT = Export("impersonation-sessions", ImpersonationOverviewBody, ImpersonationOverviewBody.of_overview)


@router.post(
    _OF_CUSTOMER,
    operation_id="startImpersonation",
    summary="Log in as the customer",
    status_code=201,
    responses=refusals(
        errors.CustomerDoesNotExist,
        errors.PortalNotEnabled,
        errors.PortalUrlMissing,
        errors.FeatureNotEnabled,
        errors.UserNotFound,
        errors.EmailNotConfirmed,
    ),
)
async def start_impersonation(
    customer_id: CustomerId, body: StartImpersonation, call: _Starting, services: Service
) -> StartedImpersonationBody:
    """Opens the portal as the customer for 15 minutes: follow `portalLoginUrl` within a minute.

    Your earlier session ends, with whichever customer. The customer's own sessions are left alone.
    """
    try:
        started = await services.impersonations.start(customer_id, body.impersonation(), call=call)
    except Replay as first:
        # The answer was kept without its link, which is signed again.
        kept = StartedImpersonationBody.model_validate_json(first.answer.body)
        hand_off = await services.impersonations.hand_off_again(kept.id, call=call)
        again = kept.model_copy(update={"portal_login_url": hand_off.portal_login_url if hand_off else None})
        raise Replay(replace(first.answer, body=again.model_dump_json(by_alias=True))) from None
    return StartedImpersonationBody.of(started.impersonation, started.hand_off.portal_login_url)


@router.get(
    _OF_CUSTOMER,
    operation_id="listImpersonations",
    summary="List who logged in as the customer",
    responses=refusals(errors.CustomerDoesNotExist),
)
async def list_impersonations(
    customer_id: CustomerId, call: _Reading, services: Service, page: Paging
) -> PageBody[ImpersonationBody]:
    """Newest first: by whom, why, until when, and how each ended."""
    return PageBody.of(await services.impersonations.page(customer_id, page, call=call), ImpersonationBody.of)


@router.post(
    _OF_CUSTOMER + "/{impersonationId}/end",
    operation_id="endImpersonation",
    summary="End an impersonation session",
    responses=refusals(errors.CustomerDoesNotExist, errors.ResourceNotFound),
)
async def end_impersonation(
    customer_id: CustomerId,
    impersonation_id: Annotated[
        UUID, Path(alias="impersonationId", description="Out of the list of impersonation sessions.")
    ],
    call: _Ending,
    services: Service,
) -> ImpersonationBody:
    """Ends your own session, or with `portal.impersonate` anybody's, at its next request. Twice answers the same."""
    return ImpersonationBody.of(await services.impersonations.end(customer_id, impersonation_id, call=call))


@router.get(
    "/organisation/impersonation-sessions",
    operation_id="listOrganisationImpersonations",
    summary="Look back on all impersonation sessions",
    response_model=PageBody[ImpersonationOverviewBody],
    responses=_EXPORT.responses(),
)
async def list_organisation_impersonations(
    call: _LookingBack, services: Service, page: Paging, wanted: Exporting
) -> PageBody[ImpersonationOverviewBody] | Response:
    """Newest first: who, whom, why, how long, and how many actions.

    `Accept: text/csv` or `application/x-ndjson` gives all of them as one file, whatever page is asked for. Should it
    fail midway, the connection breaks off: what ended properly is whole. In CSV an apostrophe stands before what a
    spreadsheet would calculate.
    """
    if wanted is not None:
        return await _EXPORT.answer(wanted, services.impersonations.all_of_organisation(call=call), services.clock())
    found = await services.impersonations.of_organisation(page, call=call)
    return PageBody.of(found, ImpersonationOverviewBody.of_overview)
