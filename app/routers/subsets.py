"""The part of the OpenAPI document that one kind of reader needs."""

from collections.abc import Iterable, Iterator
from typing import Any

from app.routers.audiences import AUDIENCES, Audience
from app.routers.introduction import PARTNERS_DESCRIPTION

_TITLES = {Audience.PARTNERS: ("Portal Access for partners", PARTNERS_DESCRIPTION)}


def subset(document: dict[str, Any], audience: Audience) -> dict[str, Any]:
    """A document of its own: the audience's operations, and of the components what they refer to."""
    title, description = _TITLES.get(audience, (document["info"]["title"], document["info"]["description"]))
    paths = {
        path: kept
        for path, methods in document["paths"].items()
        if (kept := {method: one for method, one in methods.items() if _is_for(one, audience)})
    }
    return document | {
        "info": document["info"] | {"title": title, "description": description},
        "paths": paths,
        "components": _used(document["components"], paths),
        "tags": [tag for tag in document["tags"] if audience in AUDIENCES[tag["name"]]],
    }


def _is_for(operation: dict[str, Any], audience: Audience) -> bool:
    return any(audience in AUDIENCES[tag] for tag in operation["tags"])


def _used(components: dict[str, dict[str, Any]], paths: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What the paths refer to, directly or not, in the order of the whole document."""
    reached = set(_schemes(paths))
    waiting = list(_references(paths))
    while waiting:
        kind, name = waiting.pop()
        if (kind, name) not in reached:
            reached.add((kind, name))
            waiting += _references(components[kind][name])
    return {
        kind: {name: one for name, one in named.items() if (kind, name) in reached}
        for kind, named in components.items()
    }


def _schemes(paths: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for methods in paths.values():
        for operation in methods.values():
            for alternative in operation["security"]:
                yield from (("securitySchemes", name) for name in alternative)


def _references(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            _, _, kind, name = value["$ref"].split("/")
            yield kind, name
        yield from _of_each(value.values())
    elif isinstance(value, list):
        yield from _of_each(value)


def _of_each(values: Iterable[Any]) -> Iterator[tuple[str, str]]:
    for value in values:
        yield from _references(value)
