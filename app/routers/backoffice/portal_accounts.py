"""Portal accounts across customers."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from app.domain.accounts import PortalStatus
from app.domain.callers import Call
from app.domain.portal_accounts import PortalAccountFilter
from app.permissions import Permission
from app.routers.dependencies import BackOffice, Paging, Service
from app.routers.reading import StrictRoute
from app.schemas.base import Moment, PageBody
from app.schemas.portal_accounts import PortalAccountBody, SearchText

router = APIRouter(
    prefix="/api/portal/v1/organisation/portal-accounts", tags=["Back office: adoption"], route_class=StrictRoute
)


async def portal_account_filter(
    status: Annotated[
        PortalStatus | None,
        Query(
            alias="portalStatus",
            description="Live accounts of this status; `noaccount`: customers who have no live account. "
            "Absent: every account, retired ones too.",
        ),
    ] = None,
    invited_before: Annotated[
        Moment | None, Query(alias="invitedBefore", description="The newest invitation was sent before this.")
    ] = None,
    last_active_before: Annotated[
        Moment | None,
        Query(
            alias="lastActiveBefore",
            description="Last used before this; an account that nobody has used counts from its registration.",
        ),
    ] = None,
    q: Annotated[
        SearchText | None,
        Query(
            description="The beginning of the customer number, of the name or its last word, or of an e-mail address, "
            "the account's or the customer's; capitals do not matter."
        ),
    ] = None,
) -> PortalAccountFilter:
    """Which accounts are asked for."""
    return PortalAccountFilter(status, invited_before, last_active_before, q)


@router.get("", operation_id="listPortalAccounts", summary="List portal accounts across customers")
async def list_portal_accounts(
    call: Annotated[Call, Depends(BackOffice(Permission.PORTAL_READ))],
    services: Service,
    page: Paging,
    only: Annotated[PortalAccountFilter, Depends(portal_account_filter)],
) -> PageBody[PortalAccountBody]:
    """The one registered last first; customers without account by when they were told of here. All filters given must
    match."""
    return PageBody.of(await services.portal_accounts.page(page, only, call=call), PortalAccountBody.of)
