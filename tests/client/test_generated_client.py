"""The document is good enough to generate a typed client from it, and to write a program against that."""

import importlib
import json
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_python_client import Config, generate
from openapi_python_client.config import ConfigFile, MetaType

from app.cli import document_settings
from app.ids import new_id
from app.main import create_app
from tests.support.world import Utility

_NAME = "portal_access_client"
_JOURNEY = Path(__file__).parent / "journey.py"


# Files of lines: the generator knows no such bodies, and a program sends them with its HTTP client.
_LINES = "application/x-ndjson"


def _operations(document: dict[str, Any]) -> set[str]:
    """The names of the operations that the generator can make functions of."""
    every = [operation for methods in document["paths"].values() for operation in methods.values()]
    return {one["operationId"] for one in every if _LINES not in one.get("requestBody", {}).get("content", {})}


def _generate(document: dict[str, Any], folder: Path) -> list[str]:
    """Write the client's package into the folder; what the generator has to say."""
    known = _operations(document)
    paths = {
        path: {method: one for method, one in methods.items() if one["operationId"] in known}
        for path, methods in document["paths"].items()
    }
    source = folder / "openapi.json"
    source.write_text(json.dumps(document | {"paths": paths}))
    config = Config.from_sources(
        ConfigFile(post_hooks=[]),
        MetaType.NONE,
        document_source=source,
        file_encoding="utf-8",
        overwrite=False,
        output_path=folder / _NAME,
    )
    return [f"{said.level}: {said.header} {said.detail}" for said in generate(config=config)]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_app(document_settings()).openapi()


@pytest.fixture(scope="module")
def folder(document: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the generated package can be imported from."""
    folder = tmp_path_factory.mktemp("generated")
    assert _generate(document, folder) == []
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


def test_each_operation_is_a_function_under_its_own_name(document: dict[str, Any], folder: Path) -> None:
    api = importlib.import_module(f"{_NAME}.api")
    functions = set()
    for module in pkgutil.walk_packages(api.__path__, f"{_NAME}.api."):
        made = importlib.import_module(module.name)
        if not module.ispkg:
            assert callable(made.sync_detailed)
            functions.add(module.name.rpartition(".")[2])
    assert functions == {re.sub("([A-Z])", r"_\1", name).lower() for name in _operations(document)}


def test_client_and_program_are_free_of_type_errors(folder: Path) -> None:
    options = ["--strict", "--config-file=", f"--cache-dir={folder / '.mypy_cache'}"]
    command = [sys.executable, "-m", "mypy", *options, "-p", _NAME, "-m", "journey"]
    (folder / "journey.py").write_bytes(_JOURNEY.read_bytes())
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_program_goes_through_a_customers_whole_journey(folder: Path, utility: Utility) -> None:
    journey = importlib.import_module("tests.client.journey")
    bearer = utility.bearer(application=True)["Authorization"].removeprefix("Bearer ")
    tenant, organisation = str(utility.tenant), str(utility.organisation)
    mailbox, seen = utility.world.mailbox, []

    def mailed_token(address: str) -> str:
        seen.append(address)
        return mailbox.wait(address, len(seen)).token

    journey.play(utility.world.url, bearer, tenant, organisation, new_id(), mailed_token)


def test_the_partners_part_is_good_enough_too(tmp_path: Path) -> None:
    committed = Path(__file__).parents[2] / "openapi" / "partners.json"
    assert _generate(json.loads(committed.read_text(encoding="utf-8")), tmp_path) == []
