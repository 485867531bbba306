"""Every account known for a customer."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path

from app import errors
from app.domain.callers import Call
from app.permissions import Permission
from app.routers.dependencies import BackOffice, CustomerId, Paging, Service
from app.routers.openapi import refusals
from app.routers.reading import StrictRoute
from app.schemas.accounts import AccountBody, ImportAccount
from app.schemas.base import PageBody

router = APIRouter(
    prefix="/api/portal/v1/customers/{customerId}/portal/accounts",
    tags=["Back office: accounts"],
    route_class=StrictRoute,
)


@router.post(
    "",
    operation_id="importAccount",
    summary="Take over an account of an older system",
    status_code=201,
    responses=refusals(errors.CustomerDoesNotExist, errors.UserAlreadyExists, errors.NotAnEmailAddress),
)
async def import_account(
    customer_id: CustomerId,
    call: Annotated[Call, Depends(BackOffice(Permission.PORTAL_IMPORT, answer=AccountBody, status=201))],
    services: Service,
    body: ImportAccount,
) -> AccountBody:
    """Adds the account with its dates and, when given, the hash of its password, which no answer ever shows.

    A live one ends the customer's pending invitation; nobody is told by mail.
    """
    return AccountBody.of(await services.accounts.take_over(customer_id, body.imported_account(), call=call))


@router.get(
    "",
    operation_id="listAccounts",
    summary="List every account known for the customer",
    responses=refusals(errors.CustomerDoesNotExist),
)
async def list_accounts(
    customer_id: CustomerId,
    call: Annotated[Call, Depends(BackOffice(Permission.PORTAL_READ))],
    services: Service,
    page: Paging,
) -> PageBody[AccountBody]:
    """Imported duplicates too, the one registered last first."""
    return PageBody.of(await services.accounts.page(customer_id, page, call=call), AccountBody.of)


@router.post(
    "/{accountId}/reactivate",
    operation_id="reactivateAccount",
    summary="Make this account the live one",
    responses=refusals(errors.CustomerDoesNotExist, errors.ResourceNotFound, errors.UserNotFound),
)
async def reactivate_account(
    customer_id: CustomerId,
    account_id: Annotated[UUID, Path(alias="accountId", description="Out of the list of the customer's accounts.")],
    call: Annotated[Call, Depends(BackOffice(Permission.PORTAL_RESET_ACCOUNT, answer=AccountBody))],
    services: Service,
) -> AccountBody:
    """The customer logs in with this account from now on; the other is retired, sessions and links of both end.

    Of the account that is live already nothing changes.
    """
    return AccountBody.of(await services.accounts.reactivate(customer_id, account_id, call=call))
