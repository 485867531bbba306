"""The OpenAPI document: who may call what, which headers, every refusal with an example.

What the application knows by itself (its dependencies, the table of statuses) is read from it, so that the document
cannot lag behind.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from app import errors
from app.domain.impersonations import AccessMode, act_refusal
from app.errors import PortalError
from app.event_signatures import SIGNATURE_HEADER, TIMESTAMP_HEADER
from app.platform.signatures import SIGNATURE_HEADER as PLATFORM_SIGNATURE_HEADER
from app.routers.dependencies import (
    Anonymous,
    BackOffice,
    CountedByAddress,
    FindingPortal,
    LoggedIn,
    LoggingOut,
    SignedByMailProvider,
    SignedByPlatform,
    Visiting,
)
from app.routers.dependencies.queries import WITH_ACCOUNT
from app.routers.errors import status_of
from app.routers.examples import EXAMPLES
from app.routers.platform.refusals import is_refusal
from app.routers.platform.routing import PlatformRoute
from app.routers.walking import operations
from app.schemas.problems import FieldProblem, Problem

_EMPLOYEE, _TENANT, _ORGANISATION, _SESSION = "bearer", "tenant", "organisation", "portalSession"
_SIGNATURE, _TIMESTAMP = "mailProviderSignature", "mailProviderTimestamp"
_PLATFORM_SIGNATURE = "platformSignature"
_SCHEMES = {
    _EMPLOYEE: {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The token (JWT) of an employee or an application, without the word Bearer.",
    },
    _TENANT: {"type": "apiKey", "in": "header", "name": "zf-tuuid", "description": "The tenant's UUID."},
    _ORGANISATION: {"type": "apiKey", "in": "header", "name": "zf-ouuid", "description": "The organisation's UUID."},
    _SESSION: {
        "type": "http",
        "scheme": "bearer",
        "description": "The `accessToken` of logging in to the portal, as a customer or an employee acting as one.",
    },
    _SIGNATURE: {
        "type": "apiKey",
        "in": "header",
        "name": SIGNATURE_HEADER,
        "description": "ECDSA on P-256 with SHA-256 over timestamp and raw body, in base64.",
    },
    _TIMESTAMP: {"type": "apiKey", "in": "header", "name": TIMESTAMP_HEADER, "description": "Seconds since 1970."},
    _PLATFORM_SIGNATURE: {
        "type": "apiKey",
        "in": "header",
        "name": PLATFORM_SIGNATURE_HEADER,
        "description": "`sha256=` and the HMAC-SHA256 of the raw body in hexadecimal, or that alone.",
    },
}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "The same key and body within 24 hours gives the first answer again.",
}
_HEADERS = {
    "X-Correlation-Id": {
        "description": "The call's id in log and activities.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
    },
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}},
    "RateLimit-Policy": {"description": "The limit: calls (q) in seconds (w).", "schema": {"type": "string"}},
    "RateLimit": {"description": "What is left of it (r), and the seconds to more (t).", "schema": {"type": "string"}},
}
_REFERRED = {name: {"$ref": f"#/components/headers/{name}"} for name in _HEADERS}
_EVERYWHERE = {"X-Correlation-Id": _REFERRED["X-Correlation-Id"]}


Refusal = PortalError | type[PortalError]


def refusals(*kinds: Refusal) -> dict[int | str, dict[str, Any]]:
    """The responses of an operation that refuses with these errors: one per status, one example per key."""
    found: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        for one in concrete(kind):
            status = status_of(one)
            content = found.setdefault(status, _no_refusal(status))["content"]["application/problem+json"]
            content["examples"][one.key] = {"$ref": f"#/components/examples/{_example_name(one)}"}
            _EXAMPLES[_example_name(one)] = {"summary": one.title, "value": _example(one, status)}
    return found


# Each refusal's example stands in the document once; operations refer to it.
_EXAMPLES: dict[str, dict[str, Any]] = {}


def _example_name(kind: Refusal) -> str:
    """The key; with the status behind it where an error has its key from another one."""
    special = isinstance(kind, PortalError) or "key" not in vars(kind)
    return f"{kind.key}_{status_of(kind)}" if special else kind.key


def _no_refusal(status: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": _REASONS.get(status, "Refused."),
        "content": {"application/problem+json": {"schema": schema, "examples": {}}},
    }


CORRELATED = "0f3c9a52d1e84b6f"
_FASTAPIS = "Successful Response"
_DEEDS = {
    "200": "Done.",
    "201": "Created.",
    "202": "Accepted for later.",
    "204": "Done; there is nothing to tell.",
}
_REASONS = {
    400: "Malformed headers or link.",
    401: "Not authenticated.",
    403: "Not allowed.",
    404: "Not here.",
    409: "Not in this state.",
    410: "A genuine link that is dead.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "The input is wrong.",
    429: "Too many; wait.",
    500: "Our fault.",
    503: "Busy; try again.",
}


def concrete(kind: Refusal) -> Iterator[Refusal]:
    """The error itself, or all its kinds when it is only their parent."""
    if hasattr(kind, "key") or isinstance(kind, PortalError):
        yield kind
    else:
        for child in kind.__subclasses__():
            yield from concrete(child)


def _example(kind: Refusal, status: int) -> dict[str, Any]:
    body = Problem(
        title=kind.title,
        status=status,
        detail=kind.title,
        instance="/api/portal/v1/…",
        key=kind.key,
        correlation_id=CORRELATED,
        solution=kind.solution,
        errors=[FieldProblem(field="email", key=kind.key, message=kind.title)] if status == 422 else None,
    ).model_dump(by_alias=True)
    if status != 422:
        del body["errors"]
    return body


def install(app: FastAPI) -> None:
    """Let the application answer `/openapi.json` with the document described here."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's documented way


