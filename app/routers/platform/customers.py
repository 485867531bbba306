"""Customers, as the platform's front end and its integrations ask for them and act for them."""

from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query

from app import errors
from app.domain.callers import Call
from app.domain.idempotency import Replay
from app.permissions import Permission
from app.routers.dependencies import (
    BackOffice,
    PlatformCustomerId,
    SendingForPlatform,
    Service,
    StartingPlatformImpersonation,
)
from app.routers.platform.document import platform_refusals
from app.routers.platform.routing import PlatformRoute
from app.schemas.customers import AccountNumber
from app.schemas.platform_answers import DoneAnswer
from app.schemas.platform_customers import (
    FRONT_END,
    CustomerAnswer,
    HandOffAnswer,
    PlatformConfirmation,
    PlatformPortalDetails,
    PlatformReset,
)

router = APIRouter(prefix="/api/md/Customers", tags=["Platform: customers"], route_class=PlatformRoute)

_NUMBER: dict[str, Any] = {"description": "The customer number.", "examples": ["20019188"]}
_Reading = Annotated[Call, Depends(BackOffice(Permission.PORTAL_READ))]
_Inviting = Annotated[Call, Depends(BackOffice(Permission.PORTAL_INVITE, answer=CustomerAnswer))]
_Resetting = Annotated[Call, Depends(BackOffice(Permission.PORTAL_RESET_ACCOUNT, answer=CustomerAnswer))]
_Impersonating = Annotated[
    Call, Depends(StartingPlatformImpersonation(Permission.PORTAL_IMPERSONATE, answer=HandOffAnswer))
]
_SendingToJoin = Annotated[Call, Depends(SendingForPlatform(Permission.PORTAL_INVITE, answer=DoneAnswer))]
_SendingReset = Annotated[Call, Depends(SendingForPlatform(Permission.PORTAL_RESET_PASSWORD, answer=DoneAnswer))]


@router.get(
    "/ByAccountNumber",
    operation_id="findPlatformCustomer",
    summary="Find a customer by a number in the query",
    responses=platform_refusals(errors.CustomerDoesNotExist),
)
async def find_customer(
    call: _Reading,
    services: Service,
    account_number: Annotated[AccountNumber, Query(alias="customerAccountNumber", **_NUMBER)],
) -> CustomerAnswer:
    """The customer who has exactly this number."""
    return CustomerAnswer.of(await services.platform_customers.by_account_number(account_number, call=call))


@router.get(
    "/ByAccountNumber/{accountNumber}",
    operation_id="getPlatformCustomerByAccountNumber",
    summary="Find a customer by a number in the address",
    responses=platform_refusals(errors.CustomerDoesNotExist),
)
async def get_customer_by_account_number(
    call: _Reading,
    services: Service,
    account_number: Annotated[AccountNumber, Path(alias="accountNumber", **_NUMBER)],
) -> CustomerAnswer:
    """The same; a number with a slash in it needs the query."""
    return CustomerAnswer.of(await services.platform_customers.by_account_number(account_number, call=call))


@router.get(
    "/{customeruuid}",
    operation_id="getPlatformCustomer",
    summary="Show a customer",
    responses=platform_refusals(errors.CustomerDoesNotExist),
)
async def get_customer(customer_id: PlatformCustomerId, call: _Reading, services: Service) -> CustomerAnswer:
    """The record with its contracts, and the live account."""
    return CustomerAnswer.of(await services.platform_customers.get(customer_id, call=call))


@router.post(
    "/{customeruuid}/portal/impersonate",
    operation_id="impersonatePlatformCustomer",
    summary="Log in as the customer",
    responses=platform_refusals(
        errors.CustomerDoesNotExist,
        errors.PortalNotEnabled,
        errors.PortalUrlMissing,
        errors.FeatureNotEnabled,
        errors.UserNotFound,
        errors.EmailNotConfirmed,
    ),
)
async def impersonate(customer_id: PlatformCustomerId, call: _Impersonating, services: Service) -> HandOffAnswer:
    """Answers the token that the portal redeems within a minute; the session may only look, for 15 minutes."""
    try:
        started = await services.impersonations.start(customer_id, FRONT_END, call=call)
    except Replay as first:
        # The answer was kept with the impersonation's id in the token's place.
        kept = HandOffAnswer.model_validate_json(first.answer.body)
        hand_off = await services.impersonations.hand_off_again(UUID(kept.data), call=call)
        again = kept.model_copy(update={"data": hand_off.token if hand_off else None})
        raise Replay(replace(first.answer, body=again.model_dump_json(by_alias=True))) from None
    return HandOffAnswer(data=started.hand_off.token)


