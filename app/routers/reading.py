"""The one place where bodies come in: bounded, and as JSON read strictly.

FastAPI by itself accepts duplicate keys, NaN, lone surrogates and NUL; here they are refused, and a body of
another type is told so instead of being taken for text. Its own limit of bodies answers in plain text from outside
the application, so the limit stands here as well.
"""

import json
import math
import re
from collections.abc import Callable, Coroutine
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute
from starlette.types import Scope

from app.errors import FieldError, PayloadTooLarge, UnsupportedMediaType, ValidationFailed

LARGEST_BODY = 64 * 1024

_ESCAPES = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_DEEPEST = 32
_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"


class StrictRequest(Request):
    """A request whose body is bounded and whose JSON is read strictly."""

    largest_body = LARGEST_BODY

    async def body(self) -> bytes:
        """The body, refused as soon as it is known to be too large.

        Raises: PayloadTooLarge.
        """
        if not hasattr(self, "_body"):
            announced = self.headers.get("content-length", "")
            if announced.isdigit() and int(announced) > self.largest_body:
                raise PayloadTooLarge(f"A body may have {self.largest_body} bytes at most.")
            received = bytearray()
            async for chunk in self.stream():
                received += chunk
                if len(received) > self.largest_body:
                    raise PayloadTooLarge(f"A body may have {self.largest_body} bytes at most.")
            self._body = bytes(received)
        return self._body

    async def json(self) -> Any:
        """The body; raises json.JSONDecodeError, which becomes a 422."""
        if not hasattr(self, "_json"):
            self._json = strict_json(await self.body())
        return self._json


def strict_json(body: bytes) -> Any:
    """A JSON document in UTF-8 without duplicate keys, NaN, NUL, lone surrogates or absurd depth.

    Raises: json.JSONDecodeError.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise json.JSONDecodeError("The body is not UTF-8", "", 0) from None
    if body.count(b"[") + body.count(b"{") > _DEEPEST and _depth(text) > _DEEPEST:
        raise json.JSONDecodeError(f"The body is nested more than {_DEEPEST} levels deep", "", 0)
    try:
        value = json.loads(text, object_pairs_hook=_no_duplicates, parse_constant=_no_constant, parse_float=_finite)
    except json.JSONDecodeError:
        raise
    except ValueError:  # a number of thousands of digits
        raise json.JSONDecodeError("A number is too long", "", 0) from None
    if _ESCAPES.search(body) or b"\x00" in body:
        _check_text(value)
    return value


def _depth(text: str) -> int:
    """How deep brackets nest outside strings."""
    deepest = depth = 0
    inside = escaped = False
    for character in text:
        if inside:
            inside = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            inside = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise json.JSONDecodeError("A field occurs twice in one object", "", 0)
    return fields


def _no_constant(name: str) -> Any:
    raise json.JSONDecodeError(f"{name} is not JSON", "", 0)


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise json.JSONDecodeError("A number is too large", "", 0)
    return number


def _check_text(value: Any) -> None:
    if isinstance(value, str):
        if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
            raise json.JSONDecodeError("A text holds NUL or half of a surrogate pair", "", 0)
    elif isinstance(value, dict):
        for name, inner in value.items():
            _check_text(name)
            _check_text(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_text(inner)


class StrictRoute(APIRoute):
    """A route that reads its body strictly; a route with larger bodies, or others that are JSON, is a class of its own.

    What is called `application/…+json` is JSON everywhere.
    """

    largest_body = LARGEST_BODY
    json_types = frozenset({_JSON})

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, given a strict request."""
        handle = super().get_route_handler()
        expects_body = self.body_field is not None

        async def strict(request: Request) -> Response:
            if expects_body:
                _check_media_type(request, self.json_types)
            own = StrictRequest(_called_json(request, self.json_types), request.receive)
            own.largest_body = self.largest_body
            if expects_body:
                await own.body()  # here, for FastAPI would turn our refusal into one of its own
            return await handle(own)

        return strict


async def token_form(request: Request) -> str:
    """The token of an introspection (RFC 7662, section 2.1): a form, read as strictly as JSON.

    Raises: UnsupportedMediaType, PayloadTooLarge, ValidationFailed.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise UnsupportedMediaType(f"This call takes a form: send it with 'Content-Type: {_FORM}'.")
    try:
        pairs = parse_qsl((await request.body()).decode("ascii"), True, True, errors="strict", max_num_fields=2)
    except ValueError:
        raise ValidationFailed(errors=[FieldError("body", ValidationFailed.key, "This is not such a form")]) from None
    fields = dict(pairs)
    for name in fields.keys() - {"token", "token_type_hint"}:
        raise ValidationFailed(errors=[FieldError(name, ValidationFailed.key, "There is no such field here")])
    if len(fields) != len(pairs) or not fields.get("token"):
        raise ValidationFailed(errors=[FieldError("token", ValidationFailed.key, "This is needed, once")])
    return fields["token"]


TokenForm = Annotated[str, Depends(token_form)]


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _check_media_type(request: Request, json_types: frozenset[str]) -> None:
    """Raises: UnsupportedMediaType, for a body that does not say it is JSON."""
    headers = request.headers
    if "content-type" not in headers:
        if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
            return
    else:
        media_type = _media_type(request)
        if media_type in json_types or (media_type.startswith("application/") and media_type.endswith("+json")):
            return
    raise UnsupportedMediaType


def _called_json(request: Request, json_types: frozenset[str]) -> Scope:
    """The request's scope; JSON by another of the route's names goes by the one that the framework knows."""
    if _media_type(request) not in json_types - {_JSON}:
        return request.scope
    headers = [(name, value) for name, value in request.scope["headers"] if name != b"content-type"]
    return {**request.scope, "headers": [*headers, (b"content-type", _JSON.encode())]}
