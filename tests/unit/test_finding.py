"""Every operation of the API is found in one step."""

import pytest
from starlette.routing import Match

from app.ids import new_id
from app.main import create_app
from app.routers.finding import Index
from app.routers.walking import operations
from tests.support.service import test_settings

APP = create_app(test_settings())
OPERATIONS = [(method, path) for method, path, _ in operations(APP) if path.startswith("/api/")]
INDEX = next(route for route in APP.router.routes if isinstance(route, Index))


def _scope(method: str, path: str) -> dict[str, object]:
    return {"type": "http", "method": method, "path": path, "headers": []}


def _called(path: str) -> str:
    return "/".join(str(new_id()) if part.startswith("{") else part for part in path.split("/"))


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_an_operation_is_found_by_its_method_and_path(method: str, path: str) -> None:
    match, found = INDEX.matches(_scope(method, _called(path)))
    assert match is Match.FULL
    assert found["route"].path == path
    assert method in found["route"].methods


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "/api/portal/v1/customers/0199d8a0-0000-7000-8000-000000000010/portal"),
        ("GET", "/api/portal/v1/customers/not-an-id/portal"),
        ("GET", "/nowhere"),
        ("GET", ""),
    ],
)
def test_what_it_does_not_know_is_left_to_the_others(method: str, path: str) -> None:
    assert INDEX.matches(_scope(method, path)) == (Match.NONE, {})
