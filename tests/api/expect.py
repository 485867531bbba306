"""What every refusal looks like (contract section 2)."""

import re
from typing import Any

import httpx

CORRELATION_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_WORDS = ("type", "title", "detail", "instance", "key", "correlationId", "solution")


def problem(answer: httpx.Response, status: int, key: str) -> dict[str, Any]:
    """The refusal's body, once all of its fields are as they should be."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].split(";")[0] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["key"] == key, body
    assert body["status"] == status
    for name in _WORDS:
        assert isinstance(body[name], str), name
        assert body[name], name
    assert body["instance"] == answer.request.url.path
    assert body["correlationId"] == answer.headers["x-correlation-id"]
    assert ("errors" in body) == (status == 422), body
    for error in body.get("errors", ()):
        assert set(error) == {"field", "key", "message"}
    assert ("www-authenticate" in answer.headers) == (status == 401)
    return body


def fields(body: dict[str, Any]) -> set[str]:
    """The fields that a 422 complains about."""
    return {error["field"] for error in body["errors"]}