Guard = (
    BackOffice | Anonymous | FindingPortal | LoggedIn | LoggingOut | Visiting | SignedByMailProvider | SignedByPlatform
)


def guard(route: APIRoute) -> Guard | None:
    """Which kind of call an operation takes; None for the operators' own."""
    for dependency in route.dependant.dependencies:
        if isinstance(dependency.call, Guard):
            return dependency.call
    return None


def _document(app: FastAPI) -> dict[str, Any]:
    made = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        routes=app.routes,
        tags=app.openapi_tags,
    )
    components = made["components"]
    components["securitySchemes"] = _SCHEMES
    components["headers"] = _HEADERS
    for name in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(name, None)
    components["schemas"] |= _problem_schemas()
    for name in EXAMPLES.keys() & components["schemas"].keys():  # the captured mails' only where there are some
        components["schemas"][name]["examples"] = [EXAMPLES[name]]
    for method, path, route in operations(app):
        if route.include_in_schema:
            _describe(made["paths"][path][method.lower()], route)
    components["examples"] = dict(sorted(_EXAMPLES.items()))
    return made


def _problem_schemas() -> dict[str, Any]:
    schema = Problem.model_json_schema(by_alias=True, mode="serialization", ref_template="#/components/schemas/{model}")
    schema["required"].remove("errors")
    del schema["properties"]["errors"]["default"]
    return {**schema.pop("$defs"), "Problem": schema}


