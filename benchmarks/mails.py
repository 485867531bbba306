"""A worker's mails a second, beside a bare loop: `python -m benchmarks.mails`.

Both send invitations to the same sink over as many connections, in turns, each in a process of its own on one core;
PostgreSQL and the sink have the other. The worker takes each mail from the queue, writes it, and records in the
database and in the log what became of it; the loop has its messages ready and does nothing else.
"""

import argparse
import asyncio
import statistics
import sys
import time
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit

import aiosmtplib

from benchmarks.servers import on_first_core, use_second_core
from benchmarks.service import Stage, staged
from tests.journeys.batches import crowd
from tests.support.mail import Mailbox, SmtpServer
from tests.support.service import PORTAL_ACCESS, Process, environment

_CONNECTIONS = 4
_PARAGRAPH = "Zonneveld Warmte invites you to its portal, where your invoices and your contracts are.\n"
_PATIENCE = 300  # seconds


class Sink(Mailbox):
    """Takes mails and only counts them."""

    taken = 0
    first = last = 0.0

    async def handle_DATA(self, *_: Any) -> str:  # noqa: N802 - its library's name
        self.last = time.perf_counter()
        self.first = self.first if self.taken else self.last
        self.taken += 1
        return "250 OK"

    def pace(self, process: Process, count: int) -> float:
        """Mails a second, once so many have come."""
        deadline = time.monotonic() + _PATIENCE
        while self.taken < count:
            assert time.monotonic() < deadline, f"{self.taken} of {count} came: {process.output}"
            time.sleep(0.05)
        pace = (count - 1) / (self.last - self.first)
        self.taken = 0
        return pace


def by_worker(stage: Stage, sink: Sink, count: int) -> float:
    """Invite a new organisation's customers, and then let a worker send the mails."""
    utility = stage.world.utility()
    employee = utility.employee()
    for customer in crowd(utility, count):
        assert employee.post(f"/customers/{customer}/portal/invitations").status_code == 201
    process = Process(
        ["worker"], environment(stage.world.settings), stage.folder / "worker.log", on_first_core(PORTAL_ACCESS)
    )
    try:
        return sink.pace(process, count)
    finally:
        process.stop()


def by_loop(stage: Stage, sink: Sink, count: int) -> float:
    """The same number, by this file in a process of its own."""
    program = on_first_core(sys.executable, "-m", "benchmarks.mails", "--loop", str(stage.world.settings.smtp_url))
    process = Process(["--count", str(count)], environment(stage.world.settings), stage.folder / "loop.log", program)
    try:
        return sink.pace(process, count)
    finally:
        process.stop()


async def loop(url: str, count: int) -> None:
    """Send ready messages."""
    messages = iter([_message(number) for number in range(count)])
    place = urlsplit(url)

    async def connected() -> None:
        async with aiosmtplib.SMTP(hostname=place.hostname, port=place.port, start_tls=False) as smtp:
            for message in messages:
                await smtp.send_message(message)

    await asyncio.gather(*(connected() for _ in range(_CONNECTIONS)))


def _message(number: int) -> EmailMessage:
    """As large as an invitation, in two shapes as well."""
    message = EmailMessage()
    message["From"], message["To"] = "portal@example.com", f"jan.{number}@example.com"
    message["Subject"] = "Your invitation to the portal"
    message.set_content(_PARAGRAPH * 8)
    message.add_alternative(f"<p>{_PARAGRAPH}</p>" * 30, subtype="html")
    return message


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2_000, help="mails of a turn (2000)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each has its turn (3)")
    parser.add_argument("--loop", metavar="URL", help="be the loop")
    given = parser.parse_args()
    if given.loop:
        asyncio.run(loop(given.loop, given.count))
        return
    use_second_core()
    sink = Sink()
    with SmtpServer(sink) as smtp, staged("--no-worker", smtp_url=smtp.url, smtp_connections=_CONNECTIONS) as stage:
        turns = [(by_worker(stage, sink, given.count), by_loop(stage, sink, given.count)) for _ in range(given.rounds)]
    worker, bare = (statistics.median(one) for one in zip(*turns, strict=True))
    print(f"worker: {worker:,.0f} mails a second; bare loop: {bare:,.0f}; ratio {worker / bare:.2f}")


if __name__ == "__main__":
    main()
