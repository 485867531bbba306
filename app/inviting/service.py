"""The API as this command calls it: patiently, and in the service's own words when it refuses."""

import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID, uuid4

import httpx

_BATCHES = "/api/portal/v1/organisation/invitation-batches"
_PATIENCE = 60.0  # seconds that the service may be away
_PAUSE = 2.0
_AWAY = (429, 502, 503, 504)
_IN_PROGRESS = "IDEMPOTENCY_IN_PROGRESS"


class InvitingFailed(Exception):
    """Why it ended; the text is for a person."""


class BatchService:
    """Batches of invitations of one organisation."""

    def __init__(self, url: str, bearer: str, tenant: UUID, organisation: UUID) -> None:
        headers = {"Authorization": f"Bearer {bearer}", "zf-tuuid": str(tenant), "zf-ouuid": str(organisation)}
        self._url = url
        self._http = httpx.Client(base_url=url, headers=headers, timeout=60)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._http.close()

    def start(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """A new batch. However often it has to be sent, it is one.

        Raises: InvitingFailed.
        """
        return self._answer("POST", _BATCHES, headers={"Idempotency-Key": str(uuid4())}, json=dict(body))

    def look(self, batch_id: str) -> dict[str, Any]:
        """The batch as it stands.

        Raises: InvitingFailed.
        """
        return self._answer("GET", f"{_BATCHES}/{batch_id}")

    def failed(self, batch_id: str, most: int) -> list[dict[str, Any]]:
        """The first customers who could not be invited.

        Raises: InvitingFailed.
        """
        query = {"outcome": "failed", "pageSize": str(most)}
        return list(self._answer("GET", f"{_BATCHES}/{batch_id}/results", params=query)["results"])

    def save_results(self, batch_id: str, path: Path) -> None:
        """All results, as CSV.

        Raises: InvitingFailed, OSError.
        """
        try:
            with (
                self._http.stream("GET", f"{_BATCHES}/{batch_id}/results", headers={"Accept": "text/csv"}) as answer,
                path.open("wb") as file,
            ):
                if answer.is_error:
                    answer.read()
                    raise InvitingFailed(_words(answer))
                for part in answer.iter_bytes():
                    file.write(part)
        except httpx.TransportError:
            raise InvitingFailed(f"The connection to {self._url} broke off: {path} is not whole.") from None

    def _answer(self, method: str, path: str, **given: Any) -> dict[str, Any]:
        """The body, once the service has answered; while it is away it is asked again."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            answer: httpx.Response | None = None
            try:
                answer = self._http.request(method, path, **given)
            except httpx.TransportError:
                pass
            if answer is not None and answer.is_success:
                found: dict[str, Any] = answer.json()
                return found
            if answer is not None and answer.status_code not in _AWAY and _key(answer) != _IN_PROGRESS:
                raise InvitingFailed(_words(answer))
            if time.monotonic() > deadline:
                raise InvitingFailed(_words(answer) if answer is not None else f"Nothing answers at {self._url}.")
            time.sleep(_wait(answer))


def _wait(answer: httpx.Response | None) -> float:
    told = answer.headers.get("retry-after", "") if answer is not None else ""
    return float(told) if told.isdigit() else _PAUSE


def _problem(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _key(answer: httpx.Response) -> object:
    return _problem(answer).get("key")


def _words(answer: httpx.Response) -> str:
    """What the service says: what was wrong, where, and what to do."""
    problem = _problem(answer)
    if "detail" not in problem:
        return f"The service answered {answer.status_code}."
    fields = [f"{error['field']}: {error['message']}." for error in problem.get("errors") or ()]
    return " ".join([f"{str(problem['detail']).rstrip('.')}.", *fields, str(problem.get("solution", ""))]).strip()
