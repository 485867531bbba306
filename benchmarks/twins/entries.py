"""What a write leaves behind: entries of the log, and a job."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

from pgqueuer.db import AsyncpgDriver
from pgqueuer.queries import Queries

from app.domain.activities import ActivityType, SubjectType
from app.domain.callers import Actor
from app.ids import new_id
from app.repositories import activities
from app.repositories.jobs import Job
from benchmarks.twins.bare import Answer, Connected, Row

SEEN = {"ip_address": "127.0.0.1", "user_agent": "wrk", "correlation_id": "benchmark"}
_NOT_IMPERSONATED = {"impersonation_id": None, "employee_id": None, "employee_name": None}


def entry(standing: Row, *what: Any) -> Answer:
    return entry_of(
        standing["c_id"], standing["c_account_number"], standing["c_display_name"], standing["a_generation"] or 0, *what
    )


def of_impersonation(standing: Row, kind: ActivityType, one: Row, payload: Answer | None = None) -> Answer:
    return entry(standing, kind, SubjectType.IMPERSONATION, one["i_id"], payload) | {
        "impersonation_id": str(one["i_id"]),
        "employee_id": one["i_employee_id"],
        "employee_name": one["i_employee_name"],
    }


def of_end(ended: Row, by: Actor) -> Answer:
    whom = (ended["customer_id"], ended["account_number"], by.name, ended["account_generation"])
    reason = {"reason": ended["end_reason"], "state": ended["state"]}
    return entry_of(*whom, ActivityType.IMPERSONATION_ENDED, SubjectType.IMPERSONATION, ended["id"], reason) | {
        "impersonation_id": str(ended["id"]),
        "employee_id": ended["employee_id"],
        "employee_name": ended["employee_name"],
    }


def entry_of(
    customer: UUID,
    number: str,
    name: str | None,
    generation: int,
    kind: ActivityType,
    subject: SubjectType,
    subject_id: UUID,
    payload: Answer | None = None,
) -> Answer:
    return {
        "id": str(new_id()),
        "type": kind.value,
        "customer_id": str(customer),
        "account_number": number,
        "account_generation": generation,
        "actor_type": "customer",
        "actor_id": str(customer),
        "actor_name": name,
        **_NOT_IMPERSONATED,
        "subject_type": subject.value,
        "subject_id": str(subject_id),
        **SEEN,
        "payload": payload or {},
    }


async def log(connected: Connected, *entries: Answer) -> None:
    await connected.rows(activities._APPEND, entries=list(entries))


async def enqueue(connected: Connected, job: Job, delay: timedelta = timedelta(0), **payload: Any) -> None:
    given = json.dumps({"organisationId": str(connected.organisation)} | payload).encode()
    queries = Queries(AsyncpgDriver(connected.driver))
    await queries.enqueue([job.value], [given], [0], [delay], [None], on_conflict="skip")
