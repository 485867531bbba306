"""`portal-access invite` as a person at a terminal meets it: a process of its own that calls the running service."""

import csv
import os
import pty
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

import pytest

from app.domain.invitation_batches import MOST_CUSTOMERS
from app.permissions import Permission, Role
from tests.journeys.batches import crowd, next_turn, results, until
from tests.journeys.reading import invitations
from tests.support.proxy import Proxy
from tests.support.receivers import Reply, receiver
from tests.support.service import environment, free_port
from tests.support.world import Utility

_COMMAND = str(Path(sys.executable).parent / "portal-access")


def _line(utility: Utility, *options: str | Path, url: str | None = None) -> list[str]:
    where = ["--tenant", str(utility.tenant), "--organisation", str(utility.organisation)]
    return [_COMMAND, "invite", *where, "--url", url or utility.world.url, *map(str, options)]


def _surroundings(utility: Utility, token: str | None = None) -> dict[str, str]:
    bearer = utility.bearer()["Authorization"].removeprefix("Bearer ") if token is None else token
    return environment(utility.world.settings, PORTAL_TOKEN=bearer)


def _invite(
    utility: Utility, *options: str | Path, url: str | None = None, token: str | None = None
) -> subprocess.CompletedProcess[str]:
    line, variables = _line(utility, *options, url=url), _surroundings(utility, token)
    return subprocess.run(line, env=variables, capture_output=True, text=True, timeout=60, check=False)


def _begin(utility: Utility, *options: str | Path, url: str | None = None) -> subprocess.Popen[str]:
    """The command while it runs, its batch begun."""
    line, variables = _line(utility, *options, url=url), _surroundings(utility)
    return subprocess.Popen(line, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _batch_of(running: subprocess.Popen[str]) -> str:
    """The batch that the command says it has begun."""
    assert running.stdout is not None
    word, batch_id, *_ = running.stdout.readline().split()
    assert word == "batch", running.communicate()
    return batch_id.rstrip(":")


def _failed(done: subprocess.CompletedProcess[str]) -> str:
    """What it complains about, having started nothing."""
    assert (done.returncode, done.stdout) == (2, ""), done.stdout + done.stderr
    assert done.stderr.startswith("portal-access: ")
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "customers.csv"


def test_everybody_of_the_file_is_invited(utility: Utility, file: Path) -> None:
    jan, emma = utility.customer(), utility.customer()
    file.write_text(f"name,accountNumber\nJan,{jan.number}\n\nEmma, {emma.number}\nJan again,{jan.number}\n")
    done = _invite(utility, "--file", file)
    assert (done.returncode, done.stderr) == (0, "")
    [begun, ended] = done.stdout.splitlines()
    assert begun.endswith(": 2 customers")
    assert ended == "finished: 2 invited, 0 skipped, 0 failed"
    for customer in (jan, emma):
        assert customer.mail().page.endswith("/register")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("\ufeffaccountNumber;name\r\n{};Jan\r\n", "utf-8"),
        ("Name\tACCOUNTNUMBER\n{1}\t{0}\n", "utf-8"),
        ('note,accountNumber\n"two\nlines, one comma",{}\n', "utf-8"),
        ("customerId,accountNumber\n{2},\n", "ascii"),
    ],
    ids=["as spreadsheets save it", "tabs", "quoted", "by id"],
)
def test_files_are_read_as_programs_write_them(utility: Utility, file: Path, text: str, encoding: str) -> None:
    customer = utility.customer()
    written = text.format(customer.number, "Amélie", str(customer.id).upper())
    file.write_bytes(written.encode(encoding))
    done = _invite(utility, "--file", file)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(invitations(customer)) == 1


def test_a_dry_run_tells_what_would_be_and_sends_nothing(utility: Utility, file: Path) -> None:
    customer = utility.customer()
    file.write_text(f"accountNumber\n{customer.number}\n")
    done = _invite(utility, "--file", file, "--dry-run")
    assert done.returncode == 0
    assert "finished: 1 would be invited, 0 skipped, 0 failed" in done.stdout
    assert invitations(customer) == []


def test_who_cannot_be_invited_is_told_and_so_is_why(utility: Utility, file: Path, tmp_path: Path) -> None:
    jan, active, mute = utility.customer(), utility.customer().active(), utility.customer(email=None)
    file.write_text(f"accountNumber\n{jan.number}\n{active.number}\n{mute.number}\nnobody\n")
    done = _invite(utility, "--file", file, "--language", "fi-FI")
    assert done.returncode == 1
    [begun, ended, *reasons] = done.stdout.splitlines()
    assert ended == "finished: 1 invited, 1 skipped, 2 failed"
    assert reasons == [f"  {mute.number}  USER_HAS_NO_EMAIL_ADDRESS", "  nobody  CUSTOMER_DOES_NOT_EXIST"]
    assert invitations(jan)[0]["language"] == "fi-FI"

    table = tmp_path / "results.csv"
    batch_id = begun.split()[1].rstrip(":")
    again = _invite(utility, "--batch", batch_id, "--results", table)
    assert again.returncode == 1
    assert again.stdout.splitlines()[-1] == f"The results stand in {table}."
    with table.open(encoding="utf-8-sig", newline="") as lines:
        told = [{name: value or None for name, value in row.items()} for row in csv.DictReader(lines)]
    assert told == results(utility, batch_id)


