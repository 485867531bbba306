"""The API as this command calls it: patiently, and in the service's own words when it refuses."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from uuid import UUID

import httpx

_BATCHES = "/api/portal/v1/organisation/invitation-batches"
_PATIENCE = 60.0  # seconds that the service may be away
_PAUSE = 2.0
_AWAY = (429, 502, 503, 504)
_IN_PROGRESS = "IDEMPOTENCY_IN_PROGRESS"

_T = TypeVar("_T")


class InvitingFailed(Exception):
    """Why it ended; the text is for a person."""


class ServiceAway(InvitingFailed):
    """The service was there, and has not answered any more for as long as it was waited for."""


class BatchService:
    """Batches of invitations of one organisation."""

    def __init__(self, url: str, bearer: str, tenant: UUID, organisation: UUID) -> None:
        """Raises: InvitingFailed."""
        headers = {"Authorization": f"Bearer {bearer}", "zf-tuuid": str(tenant), "zf-ouuid": str(organisation)}
        self._url = url
        try:
            self._http = httpx.Client(base_url=url, headers=headers, timeout=60)
            address = self._http.base_url
        except httpx.InvalidURL:
            address = httpx.URL()
        if address.scheme not in ("http", "https") or not address.host:
            raise InvitingFailed(f"--url is wrong: {url} is no address such as https://portal-access.example.com.")
        self._met = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._http.close()

    def start(self, body: Mapping[str, Any], key: str) -> dict[str, Any]:
        """A new batch. However often it has to be sent with this key, it is one.

        Raises: InvitingFailed.
        """
        return self._patiently(self._body, "POST", _BATCHES, headers={"Idempotency-Key": key}, json=dict(body))

    def look(self, batch_id: str) -> dict[str, Any]:
        """The batch as it stands.

        Raises: InvitingFailed.
        """
        return self._patiently(self._body, "GET", f"{_BATCHES}/{batch_id}")

    def failed(self, batch_id: str, most: int) -> list[dict[str, Any]]:
        """The first customers who could not be invited.

        Raises: InvitingFailed.
        """
        query = {"outcome": "failed", "pageSize": str(most)}
        return list(self._patiently(self._body, "GET", f"{_BATCHES}/{batch_id}/results", params=query)["results"])

    def save_results(self, batch_id: str, path: Path) -> None:
        """All results, as CSV.

        Raises: InvitingFailed, OSError.
        """

        def save(answer: httpx.Response) -> None:
            with path.open("wb") as file:
                for part in answer.iter_bytes():
                    file.write(part)

        self._patiently(save, "GET", f"{_BATCHES}/{batch_id}/results", headers={"Accept": "text/csv"})

    def _patiently(self, read: Callable[[httpx.Response], _T], method: str, path: str, **given: Any) -> _T:
        """What is read of the answer. A service that was there once is asked again while it is away."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            problem, pause = f"Nothing answers at {self._url}.", _PAUSE
            try:
                with self._http.stream(method, path, **given) as answer:
                    self._met = True
                    if answer.is_success:
                        return read(answer)
                    answer.read()
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if not self._met:
                    raise InvitingFailed(f"{problem} Is --url right?") from None
            except httpx.TransportError:
                self._met = True
            else:
                problem, pause = _words(answer), _told_to_wait(answer)
                if answer.status_code not in _AWAY and _object(answer).get("key") != _IN_PROGRESS:
                    raise InvitingFailed(problem)
            left = deadline - time.monotonic()
            if left <= 0:
                raise ServiceAway(problem)
            time.sleep(min(pause, left))

    def _body(self, answer: httpx.Response) -> dict[str, Any]:
        answer.read()
        if not (body := _object(answer)):
            raise InvitingFailed(f"What answers at {self._url} is not Portal Access. Is --url right?")
        return body


def _told_to_wait(answer: httpx.Response) -> float:
    told = answer.headers.get("retry-after", "")
    return float(told) if told.isdecimal() else _PAUSE


def _object(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _words(answer: httpx.Response) -> str:
    """What the service says: what was wrong, where, and what to do."""
    problem = _object(answer)
    if "detail" not in problem:
        return f"The service answered {answer.status_code}."
    fields = [f"{error['field']}: {error['message']}." for error in problem.get("errors") or ()]
    return " ".join([f"{str(problem['detail']).rstrip('.')}.", *fields, str(problem.get("solution", ""))]).strip()
