"""The document is complete: every operation tells its readers all they need, and says who they are."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from app.main import create_app
from app.routers.audiences import AUDIENCES, TAGS, Audience
from app.routers.subsets import subset
from app.seed import sample_customers
from tests.support.service import test_settings

_VERBS = (
    "assign|cancel|change|check|complete|confirm|create|delete|enable|end|find|forgot|get|impersonate|import|inspect|introspect|invite|list|log|"
    "logout|put|reactivate|receive|redeem|redeliver|register|remove|report|resend|reset|revoke|rotate|send|start|test|verify|view|watch"
)


@cache
def document() -> dict[str, Any]:
    return create_app(test_settings(database_url="postgresql://nobody@127.0.0.1/none")).openapi()


def operations(of: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in of["paths"].values():
        yield from methods.values()


def resolved(value: Any) -> Any:
    """What a reference stands for."""
    while isinstance(value, dict) and "$ref" in value:
        _, _, kind, name = value["$ref"].split("/")
        value = document()["components"][kind][name]
    return value


def exemplified(content: dict[str, Any]) -> bool:
    """Whether a reader is shown what it looks like: the whole, or one of the list."""
    if "example" in content:
        return True
    schema = resolved(content["schema"])
    shown = (content.get("examples"), schema.get("examples"), "const" in schema)
    return any(shown) or (schema.get("type") == "array" and exemplified({"schema": schema["items"]}))


every_operation = pytest.mark.parametrize("operation", list(operations(document())), ids=lambda one: one["operationId"])


@every_operation
def test_an_operation_has_a_name_a_function_can_have(operation: dict[str, Any]) -> None:
    assert re.fullmatch(rf"({_VERBS})([A-Z][a-z]+)*", operation["operationId"])


def test_no_two_operations_share_a_name() -> None:
    names = [operation["operationId"] for operation in operations(document())]
    assert len(names) == len(set(names))


@every_operation
def test_an_operation_explains_itself(operation: dict[str, Any]) -> None:
    assert operation["summary"][0].isupper()
    assert not operation["summary"].endswith(".")
    assert operation["description"].strip()
    assert all(parameter.get("description") for parameter in operation.get("parameters", ()))


@every_operation
def test_an_operation_says_who_may_call_it(operation: dict[str, Any]) -> None:
    schemes = document()["components"]["securitySchemes"]
    for alternative in operation["security"]:
        assert set(alternative) <= set(schemes)
    nobody = not operation["security"]
    assert nobody == operation["tags"][0].startswith(("Operations: health", "Operations: mailbox"))


@every_operation
def test_an_operation_shows_an_example_of_all_that_goes_in_and_comes_out(operation: dict[str, Any]) -> None:
    for content in operation.get("requestBody", {}).get("content", {}).values():
        assert exemplified(content)
    for status, answer in operation["responses"].items():
        assert answer["description"] not in ("", "Successful Response")
        assert answer.get("content") or status == "204"
        for content in answer.get("content", {}).values():
            assert exemplified(content), status


@every_operation
def test_an_operation_tells_its_refusals(operation: dict[str, Any]) -> None:
    statuses = set(operation["responses"])
    assert statuses & {"200", "201", "202", "204"}
    assert "500" in statuses
    if operation["security"]:
        assert "503" in statuses
        assert statuses & {"400", "401"}
    if "requestBody" in operation:
        assert {"413", "422"} <= statuses
    assert list(operation["responses"]) == sorted(statuses)


@every_operation
def test_an_operation_is_for_somebody(operation: dict[str, Any]) -> None:
    (tag,) = operation["tags"]
    assert tag in AUDIENCES, f"name the readers of '{tag}' in app/routers/audiences.py"


def test_the_tags_stand_in_reading_order_and_each_has_operations() -> None:
    used = {tag for operation in operations(document()) for tag in operation["tags"]}
    assert [tag["name"] for tag in document()["tags"]] == [tag.name for tag in TAGS]
    assert used == set(AUDIENCES)
    labels = {audience.label: audience for audience in Audience}
    readers = [labels[tag.name.partition(": ")[0]] for tag in TAGS]
    assert readers == sorted(readers, key=list(Audience).index), "a reader's tags stand together"
    assert all(reader in tag.audiences for tag, reader in zip(TAGS, readers, strict=True))


def test_partners_are_shown_their_operations_alone() -> None:
    shown = subset(document(), Audience.PARTNERS)
    names = {operation["operationId"] for operation in operations(shown)}
    assert {"putCustomer", "sendInvitation", "listOrganisationActivities", "introspectSession"} <= names
    assert not names & {"logIn", "getMe", "resetAccount", "startImpersonation", "receiveMailEvents", "getHealth"}
    assert all(Audience.PARTNERS in AUDIENCES[tag["name"]] for tag in shown["tags"])


@pytest.mark.parametrize("audience", Audience)
def test_a_part_of_the_document_refers_to_itself_alone_and_has_nothing_to_spare(audience: Audience) -> None:
    shown = subset(document(), audience)
    text = str(shown)
    referred = set(re.findall(r"#/components/(\w+)/([^']+)'", text))
    for operation in operations(shown):
        referred |= {("securitySchemes", name) for alternative in operation["security"] for name in alternative}
    kept = {(kind, name) for kind, named in shown["components"].items() for name in named}
    assert kept == referred
    everybodys = {operation["operationId"]: operation for operation in operations(document())}
    for operation in operations(shown):
        assert operation == everybodys[operation["operationId"]]


def test_every_operation_is_in_somebodys_part() -> None:
    shown = [
        operation["operationId"] for audience in Audience for operation in operations(subset(document(), audience))
    ]
    assert set(shown) == {operation["operationId"] for operation in operations(document())}


def test_the_customers_to_choose_from_are_the_samples() -> None:
    samples = {str(customer.customer_id): customer.display_name for customer in sample_customers()}
    parameters = [one for operation in operations(document()) for one in operation.get("parameters", ())]
    choices = next(one["examples"] for one in parameters if one["name"] == "customerId")
    assert {choice["value"]: name for name, choice in choices.items()}.items() <= samples.items()


def test_no_two_schemas_want_one_name() -> None:
    """The framework would tell them apart by their modules' names, which are nothing to the document's readers."""
    assert [name for name in document()["components"]["schemas"] if "__" in name] == []
