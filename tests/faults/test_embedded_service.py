"""The service with its own PostgreSQL: ended, killed, started again."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from tests.support.service import REAL_LIMIT_VARIABLES, Process, environment, free_port, test_settings, wait_until_ready


class Demo:
    """`portal-access demo` in a data folder of its own."""

    def __init__(self, folder: Path, log: Path) -> None:
        settings = test_settings(data_dir=folder)
        self.variables = environment(settings, **REAL_LIMIT_VARIABLES)
        del self.variables["PORTAL_DATABASE_URL"]
        self.folder = folder
        self._log = log

    def start(self) -> tuple[str, Process]:
        port = free_port()
        process = Process(["demo", "--port", str(port)], self.variables, self._log)
        wait_until_ready(f"http://127.0.0.1:{port}")
        return f"http://127.0.0.1:{port}", process

    def tour(self, url: str, *stories: str) -> subprocess.CompletedProcess[str]:
        chosen = [part for story in stories for part in ("--story", story)]
        command = [str(Path(sys.executable).parent / "portal-access"), "tour", "--url", url, *chosen]
        return subprocess.run(command, env=self.variables, capture_output=True, text=True, timeout=60, check=False)

    def postgres(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            try:
                if process.name().startswith("postgres") and process.cwd() == str(self.folder.resolve() / "cluster"):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def until_postgres_is_gone(self) -> None:
        deadline = time.monotonic() + 10
        while self.postgres():
            assert time.monotonic() < deadline, "PostgreSQL was left behind"
            time.sleep(0.05)


@pytest.fixture
def demo(shared_folder: Path, tmp_path: Path) -> Iterator[Demo]:
    """Not under pytest's folder, which is closed to the user that PostgreSQL runs as."""
    demo = Demo(shared_folder / f"demo-{tmp_path.name}-{free_port()}", tmp_path / "log")
    yield demo
    for process in demo.postgres():
        with suppress(psutil.Error):  # it may be ending already
            process.terminate()


def test_the_demonstration_plays_its_tour_and_leaves_nothing_running(demo: Demo) -> None:
    url, process = demo.start()
    tour = demo.tour(url)
    assert tour.returncode == 0, tour.stdout + tour.stderr
    assert "PortalLoginSucceeded" in tour.stdout
    assert "Traceback" not in process.output
    assert httpx.get(f"{url}/mailbox").status_code == 200
    assert process.stop() == 0
    demo.until_postgres_is_gone()


def test_killed_without_warning_it_comes_back_with_its_data(demo: Demo) -> None:
    url, process = demo.start()
    assert demo.tour(url, "invitation").returncode == 0
    mails = len(httpx.get(f"{url}/mailbox/messages").json())
    process.kill()
    for server in demo.postgres():
        server.kill()
    url, process = demo.start()
    assert len(httpx.get(f"{url}/mailbox/messages").json()) == mails
    assert demo.tour(url, "invitation").returncode == 0
    process.stop()
    demo.until_postgres_is_gone()


def test_a_taken_port_is_said_in_one_line(demo: Demo) -> None:
    url, process = demo.start()
    port = url.rpartition(":")[2]
    command = [str(Path(sys.executable).parent / "portal-access"), "serve", "--port", port]
    refused = subprocess.run(command, env=demo.variables, capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode == 2
    assert f"Cannot listen on 127.0.0.1:{port}" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
    process.stop()


def test_the_tour_says_in_one_line_that_nothing_answers(demo: Demo) -> None:
    ended = demo.tour(f"http://127.0.0.1:{free_port()}")
    assert ended.returncode == 2
    assert "Nothing answers" in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1


def test_several_processes_answer_together(demo: Demo) -> None:
    port = free_port()
    process = Process(["serve", "--port", str(port), "--workers", "2"], demo.variables, demo.folder.parent / "workers")
    url = f"http://127.0.0.1:{port}"
    wait_until_ready(url, seconds=40)
    for _ in range(8):
        assert httpx.get(f"{url}/healthz").json() == {"status": "ok"}
    metrics = httpx.get(f"{url}/metrics").text
    assert 'portal_http_requests_total{method="GET",route="/healthz",status="200"} 8.0' in metrics
    assert all(json.loads(line) for line in process.output.splitlines())
    process.stop()
    demo.until_postgres_is_gone()


def test_when_the_parent_is_killed_its_processes_end(demo: Demo) -> None:
    port = free_port()
    process = Process(["serve", "--port", str(port), "--workers", "2"], demo.variables, demo.folder.parent / "orphans")
    url = f"http://127.0.0.1:{port}"
    wait_until_ready(url, seconds=40)
    process.kill()
    deadline = time.monotonic() + 15
    while True:
        try:
            httpx.get(f"{url}/healthz", timeout=2)
        except httpx.TransportError:
            break
        assert time.monotonic() < deadline, "the children went on answering"
        time.sleep(0.1)
