"""From domain errors to problem details (RFC 9457): the one table of statuses."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from app import errors
from app.domain.idempotency import Replay
from app.errors import FieldError, PortalError
from app.routers.walking import operations
from app.schemas.problems import FieldProblem, Problem

STATUSES: Mapping[type[PortalError], int] = MappingProxyType(
    {
        errors.OrganisationHeaderInvalid: 400,
        errors.TokenInvalid: 400,
        errors.Unauthenticated: 401,
        errors.SessionEnded: 401,
        errors.InvalidCredentials: 401,
        errors.PermissionInvalid: 403,
        errors.EmailNotConfirmedAtLogin: 403,
        errors.ImpersonationReadOnly: 403,
        errors.NotAllowedWhileImpersonating: 403,
        errors.CustomerDoesNotExist: 404,
        errors.ResourceNotFound: 404,
        errors.MethodNotAllowed: 405,
        errors.PortalNotEnabled: 409,
        errors.PortalUrlMissing: 409,
        errors.FeatureNotEnabled: 409,
        errors.UserHasNoEmailAddress: 409,
        errors.UserAlreadyExists: 409,
        errors.UserNotFound: 409,
        errors.EmailNotConfirmed: 409,
        errors.EmailAlreadyConfirmed: 409,
        errors.InvitationNotPending: 409,
        errors.CommunicationNotResendable: 409,
        errors.CustomerNumberRequired: 409,
        errors.RoleAlreadyExists: 409,
        errors.RoleInUse: 409,
        errors.RoleAlreadyAssigned: 409,
        errors.LastAdministrator: 409,
        errors.WebhookEndpointDisabled: 409,
        errors.TooManyWebhookEndpoints: 409,
        errors.IdempotencyInProgress: 409,
        errors.TokenDead: 410,
        errors.PayloadTooLarge: 413,
        errors.UnsupportedMediaType: 415,
        errors.ValidationFailed: 422,
        errors.NotAnEmailAddress: 422,
        errors.InvalidUrl: 422,
        errors.CustomerNumberMismatch: 422,
        errors.PasswordRefused: 422,
        errors.IdempotencyKeyReused: 422,
        errors.TooManyRequests: 429,
        errors.InternalError: 500,
        errors.TemporarilyUnavailable: 503,
    }
)

_BY_STATUS: Mapping[int, type[PortalError]] = MappingProxyType(
    {
        404: errors.ResourceNotFound,
        405: errors.MethodNotAllowed,
    }
)
_INPUT_KEYS: Mapping[str, type[PortalError]] = MappingProxyType(
    {kind.key: kind for kind in (errors.NotAnEmailAddress, errors.InvalidUrl)}
)
_RETRY_AFTER_SECONDS = "2"
CLEAR_SITE_DATA: Mapping[str, str] = MappingProxyType({"Clear-Site-Data": '"cache", "storage"'})


def status_of(error: PortalError | type[PortalError]) -> int:
    """The status for an error: its own, or that of the nearest ancestor in the table."""
    kind = error if isinstance(error, type) else type(error)
    return next(STATUSES[ancestor] for ancestor in kind.__mro__ if ancestor in STATUSES)


def install(app: FastAPI) -> None:
    """Answer every error of the application with problem details."""
    app.add_exception_handler(PortalError, _portal_error)
    app.add_exception_handler(Replay, _replay)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)


async def _portal_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, PortalError)
    return problem(request, error)


async def _replay(_request: Request, replay: Exception) -> Response:
    assert isinstance(replay, Replay)
    headers = {"Idempotency-Replayed": "true"}
    return Response(replay.answer.body, replay.answer.status, headers, media_type="application/json")


async def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return problem(request, input_refusal(error.errors()))


def input_refusal(faults: Sequence[Any]) -> PortalError:
    """The refusal of input, from what the validation found."""
    found = [_field_error(one) for one in faults]
    keys = {one.key for one in found}
    kind = _INPUT_KEYS.get(next(iter(keys)), errors.ValidationFailed) if len(keys) == 1 else errors.ValidationFailed
    return kind(errors=found)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kind = _BY_STATUS.get(error.status_code, errors.ValidationFailed)
    headers = {"Allow": ", ".join(_methods(request))} if kind is errors.MethodNotAllowed else {}
    return problem(request, kind(), headers)


def _methods(request: Request) -> list[str]:
    """Every method that the address takes; the framework names those of the first route only.

    Where an address has its own name and fits another's template as well, its name counts, as in the document.
    """
    path = request.url.path
    fitting = [(method, name) for method, name, route in operations(request.app) if route.path_regex.match(path)]
    named = {method for method, name in fitting if name == path}
    return sorted(named or {method for method, _ in fitting})


def _field_error(found: Any) -> FieldError:
    kind = str(found["type"])
    if kind == "json_invalid":
        return FieldError(
            "body", errors.ValidationFailed.key, str(found.get("ctx", {}).get("error", "This is not JSON"))
        )
    key = kind if kind.isupper() else errors.ValidationFailed.key
    return FieldError(_path(found["loc"]), key, _WORDS.get(kind, str(found["msg"])))


# The library's words for these speak of Python.
_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "missing": "This is needed",
        "extra_forbidden": "There is no such field here",
        "model_attributes_type": "This must be an object",
        "model_type": "This must be an object",
        "dict_type": "This must be an object",
        "list_type": "This must be a list",
        "string_type": "This must be a text",
        "bool_type": "This must be true or false",
        "bool_parsing": "This must be true or false",
        "int_type": "This must be a whole number",
        "int_parsing": "This must be a whole number",
        "uuid_parsing": "This must be a UUID",
        "uuid_type": "This must be a UUID",
        "timezone_aware": "The time needs a zone: Z or an offset such as +01:00",
    }
)


def _path(location: Sequence[Any]) -> str:
    """The field as a path in the body, or the parameter's name."""
    parts = [str(part) for part in location if part not in ("body", "query", "path", "header")]
    return ".".join(parts) or "body"


def _limit_headers(error: errors.TooManyRequests) -> dict[str, str]:
    """RFC 9110 section 10.2.3, and draft-ietf-httpapi-ratelimit-headers-10."""
    return {
        "Retry-After": str(error.wait),
        "RateLimit-Policy": f'"{error.limit}";q={error.most};w={error.seconds}',
        "RateLimit": f'"{error.limit}";r=0;t={error.wait}',
    }


def problem(request: Request, error: PortalError, headers: Mapping[str, str] | None = None) -> Response:
    """The answer for a refusal."""
    status = status_of(error)
    body = Problem(
        title=error.title,
        status=status,
        detail=error.detail,
        instance=request.url.path,
        key=error.key,
        correlation_id=request.state.correlation_id,
        solution=error.solution,
        errors=[FieldProblem(field=e.field, key=e.key, message=e.message) for e in error.errors]
        if status == 422
        else None,
    )
    more = dict(headers or {})
    if status == 401:
        more["WWW-Authenticate"] = "Bearer"
    if status == 503:
        more["Retry-After"] = _RETRY_AFTER_SECONDS
    if isinstance(error, errors.TooManyRequests):
        more |= _limit_headers(error)
    if isinstance(error, errors.LoggedOutByUtility):
        more |= CLEAR_SITE_DATA
    return Response(
        body.model_dump_json(by_alias=True, exclude={"errors"} if body.errors is None else None),
        status,
        more,
        media_type="application/problem+json",
    )
