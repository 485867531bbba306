"""Walking through the application's operations."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute


def operations(app: FastAPI) -> Iterator[tuple[str, str, APIRoute]]:
    """Every operation of the application: method, path and route."""
    for context in app.router.routes:
        yield from _flat(context)


def _flat(route: Any) -> Iterator[tuple[str, str, APIRoute]]:
    if isinstance(route, APIRoute):
        for method in sorted(route.methods or ()):
            yield method, route.path, route
    elif (router := getattr(route, "original_router", None)) is not None:
        for inner in router.routes:
            yield from _flat(inner)
