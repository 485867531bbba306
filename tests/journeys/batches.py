"""How the journeys start batches of invitations and wait for them."""

import time
from typing import Any
from uuid import UUID

import httpx

from app.ids import new_id
from tests.support.world import Client, Utility

BATCHES = "/organisation/invitation-batches"


def crowd(utility: Utility, size: int, **columns: Any) -> list[UUID]:
    """So many new customers with an address of their own; their ids, in the order in which the service meets them."""
    given = {"email": "crowd-" + str(utility.organisation)[-12:] + "-%s@example.com", "language": "en-GB"} | columns
    ids = [new_id() for _ in range(size)]
    utility.world.sql.run(
        "INSERT INTO customers (organisation_id, id, account_number, display_name, email, language, created_at)"
        " SELECT $1, id, 'C-' || place, 'Crowd ' || place, replace($3, '%s', place::text), $4,"
        " now() + place * interval '1 microsecond'"
        " FROM unnest($2::uuid[]) WITH ORDINALITY AS listed (id, place)",
        utility.organisation,
        ids,
        given["email"],
        given["language"],
    )
    return ids


def ask(utility: Utility, body: dict[str, Any], client: Client | None = None, **headers: str) -> httpx.Response:
    """An employee asks for a batch."""
    return (client or utility.employee()).post(BATCHES, body, headers=headers)


def start(utility: Utility, body: dict[str, Any]) -> dict[str, Any]:
    """A batch that has begun."""
    answer = ask(utility, body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def look(utility: Utility, batch_id: str) -> dict[str, Any]:
    """The batch as it stands."""
    answer = utility.employee().get(f"{BATCHES}/{batch_id}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def cancel(utility: Utility, batch_id: str) -> dict[str, Any]:
    """An employee stops a batch."""
    answer = utility.employee().post(f"{BATCHES}/{batch_id}/cancel")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def finished(utility: Utility, batch_id: str, seconds: float = 30) -> dict[str, Any]:
    """The batch, once it has come to its end."""
    deadline = time.monotonic() + seconds
    while (batch := look(utility, batch_id))["status"] == "running":
        assert time.monotonic() < deadline, batch
        time.sleep(0.03)
    return batch


def results(utility: Utility, batch_id: str, query: str = "") -> list[dict[str, Any]]:
    """Every result, page by page."""
    found: list[dict[str, Any]] = []
    token = ""
    while True:
        answer = utility.employee().get(f"{BATCHES}/{batch_id}/results?pageSize=200{token}{query}")
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page["results"]
        if not page["hasNextPage"]:
            return found
        token = f"&continuationToken={page['nextPageToken']}"


def counts(**given: int) -> dict[str, int]:
    """A batch's counts; what is not given is 0."""
    return {"requested": sum(given.values()), "invited": 0, "skipped": 0, "failed": 0, "pending": 0} | given


def planned_in(utility: Utility) -> float:
    """In how many seconds the organisation's batch is to go on."""
    return float(
        utility.world.sql.value(
            "SELECT extract(epoch FROM execute_after - now()) FROM pgqueuer"
            " WHERE entrypoint = 'run_invitation_batch' AND position(convert_to($1, 'UTF8') in payload) > 0",
            str(utility.organisation),
        )
    )


def come_due(utility: Utility) -> None:
    """Let the organisation's batches be looked at now, whether or not its turn has come."""
    utility.world.sql.run(
        "UPDATE pgqueuer SET execute_after = now()"
        " WHERE entrypoint = 'run_invitation_batch' AND position(convert_to($1, 'UTF8') in payload) > 0",
        str(utility.organisation),
    )


def next_turn(utility: Utility) -> None:
    """Let the time pass until the organisation's next invitations may go."""
    sql = "UPDATE invitation_paces SET free_at = now() WHERE organisation_id = $1"
    assert utility.world.sql.run(sql, utility.organisation) == "UPDATE 1"
    come_due(utility)


def until(utility: Utility, batch_id: str, **expected: int) -> dict[str, Any]:
    """The batch, once it has these counts and its job rests."""
    deadline = time.monotonic() + 20
    while (batch := look(utility, batch_id))["counts"] != counts(**expected) or _at_work(utility):
        assert time.monotonic() < deadline, batch
        time.sleep(0.03)
    return batch


def settled(utility: Utility, *batch_ids: str) -> list[dict[str, Any]]:
    """These batches, once none of the organisation's is worked on or due."""
    deadline = time.monotonic() + 20
    while _at_work(utility):
        assert time.monotonic() < deadline
        time.sleep(0.03)
    return [look(utility, batch_id) for batch_id in batch_ids]


def _at_work(utility: Utility) -> bool:
    """Whether one of the organisation's batches is worked on, or due."""
    return bool(
        utility.world.sql.value(
            "SELECT count(*) FROM pgqueuer WHERE entrypoint = 'run_invitation_batch'"
            " AND position(convert_to($1, 'UTF8') in payload) > 0"
            " AND (status::text = 'picked' OR execute_after <= now())",
            str(utility.organisation),
        )
    )
