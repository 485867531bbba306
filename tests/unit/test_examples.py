"""The examples in the document are what the service would answer."""

from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter

from app.main import create_app
from app.routers.examples import EXAMPLES
from app.routers.walking import operations
from tests.support.service import test_settings


def _answers() -> dict[str, type[BaseModel]]:
    """The models of all answers, by the names they have in the document."""
    app = create_app(test_settings(data_dir="unused"))
    found = {}
    for _, _, route in operations(app):
        model: Any = route.response_model
        if getattr(model, "__origin__", None) is list:
            model = model.__args__[0]
        if isinstance(model, type) and issubclass(model, BaseModel):
            found[model.__name__.replace("[", "_").replace("]", "_")] = model
    return found


def test_every_answer_has_an_example() -> None:
    assert set(_answers()) == set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_what_its_model_would_answer(name: str) -> None:
    adapter = TypeAdapter(_answers()[name])
    assert adapter.dump_python(adapter.validate_python(EXAMPLES[name]), mode="json", by_alias=True) == EXAMPLES[name]
