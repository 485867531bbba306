"""Finding the operation of a request in one step, instead of trying all of them in turn for every request."""

from collections.abc import Iterable

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

_ID = 36  # characters of a UUID, which is what most parameters are


class Index(BaseRoute):
    """Stands before the operations. What it does not know, or what does not fit after all, is tried in turn."""

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self._routes: dict[tuple[str, str], APIRoute] = {}
        for route in routes:
            if isinstance(route, APIRoute):
                for method in route.methods or ():
                    self._routes.setdefault((method, _shape(route.path)), route)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether the operation of this method and of a path like this is the one."""
        if scope["type"] != "http":
            return Match.NONE, {}
        route = self._routes.get((scope["method"], _shape(scope["path"])))
        return route.matches(scope) if route else (Match.NONE, {})

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand over to the operation that was found."""
        await scope["route"].handle(scope, receive, send)


def _shape(path: str) -> str:
    """The path without its ids and parameters."""
    return "/".join("" if len(part) == _ID or part.startswith("{") else part for part in path.split("/"))
