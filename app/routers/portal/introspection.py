"""Telling other services of the platform who a portal session is (RFC 7662)."""

from typing import Annotated

from fastapi import APIRouter, Depends

from app import errors
from app.domain.callers import Call
from app.permissions import Permission
from app.routers.dependencies import BackOffice, Service
from app.routers.openapi import refusals
from app.routers.reading import StrictRoute, TokenForm
from app.schemas.introspection import IntrospectionBody

router = APIRouter(prefix="/api/portal/v1/portal/sessions", tags=["Partners: sessions"], route_class=StrictRoute)

_FORM = {
    "required": True,
    "content": {
        "application/x-www-form-urlencoded": {
            "schema": {
                "type": "object",
                "required": ["token"],
                "properties": {
                    "token": {"type": "string", "minLength": 1},
                    "token_type_hint": {"type": "string", "description": "Taken, and of no consequence."},
                },
                "additionalProperties": False,
            },
            "example": {"token": "zfp_AZnYoAAAcACAAAAAAAAAAgGiBJ3…"},
        }
    },
}


@router.post(
    "/introspect",
    operation_id="introspectSession",
    summary="See who a portal session is",
    response_model_exclude_none=True,
    openapi_extra={"requestBody": _FORM},
    responses=refusals(errors.UnsupportedMediaType, errors.PayloadTooLarge, errors.ValidationFailed),
)
async def introspect_session(
    call: Annotated[Call, Depends(BackOffice(Permission.PORTAL_INTROSPECT, counted=False))],
    token: TokenForm,
    services: Service,
) -> IntrospectionBody:
    """For services that are given a session's `accessToken`: the customer behind it, and the employee acting as them.

    Whatever is no live session of this organisation is inactive. Asking does not keep a session alive.
    """
    return IntrospectionBody.of(await services.sessions.introspect(token, call=call))