def _describe(operation: dict[str, Any], route: APIRoute) -> None:
    kind = guard(route)
    operation["security"] = []
    for given in (*operation.get("parameters", ()), *operation.get("requestBody", {}).get("content", {}).values()):
        _simplify(given["schema"])
    common: list[Refusal] = [errors.InternalError]
    if isinstance(kind, BackOffice):
        operation["security"] = [{_EMPLOYEE: [], _TENANT: [], _ORGANISATION: []}]
        operation["security"] += [{_EMPLOYEE: []}] * kind.headers_optional
        operation["description"] = (
            f"{operation.get('description', '')}\n\nNeeds the permission `{kind.permission}`{kind.otherwise}."
        )
        common += [errors.Unauthenticated, errors.OrganisationHeaderInvalid, errors.PermissionInvalid]
        if kind.counted:
            common.append(errors.TooManyRequests)
        if kind.answer is not None:
            operation.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)
            common += [errors.IdempotencyInProgress, errors.IdempotencyKeyReused]
    elif isinstance(kind, FindingPortal):
        operation["security"] = [{}, {_TENANT: [], _ORGANISATION: []}]
        common += [errors.OrganisationHeaderInvalid]
    elif isinstance(kind, Anonymous):
        operation["security"] = [{_TENANT: [], _ORGANISATION: []}]
        common += [errors.OrganisationHeaderInvalid]
    elif isinstance(kind, Visiting):
        operation["security"] = [{_SESSION: []}, {_TENANT: [], _ORGANISATION: []}]
        common += [errors.OrganisationHeaderInvalid, errors.Unauthenticated, errors.SessionEnded]
    elif isinstance(kind, LoggedIn | LoggingOut):
        operation["security"] = [{_SESSION: []}]
        common += [errors.Unauthenticated, errors.SessionEnded, errors.OrganisationHeaderInvalid]
        if isinstance(kind, LoggedIn):
            common.append(errors.PortalClosed)
            common += [refusal for mode in AccessMode if (refusal := act_refusal(kind.act, mode))]
    if any(isinstance(one.call, CountedByAddress) for one in route.dependant.dependencies):
        common.append(errors.TooManyRequests)
    if kind is not None:
        common.append(errors.TemporarilyUnavailable)
    if isinstance(kind, SignedByMailProvider | SignedByPlatform):
        mail = isinstance(kind, SignedByMailProvider)
        operation["security"] = [{_SIGNATURE: [], _TIMESTAMP: []} if mail else {_PLATFORM_SIGNATURE: []}]
        common += [errors.SignatureInvalid(), errors.PayloadTooLarge, errors.ValidationFailed]
    elif "requestBody" in operation:
        common += [errors.PayloadTooLarge, errors.UnsupportedMediaType, errors.ValidationFailed]
    elif operation.get("parameters"):
        common.append(errors.ValidationFailed)
    if isinstance(route, PlatformRoute):
        common = [one for one in common if not is_refusal(one)]
    _add_responses(operation["responses"], common)
    _choose_customer(operation)


def _choose_customer(operation: dict[str, Any]) -> None:
    """What works for a customer with an account is tried on one: the explorer fills in the first example."""
    contents = [content for answer in operation["responses"].values() for content in answer.get("content", {}).values()]
    if not any(errors.UserNotFound.key in content.get("examples", {}) for content in contents):
        return
    for parameter in operation.get("parameters", ()):
        if WITH_ACCOUNT in (samples := parameter.get("examples", {})):
            parameter["examples"] = {WITH_ACCOUNT: samples[WITH_ACCOUNT]} | samples


def _simplify(schema: dict[str, Any]) -> None:
    """What may be left out is not `required`, which is no null; and a title would repeat the name."""
    schema.pop("title", None)
    kinds = [kind for kind in schema.pop("anyOf", ()) if kind.get("type") != "null"]
    if len(kinds) == 1:
        schema |= kinds[0]
    elif kinds:
        schema["anyOf"] = kinds


def _add_responses(responses: dict[str, Any], common: Iterable[Refusal]) -> None:
    """The common refusals beside those that the operation declares itself."""
    if "422" in responses and "application/problem+json" not in responses["422"].get("content", {}):
        del responses["422"]
    for code, response in responses.items():
        if response["description"] == _FASTAPIS:
            response["description"] = _DEEDS[code]
    for status, refusal in refusals(*common).items():
        mine = responses.setdefault(str(status), _no_refusal(int(status)))
        mine["content"]["application/problem+json"]["examples"] |= refusal["content"]["application/problem+json"][
            "examples"
        ]
    for code, response in sorted(responses.items()):
        response.setdefault("headers", _REFERRED if code == "429" else _EVERYWHERE)
        responses[code] = responses.pop(code)