def test_of_many_the_first_ten_are_told(utility: Utility, file: Path, tmp_path: Path) -> None:
    file.write_text("\n".join(["accountNumber", *(f"nobody-{number}" for number in range(12))]))
    *_, tenth, more, again = _invite(utility, "--file", file).stdout.splitlines()
    assert tenth == "  nobody-9  CUSTOMER_DOES_NOT_EXIST"
    assert more == "  … and 2 more. All of them:"
    line = [str(tmp_path / word) if word == "results.csv" else word for word in shlex.split(again)[1:]]
    done = subprocess.run([_COMMAND, *line], env=_surroundings(utility), capture_output=True, timeout=60, check=False)
    assert done.returncode == 1
    assert len((tmp_path / "results.csv").read_text().splitlines()) == 13


def test_the_same_key_is_the_same_batch(utility: Utility, file: Path) -> None:
    customer = utility.customer()
    file.write_text(f"accountNumber\n{customer.number}\n")
    first, second = (_invite(utility, "--file", file, "--key", "spring-campaign") for _ in range(2))
    assert first.stdout == second.stdout
    assert len(invitations(customer)) == 1


def test_a_terminal_shows_how_far_it_is(slow: Utility, file: Path) -> None:
    crowd(slow, 2)
    file.write_text("accountNumber\nC-1\nC-2\n")
    screen, terminal = pty.openpty()
    line, variables = _line(slow, "--file", file), _surroundings(slow) | {"TERM": "xterm"}
    running = subprocess.Popen(line, env=variables, stdout=subprocess.PIPE, stderr=terminal, text=True)
    os.close(terminal)
    batch_id = _batch_of(running)
    shown = _shown_until(screen, "1/2")
    assert "inviting" in shown
    until(slow, batch_id, invited=1, pending=1)
    next_turn(slow)
    _shown_until(screen, "2/2")
    os.close(screen)
    assert running.communicate(timeout=20)[0] == "finished: 2 invited, 0 skipped, 0 failed\n"
    assert running.returncode == 0


def _shown_until(screen: int, text: str) -> str:
    """What stands on the terminal, once it shows this."""
    shown, deadline = "", time.monotonic() + 20
    while text not in shown:
        assert time.monotonic() < deadline, shown
        shown += os.read(screen, 4096).decode()
    return shown


