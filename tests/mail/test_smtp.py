"""Sending, against a real SMTP server in good and in bad health."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from typing import Any

import pytest

from app.mail.rendering import MailRenderer
from app.mail.senders import MailRefused
from app.mail.smtp import SmtpSender
from tests.mail.drafts import LINK, SENDER, draft
from tests.mail.reading import part
from tests.mail.servers import HANG, Postbox, listening


@pytest.fixture(scope="module")
def message() -> EmailMessage:
    return MailRenderer().render(draft(), sender=SENDER)


@asynccontextmanager
async def sending(postbox: Postbox, **given: Any) -> AsyncIterator[SmtpSender]:
    """A sender to a server that runs meanwhile."""
    known: dict[str, Any] = {"connections": 2, "timeout": 5}
    async with listening(postbox):
        sender = SmtpSender(postbox.url, **(known | given))
        try:
            yield sender
        finally:
            await sender.close()


def refusal(postbox: Postbox, message: EmailMessage, **given: Any) -> MailRefused:
    """How one mail is refused."""

    async def story() -> MailRefused:
        async with sending(postbox, **given) as sender:
            with pytest.raises(MailRefused) as refused:
                await sender.send(message)
            return refused.value

    return asyncio.run(story())


def test_a_mail_arrives_as_it_was_written(message: EmailMessage) -> None:
    postbox = Postbox()

    async def story() -> None:
        async with sending(postbox) as sender:
            await sender.send(message)

    asyncio.run(story())
    (mail,) = postbox.mails
    assert postbox.recipients == ["sanne@example.com"]
    assert mail["From"] == message["From"]
    assert mail["Message-ID"] == message["Message-ID"]
    assert LINK in part(mail, "plain").splitlines()
    assert part(mail, "html").splitlines() == part(message, "html").splitlines()


def test_one_connection_serves_many_mails(message: EmailMessage) -> None:
    postbox = Postbox()

    async def story() -> None:
        async with sending(postbox) as sender:
            for _ in range(5):
                await sender.send(message)

    asyncio.run(story())
    assert len(postbox.mails) == 5
    assert len(postbox.connections) == 1


def test_no_more_connections_are_open_than_allowed(message: EmailMessage) -> None:
    postbox = Postbox(pause=0.01)

    async def story() -> None:
        async with sending(postbox, connections=3) as sender:
            await asyncio.gather(*(sender.send(message) for _ in range(20)))

    asyncio.run(story())
    assert len(postbox.mails) == 20
    assert len(postbox.connections) == postbox.most_at_once == 3


def test_a_connection_is_replaced_after_its_share_of_mails(message: EmailMessage) -> None:
    postbox = Postbox()

    async def story() -> None:
        async with sending(postbox, mails_per_connection=2) as sender:
            for _ in range(5):
                await sender.send(message)

    asyncio.run(story())
    assert len(postbox.connections) == 3


def test_an_idle_connection_is_closed(message: EmailMessage) -> None:
    postbox = Postbox()

    async def story() -> tuple[int, int]:
        async with sending(postbox, idle_seconds=0.1) as sender:
            await sender.send(message)
            kept = postbox.open_connections()
            async with asyncio.timeout(5):
                while postbox.open_connections():  # noqa: ASYNC110 - the server knows no event
                    await asyncio.sleep(0.01)
            await sender.send(message)
            return kept, postbox.open_connections()

    assert asyncio.run(story()) == (1, 1)
    assert len(postbox.mails) == 2


def test_a_kept_connection_that_was_cut_is_replaced_unnoticed(message: EmailMessage) -> None:
    postbox = Postbox()

    async def story() -> None:
        async with sending(postbox) as sender:
            await sender.send(message)
            postbox.drop()  # the sender has not heard of it yet
            await sender.send(message)
            postbox.drop()
            await asyncio.sleep(0.05)  # now it has
            await sender.send(message)

    asyncio.run(story())
    assert len(postbox.mails) == 3
    assert len(postbox.connections) == 3


def test_a_kept_connection_that_the_server_is_tired_of_is_replaced_unnoticed(message: EmailMessage) -> None:
    postbox = Postbox(answers={"MAIL": ["250", "421 4.4.2 idle for too long", "250"]})

    async def story() -> None:
        async with sending(postbox) as sender:
            await sender.send(message)
            await sender.send(message)

    asyncio.run(story())
    assert len(postbox.mails) == 2
    assert len(postbox.connections) == 2


def test_a_mail_is_never_sent_again_once_its_content_has_gone(message: EmailMessage) -> None:
    postbox = Postbox(answers={"DATA": ["250", HANG]})

    async def story() -> None:
        async with sending(postbox, timeout=0.2) as sender:
            await sender.send(message)
            with pytest.raises(MailRefused, match="in time"):
                await sender.send(message)

    asyncio.run(story())
    assert len(postbox.mails) == 1
    assert len(postbox.connections) == 1


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
def test_a_temporary_refusal_is_worth_another_try(message: EmailMessage, command: str) -> None:
    refused = refusal(Postbox(answers={command: ["450 4.2.0 mailbox busy"]}), message)
    assert not refused.permanent
    assert str(refused) == "450 4.2.0 mailbox busy"


@pytest.mark.parametrize("command", ["RCPT", "DATA"])
def test_a_recipient_or_content_refused_for_good_stays_refused(message: EmailMessage, command: str) -> None:
    refused = refusal(Postbox(answers={command: ["550 5.1.1 no such user"]}), message)
    assert refused.permanent
    assert str(refused) == "550 5.1.1 no such user"


def test_a_refused_sender_is_not_the_recipients_fault(message: EmailMessage) -> None:
    assert not refusal(Postbox(answers={"MAIL": ["550 5.7.1 sender not allowed"]}), message).permanent


def test_a_demand_to_log_in_is_not_the_recipients_fault(message: EmailMessage) -> None:
    assert not refusal(Postbox(answers={"RCPT": ["530 5.7.0 Authentication required"]}), message).permanent


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
def test_a_server_that_hangs_is_not_waited_for(message: EmailMessage, command: str) -> None:
    refused = refusal(Postbox(answers={command: [HANG]}), message, timeout=0.2)
    assert not refused.permanent
    assert str(refused) == "The mail server did not answer in time."


def test_a_port_where_nobody_speaks_smtp_is_not_waited_for(message: EmailMessage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        sender = SmtpSender(f"smtp://127.0.0.1:{silent.getsockname()[1]}", 1, 0.2)
        with pytest.raises(MailRefused, match="in time") as refused:
            asyncio.run(sender.send(message))
    assert not refused.value.permanent


def test_a_server_that_is_away_is_said_to_be(message: EmailMessage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(MailRefused, match=r"cannot be reached \(ConnectionRefusedError\)") as refused:
        asyncio.run(SmtpSender(f"smtp://127.0.0.1:{port}", 1, 1).send(message))
    assert not refused.value.permanent


def test_after_a_refusal_the_connection_serves_the_next_mail(message: EmailMessage) -> None:
    postbox = Postbox(answers={"RCPT": ["550 5.1.1 no such user", "250"], "DATA": ["554 5.6.0 no", "250"]})

    async def story() -> None:
        async with sending(postbox) as sender:
            for _ in range(2):
                with pytest.raises(MailRefused):
                    await sender.send(message)
            await sender.send(message)

    asyncio.run(story())
    assert len(postbox.mails) == 1
    assert len(postbox.connections) == 1


def test_a_sending_given_up_halfway_leaves_no_connection_behind(message: EmailMessage) -> None:
    postbox = Postbox(answers={"DATA": [HANG, "250"]})

    async def story() -> None:
        async with sending(postbox, connections=1) as sender:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await sender.send(message)
            await sender.send(message)

    asyncio.run(story())
    assert len(postbox.mails) == 1
    assert len(postbox.connections) == 2


def test_a_refusal_shows_neither_addresses_nor_links(message: EmailMessage) -> None:
    reply = (
        "554 5.7.1 <sanne@example.com>: rejected, see https://blocked.example/?a=sanne@example.com "
        f'or portal.example/#token={"t" * 104} for {"x" * 80} by "sanne p"@example.com {"long " * 40}'
    )
    said = str(refusal(Postbox(answers={"RCPT": [reply]}), message))
    assert said.startswith("554 5.7.1 <***>: rejected, see … or … for … by *** long long")
    assert len(said) <= 300


def test_an_address_beyond_ascii_needs_a_server_that_takes_it() -> None:
    mail = MailRenderer().render(draft(recipient="måns@example.com"), sender=SENDER)
    postbox = Postbox()
    refused = refusal(postbox, mail)
    assert refused.permanent
    assert "beyond ASCII" in str(refused)

    async def story() -> None:
        async with listening(postbox, enable_SMTPUTF8=True):
            sender = SmtpSender(postbox.url, 1, 5)
            await sender.send(mail)
            await sender.close()

    asyncio.run(story())
    assert postbox.recipients == ["måns@example.com"]


@pytest.mark.parametrize("url", ["http://127.0.0.1", "smtp://", "127.0.0.1:25", ""])
def test_what_is_no_smtp_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="SMTP URL"):
        SmtpSender(url, 1, 1)
