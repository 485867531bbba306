"""Schemathesis over the committed document, with every check, as each kind of caller: the service keeps its word.

What is sent comes out of the document: its examples, values that fit its schemas or do not, and orders of calls in
which the ids of one answer are what the next call is about. `PORTAL_TEST_EXAMPLES=20` makes many, different at each
run, of every operation as every caller, and adds the bounds of every field and the methods that no address takes.
"""

import asyncio
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from schemathesis import Case, HookContext, Response
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.engine import events, from_schema
from schemathesis.openapi.checks import IgnoredAuth, RejectedPositiveData, UnsupportedMethodResponse
from schemathesis.schemas import BaseSchema

from app.ids import new_id
from app.mail.capture import MailCapture
from app.mail.rendering import MailRenderer
from tests.mail.drafts import SENDER, draft
from tests.security.callers import CALLERS, Caller, lines, with_password
from tests.support import mail_provider, platform
from tests.support.databases import Sql, drop, fresh_copy
from tests.support.service import listening, test_settings
from tests.support.world import Customer, World

LONG = "PORTAL_TEST_EXAMPLES" in os.environ
EXAMPLES = int(os.environ.get("PORTAL_TEST_EXAMPLES", "2"))
DOCUMENT = Path("openapi/openapi.json")

# 410 is a dead link, 413 a list that makes the body too large: whatever refuses, refuses.
REFUSALS = ["4xx", "503"]
# What no schema can say: which fields go together, what is known here, which letters Unicode has, what was hashed how.
BEYOND_SCHEMAS = re.compile(
    r"body: "
    r"|portalUrl: This is needed, or the organisation headers"
    r"|advanceChangeLimit: rangeMin is more than rangeMax"
    r"|continuationToken: Send back nextPageToken as it came"
    r"|accountNumber: Another customer of the organisation has this"
    r"|email: This is your address already"
    r"|\w+DateTime: This lies (in the future|before the registration)"
    r"|passwordHash: This is not an argon2, bcrypt or Django PBKDF2 hash"
    r"|subject: A subject is an id as it stands in the bearer token"
    r"|[\w.]+: Control characters are not allowed"
    r"|[\w.]+: This must be a whole number"  # a schema takes 144.0 for one
)
# Lines are judged one by one, and the answer to a bad one is a line; what the platform tells is kept as it came.
LENIENT = ("putCustomers", "receivePlatformEvent")
# A session whose id is "introspect" fits this address as well, and is no id.
ALSO_AN_ID = ("introspectSession", "DELETE")

schemathesis.serializer("application/x-ndjson")(lambda _, value: lines(value))


