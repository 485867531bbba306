"""docs/partners.md as a newcomer follows it: its commands in one shell, and what it says is seen is seen."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.service import Process, free_port, wait_until_ready

_GUIDE = Path(__file__).parents[2] / "docs" / "partners.md"
_AND_THEN = "-- and then --"
_LONGEST = 120  # seconds


@dataclass(frozen=True)
class Step:
    """Commands, and what stands under them as what they print; `…` is anything."""

    commands: str
    shown: str | None


def _steps(text: str) -> list[Step]:
    found = re.findall(r"^```sh\n(.*?)^```\n(?:\n^```text\n(.*?)^```$)?", text, re.MULTILINE | re.DOTALL)
    return [Step(commands, shown or None) for commands, shown in found]


def _pattern(shown: str) -> str:
    return ".*".join(re.escape(part) for part in shown.strip().split("…"))


@pytest.fixture
def folder(shared_folder: Path) -> Path:
    """A checkout after `make setup`, as far as the guide needs it; not under pytest's folder, for PostgreSQL's user."""
    folder = shared_folder / f"guide-{free_port()}"
    folder.mkdir()
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


@pytest.fixture
def surroundings(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
    return kept | {"PORTAL_DATA_DIR": str(folder / ".data")}


@pytest.fixture
def guide(folder: Path, surroundings: dict[str, str]) -> Iterator[list[Step]]:
    """The steps after the first, which has started the demonstration; with ports of the test's own."""
    if shutil.which("curl") is None:
        pytest.skip("NO CURL: with 'apt-get install curl' the partners' guide is followed")
    port = str(free_port())
    text = _GUIDE.read_text(encoding="utf-8").replace("127.0.0.1:8000", f"127.0.0.1:{port}")
    first, *others = _steps(text.replace("9000", str(free_port())))
    setup, demo = first.commands.splitlines()
    setting, command, *arguments = shlex.split(demo)
    assert (setup, command, arguments) == ("make setup", ".venv/bin/portal-access", ["demo"])
    name, _, value = setting.partition("=")
    demonstration = Process([*arguments, "--port", port], surroundings | {name: value}, folder / "demo.log")
    try:
        wait_until_ready(f"http://127.0.0.1:{port}")
        yield others
    finally:
        demonstration.stop()


def _follow(script: str, folder: Path, surroundings: dict[str, str]) -> str:
    """What one shell prints that gets all of it, which comes to its end without a fault."""
    printed = folder / "printed.txt"
    with printed.open("w") as output:
        shell = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=folder,
            env=surroundings,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        shell.wait(_LONGEST)
    except subprocess.TimeoutExpired:
        pytest.fail(printed.read_text())
    finally:
        with suppress(ProcessLookupError):  # all that it has started is gone
            os.killpg(shell.pid, signal.SIGKILL)
    assert shell.returncode == 0, printed.read_text()
    return printed.read_text()


def test_everything_in_the_guide_happens(guide: list[Step], folder: Path, surroundings: dict[str, str]) -> None:
    printed = _follow("".join(f"{step.commands}\necho; echo '{_AND_THEN}'\n" for step in guide), folder, surroundings)
    for step, part in zip(guide, printed.split(_AND_THEN)[:-1], strict=True):
        shown = step.shown or ""
        assert re.fullmatch(_pattern(shown), part.strip(), re.DOTALL), f"{shown}\n-- is not --\n{part}"
    assert len([step for step in guide if step.shown]) >= 10, "the guide tells what there is to see"
