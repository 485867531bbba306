"""Portal settings, as the portal reads them before anyone logs in and the platform's front end changes them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import AfterValidator

from app import errors
from app.domain.callers import Call
from app.domain.public_portal import PortalPage
from app.errors import FieldError
from app.permissions import Permission
from app.routers.dependencies import AnyPortal, BackOffice, Service
from app.routers.platform.document import platform_refusals
from app.routers.platform.routing import PlatformRoute
from app.schemas.base import printable
from app.schemas.platform_settings import PlatformNotification, PlatformSettingsGiven, SettingsAnswer

router = APIRouter(prefix="/api/cfg/PortalSettings", tags=["Platform: portal settings"], route_class=PlatformRoute)

_Writing = Annotated[Call, Depends(BackOffice(Permission.PORTAL_SETTINGS_WRITE, answer=SettingsAnswer))]
_PortalUrl = Annotated[
    str | None,
    Query(alias="portalUrl", min_length=1, max_length=500, description="Where the portal is found."),
    AfterValidator(lambda value: value if value is None else printable(value)),
]


@router.get(
    "",
    operation_id="getPlatformPortalSettings",
    summary="Show a portal's settings",
    responses=platform_refusals(errors.ResourceNotFound),
)
async def get_portal_settings(place: AnyPortal, services: Service, portal_url: _PortalUrl = None) -> SettingsAnswer:
    """Of the organisation whose portal is found at `portalUrl`; with the headers, of the one that they name."""
    if portal_url is None and place.organisation_id is None:
        raise errors.ValidationFailed(
            errors=[FieldError("portalUrl", errors.ValidationFailed.key, "This is needed, or the organisation headers")]
        )
    return SettingsAnswer.of(await services.portal_settings.of_portal(place, portal_url))


@router.post(
    "",
    operation_id="changePlatformPortalSettings",
    summary="Change portal settings",
    responses=platform_refusals(errors.ResourceNotFound, errors.InvalidUrl, errors.NotAnEmailAddress),
)
async def change_portal_settings(call: _Writing, body: PlatformSettingsGiven, services: Service) -> SettingsAnswer:
    """Each setting that is given is replaced whole; what is left out stays as it is. All settings afterwards."""
    return SettingsAnswer.of(await services.portal_settings.adjust(body.put_into, call=call))


@router.post(
    "/notification",
    operation_id="putPlatformPageNotification",
    summary="Put a notification on a page",
    responses=platform_refusals(errors.ResourceNotFound),
)
async def put_page_notification(call: _Writing, body: PlatformNotification, services: Service) -> SettingsAnswer:
    """In place of the page's one before; the portal shows it at its next request."""
    return SettingsAnswer.of(await services.portal_settings.adjust(body.put_into, call=call))


@router.post(
    "/notification/{pageIdentifier}/delete",
    operation_id="deletePlatformPageNotification",
    summary="Take a page's notification away",
    responses=platform_refusals(errors.ResourceNotFound),
)
async def delete_page_notification(
    call: _Writing,
    page: Annotated[PortalPage, Path(alias="pageIdentifier", description="Which page.")],
    services: Service,
) -> SettingsAnswer:
    """A page without one stays as it is."""
    return SettingsAnswer.of(
        await services.portal_settings.adjust(lambda known: known.without_notification(page), call=call)
    )