@pytest.fixture(scope="module")
def quiet(world: World, server: str, worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A service whose jobs nobody works on: no mail leaves, and no call to an address that a schema came up with."""
    name = f"portal_document_{worker_id}"
    settings = test_settings(
        database_url=fresh_copy(server, name),
        data_dir=tmp_path_factory.mktemp("quiet"),
        run_worker=False,
        mail_events_public_key=mail_provider.PUBLIC_KEY,
        platform_webhook_secret=platform.SECRET,
    )
    asyncio.run(MailCapture(settings.mailbox).send(MailRenderer().render(draft(), sender=SENDER)))
    with listening(settings) as (url, _), httpx.Client(timeout=20) as http:
        yield replace(world, url=url, settings=settings, sql=Sql(str(settings.database_url)), http=http)
    drop(server, name)


def document(world: World, customer: Customer, caller: Caller) -> BaseSchema:
    """The document as this caller goes through it; what they know beforehand is a customer."""
    config: dict[str, Any] = {
        "base-url": world.url,
        "headers": dict(caller.headers),
        "continue-on-failure": True,
        "output": {"sanitization": {"enabled": False}},
        "generation": {
            "max-examples": EXAMPLES,
            "deterministic": not LONG,
            "no-shrink": True,
            "database": "none",
            "with-security-parameters": caller.auth is None,  # who signs does so whatever comes
        },
        "phases": {"coverage": {"enabled": LONG}, "stateful": {"generation": {"max-examples": 5 * EXAMPLES}}},
        "checks": {"negative_data_rejection": {"expected-statuses": REFUSALS}},
        "dictionaries": {
            "ids": {"values": [str(customer.id)]},
            "ours": {"values": [str(customer.utility.organisation)]},
        },
        "parameters": {
            "path.customerId": {"dictionary": "ids", "probability": 0.8},
            "path.customeruuid": {"dictionary": "ids", "probability": 0.8},
            "path.organisationId": {"dictionary": "ours", "probability": 0.8},
        },
    }
    schema = schemathesis.openapi.from_path(
        DOCUMENT, config=schemathesis.Config.from_dict(config if LONG else config | {"seed": 1})
    )
    if not LONG:
        schema = schema.include(lambda found: caller.may_call(found.operation.definition.raw))
    if caller.auth is not None:
        schema.auth.set_from_requests(caller.auth)
    schema.hooks.register_hook_with_name(with_key_of_its_own, "map_case")
    schema.hooks.register_hook_with_name(is_failure, "filter_failure")
    return schema


def with_key_of_its_own(_: HookContext, case: Case) -> Case:
    """The same idempotency key again would be the only thing that all but the first call were refused for."""
    key = (case.headers or {}).get("Idempotency-Key")
    if isinstance(key, str) and 1 <= len(key) <= 255:
        case.headers["Idempotency-Key"] = str(new_id()).ljust(len(key), "0")
    return case


def is_failure(_: HookContext, failure: Failure, case: Case, response: Response) -> bool:
    """All are, but for what the checks cannot know."""
    operation = case.operation.definition.raw
    match failure:
        case RejectedPositiveData():
            # Taken out of a list: built-in roles have none.
            no_id = any(value in (None, "null", "None") for value in (case.path_parameters or {}).values())
            return not no_id and is_about_form(response.json())
        case AcceptedNegativeData():
            no_body = case.body is None and not operation.get("requestBody", {}).get("required")
            return not no_body and operation["operationId"] not in LENIENT
        case IgnoredAuth():
            # Tenant and organisation are an address and no secret: without them 400.
            return not any(set(alternative) <= {"tenant", "organisation"} for alternative in operation["security"])
        case UnsupportedMethodResponse():
            return (operation["operationId"], failure.method) != ALSO_AN_ID
    return True


def is_about_form(refusal: dict[str, Any]) -> bool:
    """Whether it is about the form of the input, which a schema says, and not about what there is."""
    for fault in refusal.get("errors") or [refusal]:
        if fault["key"] == "VALIDATION_FAILED":
            told = f"{fault['field']}: {fault['message']}" if "field" in fault else str(fault.get("message"))
            if not BEYOND_SCHEMAS.match(told):
                return True
    return False


@pytest.mark.asvs("2.2.1", "4.1.1", "16.5.1")
@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning")  # of Schemathesis' own
@pytest.mark.parametrize("kind", CALLERS)
def test_the_service_keeps_the_documents_word(quiet: World, kind: str) -> None:
    customer = with_password(quiet.utility().customer())
    schema = document(quiet, customer, CALLERS[kind](customer))
    failures: dict[tuple[str, str | None], str] = {}
    sent, taken, followed = 0, set(), 0
    for event in from_schema(schema).execute():
        match event:
            case events.ScenarioFinished(recorder=recorder):
                for case_id, exchange in recorder.interactions.items():
                    sent += 1
                    followed += recorder.cases[case_id].transition is not None
                    if exchange.response is not None and exchange.response.status_code < 300:
                        taken.add(recorder.cases[case_id].value.operation.label)
                    for check in recorder.checks.get(case_id, ()):
                        if found := check.failure_info:
                            said = exchange.response.text[:1_000] if exchange.response is not None else "no answer"
                            key = (check.name, found.failure.operation)
                            failures[key] = f"{found.failure}\n{found.code_sample}\n{said}"
            case events.NonFatalError(label=label, value=error):
                failures["error", label] = repr(error)
            case events.FatalError(exception=error):
                raise error
    print(f"{kind}: {sent} calls, {followed} of them about what another answered; {len(taken)} operations did it")
    assert not failures, "\n\n".join(f"{check} of {where}: {told}" for (check, where), told in failures.items())
    assert taken, "nothing that was sent was ever right"
    assert followed or kind != "employee"