@router.post(
    "/{customeruuid}/portal/confirm",
    operation_id="confirmPlatformCustomer",
    summary="Confirm the account's address",
    responses=platform_refusals(errors.CustomerDoesNotExist, errors.TokenInvalid, errors.TokenDead),
)
async def confirm(
    customer_id: PlatformCustomerId, body: PlatformConfirmation, call: _Inviting, services: Service
) -> CustomerAnswer:
    """Spends the token out of the confirmation mail; the same one a second time answers the same."""
    token = body.confirm_account_token or ""
    return CustomerAnswer.of(await services.email_confirmations.confirm_for_platform(customer_id, token, call=call))


@router.post(
    "/{customeruuid}/portal/reset",
    operation_id="resetPlatformCustomer",
    summary="Reset the account",
    responses=platform_refusals(
        errors.CustomerDoesNotExist,
        errors.UserNotFound,
        errors.PortalNotEnabled,
        errors.PortalUrlMissing,
        errors.UserHasNoEmailAddress,
        errors.NotAnEmailAddress,
    ),
)
async def reset(
    customer_id: PlatformCustomerId, body: PlatformReset, call: _Resetting, services: Service
) -> CustomerAnswer:
    """Deletes the live account with all that hangs on it; with `sendCommunication` the customer is invited again."""
    return CustomerAnswer.of(
        await services.account_resets.reset_for_platform(customer_id, body.account_reset(), call=call)
    )


@router.post(
    "/{customeruuid}/portaldetails",
    operation_id="changePlatformPortalDetails",
    summary="Change the account's address",
    responses=platform_refusals(
        errors.CustomerDoesNotExist,
        errors.UserNotFound,
        errors.PortalNotEnabled,
        errors.PortalUrlMissing,
        errors.EmailAlreadyConfirmed,
        errors.NotAnEmailAddress,
    ),
)
async def change_portal_details(
    customer_id: PlatformCustomerId, body: PlatformPortalDetails, call: _Inviting, services: Service
) -> CustomerAnswer:
    """The new address has to be confirmed before the customer can log in; `sendCommunication` mails the link.

    Taking a confirmed address away needs `portal.resetaccount` too: sessions, impersonations and reset links end, and
    the old address is told.
    """
    return CustomerAnswer.of(await services.portal_details.change(customer_id, body.details(), call=call))


@router.post(
    "/{customeruuid}/send/portalconfirmation",
    operation_id="sendPlatformConfirmation",
    summary="Send the link that lets the customer in",
    responses=platform_refusals(
        errors.CustomerDoesNotExist,
        errors.PortalNotEnabled,
        errors.PortalUrlMissing,
        errors.EmailAlreadyConfirmed,
        errors.UserHasNoEmailAddress,
    ),
)
async def send_confirmation(customer_id: PlatformCustomerId, call: _SendingToJoin, services: Service) -> DoneAnswer:
    """A new confirmation for an account that waits for it; without an account an invitation."""
    try:
        sent = await services.email_confirmations.send(customer_id, None, call=call)
    except errors.UserNotFound:
        sent = await services.invitations.send(customer_id, None, None, call=call)
    return DoneAnswer.of(sent)


@router.post(
    "/{customeruuid}/send/portalresetpassword",
    operation_id="sendPlatformPasswordReset",
    summary="Send a password reset",
    responses=platform_refusals(
        errors.CustomerDoesNotExist,
        errors.PortalNotEnabled,
        errors.PortalUrlMissing,
        errors.UserNotFound,
        errors.EmailNotConfirmed,
    ),
)
async def send_password_reset(customer_id: PlatformCustomerId, call: _SendingReset, services: Service) -> DoneAnswer:
    """Mails a link to the account's address; every earlier one ends."""
    return DoneAnswer.of(await services.password_resets.send(customer_id, call=call))


@router.post(
    "/{customeruuid}/send/{subType}",
    operation_id="sendToPlatformCustomer",
    summary="Send something else",
    responses=platform_refusals(errors.CustomerDoesNotExist, errors.FeatureNotEnabled),
)
async def send_anything_else(
    customer_id: PlatformCustomerId,
    sub_type: Annotated[str, Path(alias="subType", description="Any other.")],  # noqa: ARG001 - whatever it is, it is sent elsewhere
    call: _SendingToJoin,
    services: Service,
) -> DoneAnswer:
    """Always refused: the platform's other communications are not sent from here."""
    await services.platform_customers.get(customer_id, call=call)
    raise errors.FeatureNotEnabled("This service sends portalconfirmation and portalresetpassword alone.")
