"""The organisation's portal settings."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from app import errors
from app.domain.callers import Call
from app.permissions import Permission
from app.routers.dependencies import BackOffice, Service
from app.routers.openapi import refusals
from app.routers.reading import StrictRoute
from app.schemas.portal_settings import PortalSettingsBody, PortalSettingsGiven

router = APIRouter(
    prefix="/api/portal/v1/organisation/portal-settings", tags=["Back office: organisation"], route_class=StrictRoute
)


@router.get(
    "",
    operation_id="getPortalSettings",
    summary="Show the portal settings",
    responses=refusals(errors.ResourceNotFound),
)
async def get_portal_settings(
    call: Annotated[Call, Depends(BackOffice(Permission.PORTAL_SETTINGS_READ))], services: Service
) -> PortalSettingsBody:
    """The settings in force."""
    return PortalSettingsBody.of(await services.portal_settings.get(call=call))


@router.put(
    "",
    operation_id="putPortalSettings",
    summary="Create the organisation or replace its portal settings",
    response_description="Replaced.",
    responses=refusals(errors.ResourceNotFound, errors.InvalidUrl, errors.NotAnEmailAddress)
    | {201: {"model": PortalSettingsBody, "description": "The organisation was created."}},
)
async def put_portal_settings(
    body: PortalSettingsGiven,
    call: Annotated[Call, Depends(BackOffice(Permission.PORTAL_SETTINGS_WRITE))],
    services: Service,
    response: Response,
) -> PortalSettingsBody:
    """The first PUT creates the organisation. What is left out goes back to its default."""
    wanted = body.organisation(call.caller.tenant_id, call.organisation_id)
    settings, created = await services.portal_settings.put(wanted, call=call)
    response.status_code = 201 if created else 200
    return PortalSettingsBody.of(settings)
