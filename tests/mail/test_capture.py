"""The embedded capture, with several writers, damage and a limit."""

import asyncio
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from app.mail.capture import CapturedMail, MailCapture
from app.mail.rendering import MailRenderer
from tests.mail.drafts import LINK, SENDER, draft
from tests.mail.reading import page


def fill(folder: Path, name: str, count: int) -> None:
    """Capture mails whose subjects number them."""

    async def story() -> None:
        capture = MailCapture(folder)
        renderer = MailRenderer()
        for number in range(count):
            message = renderer.render(draft(), sender=SENDER)
            message.replace_header("Subject", f"{name} {number}")
            await capture.send(message)

    asyncio.run(story())


def read(folder: Path, keep: int = 1000) -> list[CapturedMail]:
    return asyncio.run(MailCapture(folder, keep).messages())


def test_a_captured_mail_is_shown_as_its_receiver_would_see_it(tmp_path: Path) -> None:
    fill(tmp_path / "mails", "mail", 1)
    (mail,) = read(tmp_path / "mails")
    assert mail.to == "sanne@example.com"
    assert mail.subject == "mail 0"
    assert LINK in mail.text.splitlines()
    assert page(mail.html).links == [LINK, LINK]
    assert mail.headers["Message-ID"] == "<0198.0002@zonneveld.example>"
    assert mail.communication_id == UUID(int=3)
    assert timedelta() <= datetime.now(UTC) - mail.received_at < timedelta(minutes=1)


def test_a_folder_that_does_not_exist_yet_holds_no_mails(tmp_path: Path) -> None:
    assert read(tmp_path / "nowhere") == []


def test_the_newest_mail_comes_first(tmp_path: Path) -> None:
    fill(tmp_path, "mail", 12)
    assert [mail.subject for mail in read(tmp_path)] == [f"mail {number}" for number in reversed(range(12))]


def test_two_writers_in_one_process_lose_nothing(tmp_path: Path) -> None:
    message = MailRenderer().render(draft(), sender=SENDER)

    async def story() -> int:
        writers = MailCapture(tmp_path), MailCapture(tmp_path)
        await asyncio.gather(*(writer.send(message) for _ in range(50) for writer in writers))
        return len(await writers[0].messages())

    assert asyncio.run(story()) == 100


def test_two_writers_in_two_processes_lose_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "mails"
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as writers:
        for writer in [writers.submit(fill, folder, name, 40) for name in ("one", "two")]:
            writer.result()
    subjects = {mail.subject for mail in read(folder)}
    assert subjects == {f"{name} {number}" for name in ("one", "two") for number in range(40)}


def test_only_the_newest_mails_are_kept(tmp_path: Path) -> None:
    message = MailRenderer().render(draft(), sender=SENDER)

    async def story() -> list[CapturedMail]:
        capture = MailCapture(tmp_path, keep=5)
        for number in range(12):
            message.replace_header("Subject", str(number))
            await capture.send(message)
        return await capture.messages()

    assert [mail.subject for mail in asyncio.run(story())] == ["11", "10", "9", "8", "7"]
    assert len(list((tmp_path / "new").iterdir())) == 5


def test_damaged_and_foreign_files_are_left_out(tmp_path: Path) -> None:
    fill(tmp_path, "mail", 2)
    whole = next(iter((tmp_path / "new").iterdir()))
    now = int(datetime.now(UTC).timestamp())
    (tmp_path / "new" / f"{now}.M1P1Q1.here").write_bytes(b"\x00\xff no mail at all")
    (tmp_path / "new" / f"{now}.M2P1Q2.here").write_bytes(b"")
    broken = whole.read_bytes().replace(b"Portal-Communication-Id: 0", b"Portal-Communication-Id: x")
    (tmp_path / "new" / f"{now}.M3P1Q3.here").write_bytes(broken)
    (tmp_path / "new" / "notes.txt").write_text("not a mail")
    (tmp_path / "new" / f"{now}.M4P1Q4.here").mkdir()
    (tmp_path / "new" / f"{now}.M5P1Q5.here").symlink_to(tmp_path / "gone")
    assert {"mail 0", "mail 1"} <= {mail.subject for mail in read(tmp_path)}


def test_a_mail_that_vanishes_is_forgotten(tmp_path: Path) -> None:
    fill(tmp_path, "mail", 3)

    async def story() -> tuple[int, int]:
        capture = MailCapture(tmp_path)
        before = len(await capture.messages())
        next(iter((tmp_path / "new").iterdir())).unlink()
        return before, len(await capture.messages())

    assert asyncio.run(story()) == (3, 2)
