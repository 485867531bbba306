"""Dockerfile and compose.yaml, without an engine: what they name exists, and the installation works as written."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.settings import Settings

ROOT = Path(__file__).parents[2]


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions, continuation lines joined, comments dropped."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in text.splitlines() if line)]


def stages() -> list[list[tuple[str, str]]]:
    found: list[list[tuple[str, str]]] = []
    for instruction in instructions():
        if instruction[0] == "FROM":
            found.append([])
        found[-1].append(instruction)
    return found


def copies(stage: list[tuple[str, str]]) -> Iterator[tuple[list[str], str]]:
    """Sources in the checkout and the target of each COPY."""
    for word, rest in stage:
        if word == "COPY" and not rest.startswith("--from="):
            *sources, target = rest.split()
            yield sources, target


def compose() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return parsed


def images() -> list[str]:
    bases = [rest.split()[0] for word, rest in instructions() if word == "FROM"]
    return [*bases, *(service["image"] for service in compose()["services"].values() if "build" not in service)]


def test_every_path_that_is_copied_exists_and_is_sent_to_the_build() -> None:
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for stage in stages():
        for sources, _ in copies(stage):
            for source in sources:
                assert (ROOT / source).exists(), source
                assert source.split("/")[0] in sent, f"{source} is kept from the build by .dockerignore"


def test_every_image_has_an_exact_version_and_no_host() -> None:
    for image in images():
        name, _, version = image.partition("@")[0].partition(":")
        assert re.match(r"v?\d+\.\d+", version), image
        assert "." not in name.split("/")[0], f"{image} names a host"


def test_both_stages_run_the_same_python() -> None:
    assert len({rest.split()[0] for word, rest in instructions() if word == "FROM"}) == 1


def test_the_image_runs_as_nobody_special_and_says_how_it_is() -> None:
    last = dict(stages()[-1])
    assert int(last["USER"]) > 0
    assert "/healthz" in last["HEALTHCHECK"]
    assert shlex.split(last["ENTRYPOINT"].strip("[]").replace(",", " ")) == ["portal-access"]


def test_nothing_is_fetched_but_by_hash_and_no_secret_is_built_in() -> None:
    for word, rest in instructions():
        assert word != "ADD"
        assert not re.search(r"\b(curl|wget|apt-get|sudo)\b", rest), rest
        if word == "RUN" and "pip install" in rest:
            assert "--require-hashes" in rest or "--no-deps --no-build-isolation" in rest, rest
        if word in {"ENV", "ARG"}:
            assert "PORTAL_" not in rest


def test_compose_sets_only_what_the_settings_know() -> None:
    for name, service in compose()["services"].items():
        for variable in service.get("environment", {}):
            if variable.startswith("PORTAL_"):
                assert variable.removeprefix("PORTAL_").lower() in Settings.model_fields, f"{name}: {variable}"


def test_compose_holds_no_secret_and_fails_clearly_without_one() -> None:
    text = (ROOT / "compose.yaml").read_text()
    for secret in ("PORTAL_SECRET_KEYS", "POSTGRES_PASSWORD"):
        uses = re.findall(rf"\$\{{{secret}[^}}]*\}}", text)
        assert uses
        assert all(":?" in use for use in uses)
        assert not re.search(rf"{secret}: (?!\$)", text)


def test_compose_publishes_on_this_machine_only() -> None:
    for service in compose()["services"].values():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:")


def test_compose_migrates_once_before_anything_serves_or_works() -> None:
    services = compose()["services"]
    for name in ("service", "worker"):
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert services["migrate"]["restart"] == "no"
    assert {services[name]["build"] for name in ("migrate", "service", "worker")} == {"."}


def test_every_volume_and_dependency_of_compose_exists() -> None:
    parsed = compose()
    for service in parsed["services"].values():
        assert set(service.get("depends_on", {})) <= set(parsed["services"])
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in parsed["volumes"] or (ROOT / source).exists(), volume


def install(image: Path) -> tuple[Path, Path]:
    """Run the Dockerfile's stages line by line below the folder; the folders of the service and of the environment."""
    service, environment = image / "service", image / "venv"
    service.mkdir()
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PORTAL_"))}
    for stage in stages():
        for word, rest in stage:
            if word == "COPY" and not rest.startswith("--from="):
                *sources, target = rest.split()
                for source in sources:
                    copy(ROOT / source, service / target, into=target.endswith("/"))
            elif word == "RUN" and "useradd" not in rest:
                command = rest.replace("/venv", shlex.quote(str(environment)))
                command = re.sub(r"^python ", f"{shlex.quote(sys.executable)} ", command)
                ended = subprocess.run(command, shell=True, cwd=service, env=variables, capture_output=True, text=True)
                assert ended.returncode == 0, f"{command}\n{ended.stdout}{ended.stderr}"
    return service, environment / "bin"


def copy(source: Path, target: Path, *, into: bool) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        (target if into else target.parent).mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


# One test, for the installation takes half a minute and the workers of pytest-xdist would each make their own.
@pytest.mark.asvs("15.2.3")
def test_the_service_starts_from_what_the_image_holds_and_nothing_else(tmp_path: Path) -> None:
    service, programs = install(tmp_path)

    def python(code: str) -> str:
        ended = subprocess.run([programs / "python", "-c", code, tmp_path], cwd="/", capture_output=True, text=True)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.strip()

    assert python("import app; print(app.__file__)") == str(service / "app" / "__init__.py")
    assert python("from importlib.util import find_spec as f; print(f('pip'), f('setuptools'), f('pytest'))") == (
        "None None None"
    )
    without = (
        "import pathlib, sys\nfrom app.embedded import EmbeddedUnavailable, start\n"
        "try: start(pathlib.Path(sys.argv[1]))\nexcept EmbeddedUnavailable as error: print(error)"
    )
    assert "set PORTAL_DATABASE_URL" in python(without)
    assert python("import app.main") == ""
    shown = subprocess.run([programs / "portal-access", "--help"], cwd="/", capture_output=True, text=True)
    assert shown.returncode == 0, shown.stderr
