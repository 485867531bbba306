"""Where secrets may stand: in bodies that whoever owns them sends, and nowhere else."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from app.main import create_app
from tests.support.service import test_settings

_SECRET = re.compile(r"token|password|secret|authorization|apikey", re.IGNORECASE)
# A page's cursor is no secret; a hash of an older system comes in with its account, and never out again.
_NO_SECRET = {"continuationToken", "nextPageToken", "passwordHash", "passwordResetMinutes", "pendingPasswordReset"}
DOCUMENT: dict[str, Any] = create_app(test_settings(database_url="postgresql://nobody@127.0.0.1:1/none")).openapi()


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every operation: its method, its path, and what the document says of it."""
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def fields(part: Any, seen: frozenset[str] = frozenset()) -> Iterator[str]:
    """The names of all fields that a part of the document can hold, however deep."""
    if isinstance(part, list):
        for one in part:
            yield from fields(one, seen)
    elif isinstance(part, dict):
        reference = part.get("$ref")
        if isinstance(reference, str) and reference not in seen:
            _, _, kind, name = reference.split("/")
            yield from fields(DOCUMENT["components"][kind][name], seen | {reference})
        yield from (name for name, held in part.get("properties", {}).items() if held.get("type") != "null")
        for key, value in part.items():
            if key not in ("example", "examples", "default"):
                yield from fields(value, seen)


def secrets(part: Any) -> set[str]:
    return {name for name in fields(part) if _SECRET.search(name)} - _NO_SECRET


@pytest.mark.asvs("14.2.1")
def test_no_operation_takes_a_secret_in_its_path_or_query() -> None:
    assert len(list(operations())) > 50
    given = {
        (parameter["name"], path)
        for _, path, operation in operations()
        for parameter in operation.get("parameters", [])
        if parameter["in"] in ("path", "query") and _SECRET.search(parameter["name"])
    }
    assert {name for name, _ in given} <= _NO_SECRET


@pytest.mark.asvs("6.4.6")
def test_no_employee_ever_chooses_or_sees_a_password() -> None:
    """Of the back office's operations; what a body could hold beside is refused as unknown."""
    held = {
        (path, name)
        for _, path, operation in operations()
        if not path.startswith("/api/portal/v1/portal/")
        for name in secrets([operation.get("requestBody"), operation["responses"]])
        if "password" in name.lower()
    }
    ignored = ("/api/md/Customers/{customeruuid}/portaldetails", "resetPasswordToken")
    assert held == {ignored}, "the platform has always sent it; it is never read"
