"""How the platform's existing calls refuse: in its own envelope, with the keys that its clients know.

What is no refusal of the deed itself looks as it does everywhere: who calls, where, whether there is such a customer.
"""

from collections.abc import Mapping
from types import MappingProxyType

from fastapi import Request, Response

from app import errors
from app.errors import PortalError
from app.routers.errors import status_of
from app.schemas.platform_answers import MessageValue, PlatformMessage, Refused

STATUS = 400

_KEYS: Mapping[str, str] = MappingProxyType(
    {
        errors.PortalNotEnabled.key: "FEATURE_NOT_YET_AVAILABLE",
        errors.FeatureNotEnabled.key: "FEATURE_NOT_YET_AVAILABLE",
        errors.EmailNotConfirmed.key: "EMAIL_CANNOT_BE_CHANGED",
        errors.EmailAlreadyConfirmed.key: "EMAIL_CANNOT_BE_CHANGED",
    }
)
_REFUSED_WITH = frozenset({400, 409, 410, 422})
# Whoever sends an Idempotency-Key goes by section 2, and whoever leaves the organisation open by section 11.
_AS_EVERYWHERE = (errors.OrganisationHeaderInvalid, errors.IdempotencyInProgress, errors.IdempotencyKeyReused)


def is_refusal(error: PortalError | type[PortalError]) -> bool:
    """Whether the error goes into the envelope."""
    kind = error if isinstance(error, type) else type(error)
    return not issubclass(kind, _AS_EVERYWHERE) and status_of(error) in _REFUSED_WITH


def platform_key(key: str) -> str:
    """The key that the platform's clients know."""
    return "CONFIRMATION_TOKEN_MISSING" if key.startswith("TOKEN_") else _KEYS.get(key, key)


def refused(error: PortalError | type[PortalError], correlation_id: str) -> Refused:
    """The envelope of a refusal: a message for each wrong field, or one for the whole."""
    one = error() if isinstance(error, type) else error
    messages = [
        PlatformMessage(
            key=platform_key(field.key),
            correlation_id=correlation_id,
            message=f"{field.field}: {field.message}",
            message_values=[MessageValue(data_type="string", value=field.field, capitalize=False)],
        )
        for field in one.errors
    ]
    whole = PlatformMessage(
        key=platform_key(one.key),
        correlation_id=correlation_id,
        message=f"{one.detail.rstrip('.')}. {one.solution}",
        message_values=[],
    )
    return Refused(errors=messages or [whole])


def answer_refused(request: Request, error: PortalError) -> Response:
    """The answer for a refusal."""
    body = refused(error, request.state.correlation_id)
    return Response(body.model_dump_json(by_alias=True), STATUS, media_type="application/json")
