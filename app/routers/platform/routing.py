"""What the routes of the platform's existing calls have in common."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError

from app.errors import PortalError
from app.routers.errors import input_refusal
from app.routers.platform.refusals import answer_refused, is_refusal
from app.routers.reading import StrictRoute


class PlatformRoute(StrictRoute):
    """A route that refuses in the platform's envelope. Its clients call their JSON `text/json` too."""

    json_types = StrictRoute.json_types | {"text/json"}

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with refusals in the envelope."""
        handle = super().get_route_handler()

        async def enveloped(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as error:
                return answer_refused(request, input_refusal(error.errors()))
            except PortalError as error:
                if not is_refusal(error):
                    raise
                return answer_refused(request, error)

        return enveloped