def test_whoever_leaves_is_told_how_to_come_back(slow: Utility, file: Path) -> None:
    crowd(slow, 2)
    file.write_text("accountNumber\nC-1\nC-2\n")
    running = _begin(slow, "--file", file)
    batch_id = _batch_of(running)
    running.send_signal(signal.SIGINT)
    told = running.communicate(timeout=20)[1].strip().splitlines()
    assert running.returncode == 130
    assert told[:-1] == ["The batch does not need this command. To follow it again:"]
    until(slow, batch_id, invited=1, pending=1)
    next_turn(slow)
    line = [_COMMAND, *shlex.split(told[-1])[1:]]
    done = subprocess.run(line, env=_surroundings(slow), capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.splitlines() == [f"batch {batch_id}: 2 customers", "finished: 2 invited, 0 skipped, 0 failed"]
    assert done.returncode == 0


def test_whoever_leaves_before_the_answer_is_told_the_key(utility: Utility, file: Path) -> None:
    file.write_text("accountNumber\nC-1\n")
    with receiver() as silent:
        silent.replies = [Reply(hangs=True)]
        running = _begin(utility, "--file", file, url=silent.url)
        [asked] = silent.wait()
        running.send_signal(signal.SIGINT)
        told = running.communicate(timeout=20)[1].strip()
    assert running.returncode == 130
    key = asked.headers["idempotency-key"]
    assert told == f"If the batch has begun, the same command with --key {key} finds it."


def test_a_service_that_goes_away_and_comes_back_is_waited_for(slow: Utility, file: Path, tmp_path: Path) -> None:
    crowd(slow, 2)
    file.write_text("accountNumber\nC-1\nC-2\n")
    with Proxy(slow.world.url) as way:
        running = _begin(slow, "--file", file, "--results", tmp_path / "results.csv", url=way.url)
        batch_id = _batch_of(running)
        way.cut()
        until(slow, batch_id, invited=1, pending=1)
        next_turn(slow)
        time.sleep(1.5)  # it asks once a second
        assert running.poll() is None
        way.pass_on()
        told = running.communicate(timeout=30)
    assert (running.returncode, told[1]) == (0, "")
    assert len((tmp_path / "results.csv").read_text().splitlines()) == 3


def test_a_cancelled_batch_is_no_success(slow: Utility, file: Path) -> None:
    crowd(slow, 2)
    file.write_text("accountNumber\nC-1\nC-2\n")
    running = _begin(slow, "--file", file)
    batch_id = _batch_of(running)
    until(slow, batch_id, invited=1, pending=1)
    assert slow.employee().post(f"/organisation/invitation-batches/{batch_id}/cancel").status_code == 200
    assert running.communicate(timeout=20)[0] == "cancelled: 1 invited, 0 skipped, 0 failed, 1 pending\n"
    assert running.returncode == 1


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "has no column accountNumber or customerId"),
        (b"accountNumber\n\n ,\n", "names no customers"),
        (b"number\n20019188\n", "has no column accountNumber or customerId"),
        (b"customerId\nnoise\n\n;\n", "line 2: 'noise' is not a UUID\n  line 4: ';' is not a UUID"),
        (b"name,accountNumber\nJan\n", "line 2: the accountNumber is empty"),
        (b"accountNumber\n" + b"9" * 65, "line 2: an account number has 64 characters at most"),
        (b"accountNumber\n" + b"".join(b"%065d\n" % n for n in range(30)), "and 10 more"),
        ("accountNumber\nAmélie\n".encode("utf-16"), "is not UTF-8"),
        (b'accountNumber\n"' + b"x" * 200_000, "is no CSV"),
        (b"accountNumber\n" + b"".join(b"%d\n" % n for n in range(MOST_CUSTOMERS + 1)), "100,001 customers"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
def test_a_wrong_file_starts_nothing(utility: Utility, file: Path, content: bytes, complaint: str) -> None:
    file.write_bytes(content)
    said = _failed(_invite(utility, "--file", file))
    assert complaint in said
    assert str(file) in said
    assert utility.log("PortalInvitationBatchStarted") == []


def test_files_that_cannot_be_used_are_named(utility: Utility, file: Path, tmp_path: Path) -> None:
    assert f"{file} cannot be used (No such file" in _failed(_invite(utility, "--file", file))
    assert f"{tmp_path} cannot be used (Is a directory)" in _failed(_invite(utility, "--file", tmp_path))
    crowd(utility, 1)
    file.write_text("accountNumber\nC-1\n")
    for table in (tmp_path / "missing" / "results.csv", tmp_path):
        assert f"{table} cannot be used" in _failed(_invite(utility, "--file", file, "--results", table))
    said = _failed(_invite(utility, "--file", file, "--results", tmp_path / "." / file.name))
    assert f"--results would overwrite {file}" in said
    assert utility.log("PortalInvitationBatchStarted") == []


def test_it_is_one_batch_new_or_known(utility: Utility, file: Path) -> None:
    file.write_text("accountNumber\nC-1\n")
    known = str(uuid4())
    for options in ([], ["--file", file, "--batch", known]):
        assert "Give either --file" in _failed(_invite(utility, *options))
    for more in (["--dry-run"], ["--language", "nl-BE"], ["--key", "k"]):
        assert "belong to a new batch" in _failed(_invite(utility, "--batch", known, *more))


def test_a_service_that_refuses_is_quoted(utility: Utility, file: Path) -> None:
    crowd(utility, 1)
    file.write_text("accountNumber\nC-1\n")

    def refusal(*options: str, token: str | None = None) -> str:
        return _failed(_invite(utility, *(options or ("--file", str(file))), token=token))

    reader = utility.bearer(Role.READONLY, Permission.CUSTOMER_WRITE)["Authorization"].removeprefix("Bearer ")
    assert "portal.invite" in refusal(token=reader)
    assert "bearer token" in refusal(token="nonsense")
    assert "PORTAL_TOKEN is missing" in refusal(token="")
    for token in ("Bearer abc", "abc\ndef", "geheim€"):
        assert "PORTAL_TOKEN is wrong" in refusal(token=token)
    assert "--key is wrong" in refusal("--file", str(file), "--key", "two words")
    assert "language" in refusal("--file", str(file), "--language", "Klingon")
    assert "There is nothing here" in refusal("--batch", str(uuid4()))
    utility.change_settings(portalEnabled=False)
    assert "portal" in refusal()
    assert utility.log("PortalInvitationBatchStarted") == []


def test_a_wrong_uuid_is_a_wrong_option(utility: Utility, file: Path) -> None:
    done = _invite(utility, "--file", file, "--tenant", "noise")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Invalid value for '--tenant'" in done.stderr


def test_a_wrong_address_is_told_at_once(utility: Utility, file: Path) -> None:
    file.write_text("accountNumber\nC-1\n")
    started = time.monotonic()
    closed = f"http://127.0.0.1:{free_port()}"
    assert f"Nothing answers at {closed}. Is --url right?" in _failed(_invite(utility, "--file", file, url=closed))
    for wrong in ("portal-access.example.com", "ftp://example.com", "http://", ""):
        assert "--url is wrong" in _failed(_invite(utility, "--file", file, "--url", wrong))
    with receiver() as other:
        said = _failed(_invite(utility, "--file", file, url=other.url))
        assert f"What answers at {other.url} is not Portal Access" in said
    assert time.monotonic() - started < 30, "nobody was waited for"
