"""Mails to an SMTP server, over a few kept connections.

Whose fault a refusal is decides whether a mail is tried again. A server that refuses the recipient or the content
for good (5xx at RCPT and DATA) will refuse them again. A server that refuses us, at the greeting, EHLO, STARTTLS,
login or MAIL FROM, says nothing about the recipient: a password, a certificate or a sender address is wrong in the
settings, and once that is mended the mail goes. Such refusals count as temporary, whatever their code.
"""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from urllib.parse import unquote, urlsplit

import aiosmtplib
from aiosmtplib import SMTPException, SMTPResponseException, SMTPServerDisconnected, SMTPTimeoutError

from app.mail.senders import MailRefused, presentable

IDLE_SECONDS = 30.0
MAILS_PER_CONNECTION = 100
CLOSING = 421  # RFC 5321, section 4.2.3: the server closes the connection
ABOUT_US = frozenset((530, 534, 535, 538))  # RFC 4954, section 6: authentication, wherever the server brings it up


@dataclass(slots=True)
class _Connection:
    """An open connection, how many mails it has taken, and since when (loop time) it is idle."""

    smtp: aiosmtplib.SMTP
    mails: int = 0
    idle_since: float = 0.0


class SmtpSender:
    """Sends mails to one SMTP server. Belongs to the event loop that it first sends in."""

    def __init__(
        self,
        url: str,
        connections: int,
        timeout: float,
        *,
        idle_seconds: float = IDLE_SECONDS,
        mails_per_connection: int = MAILS_PER_CONNECTION,
    ) -> None:
        """`url` is `smtp://user:password@host:587` (STARTTLS where offered) or `smtps://host:465`; user and password
        are percent-encoded. At most `connections` are open at once; `timeout`, in seconds, holds for connecting and
        for each answer of the server.

        Raises: ValueError, for a URL that is neither.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("an SMTP URL is smtp://user:password@host:port or smtps://…")
        self._host = parts.hostname
        self._tls = parts.scheme == "smtps"
        self._port = parts.port or (465 if self._tls else 587)
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        self._timeout = timeout
        self._idle_seconds = idle_seconds
        self._mails_per_connection = mails_per_connection
        self._slots = asyncio.Semaphore(connections)
        self._kept: list[_Connection] = []
        self._reaper: asyncio.Task[None] | None = None
        self._own_name: str | None = None

    async def send(self, message: EmailMessage) -> None:
        """Send one mail to the one recipient in its `To`.

        A kept connection that turns out dead is replaced once, unnoticed, as long as the server cannot have taken
        the mail: that is, at MAIL FROM. A loss after that is reported, so that no mail is sent twice in silence.

        Raises: MailRefused.
        """
        sender, recipient = (message[header].addresses[0].addr_spec for header in ("From", "To"))
        international = not (sender + recipient).isascii()
        options = ["SMTPUTF8"] if international else []
        encoding = "utf-8" if international else "ascii"
        content = message.as_bytes(policy=SMTPUTF8 if international else SMTP)
        async with self._slots, self._envelope(sender, options, encoding) as smtp:
            try:
                await smtp.rcpt(recipient, encoding=encoding)
                await smtp.data(content)
            except SMTPResponseException as refusal:
                permanent = 500 <= refusal.code < 600 and refusal.code not in ABOUT_US
                raise _refused(refusal, permanent=permanent) from None

    async def close(self) -> None:
        """Say goodbye on every kept connection."""
        if self._reaper is not None:
            self._reaper.cancel()
            self._reaper = None
        kept, self._kept = self._kept, []
        await asyncio.gather(*(_quit(connection.smtp) for connection in kept))

    @asynccontextmanager
    async def _envelope(self, sender: str, options: list[str], encoding: str) -> AsyncIterator[aiosmtplib.SMTP]:
        """A connection on which the server has taken MAIL FROM; kept for the next mail if it stays in order.

        Raises: MailRefused, for all that goes wrong in here and on the connection later.
        """
        connection = self._take()
        try:
            try:
                if connection is None or not await self._begin_again(connection, sender, options, encoding):
                    connection = await self._open()
                    await self._begin(connection, sender, options, encoding)
            except (SMTPException, OSError, ValueError) as fault:
                raise _refused(fault, permanent=False) from None
            try:
                yield connection.smtp
            except (SMTPException, OSError) as fault:
                raise _refused(fault, permanent=False) from None
            except ValueError:
                raise MailRefused("The recipient's address cannot be sent to.", permanent=True) from None
        except MailRefused:
            await self._keep(connection, reset=True)
            raise
        except BaseException:
            if connection is not None:
                connection.smtp.close()
            raise
        await self._keep(connection, reset=False)

    async def _begin(self, connection: _Connection, sender: str, options: list[str], encoding: str) -> None:
        if options and not connection.smtp.supports_extension("smtputf8"):
            raise MailRefused("The mail server takes no addresses with characters beyond ASCII.", permanent=True)
        connection.mails += 1
        await connection.smtp.mail(sender, options=options, encoding=encoding)

    async def _begin_again(self, connection: _Connection, sender: str, options: list[str], encoding: str) -> bool:
        """Whether a kept connection still works; a dead one is closed."""
        try:
            await self._begin(connection, sender, options, encoding)
        except (SMTPServerDisconnected, SMTPTimeoutError, OSError):
            connection.smtp.close()
            return False
        except SMTPResponseException as refusal:
            if refusal.code != CLOSING:
                raise
            connection.smtp.close()
            return False
        return True

    async def _open(self) -> _Connection:
        smtp = aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            username=self._user,
            password=self._password,
            local_hostname=await self._name(),
            timeout=self._timeout,
            use_tls=self._tls,
            start_tls=False if self._tls else None,
        )
        await smtp.connect()
        try:
            if smtp.is_ehlo_or_helo_needed:  # TLS from the start and no login: nobody has said hello
                await smtp.ehlo()
        except BaseException:
            smtp.close()
            raise
        return _Connection(smtp)

    async def _name(self) -> str:
        """The name to greet with. Looked up once: each look-up can wait for a name server."""
        if self._own_name is None:
            try:
                async with asyncio.timeout(self._timeout):
                    name = await asyncio.to_thread(socket.getfqdn)
            except TimeoutError:
                name = ""
            fit = re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", name)
            self._own_name = name if fit else "[127.0.0.1]"  # RFC 5321, section 4.1.4: an address literal then
        return self._own_name

    def _take(self) -> _Connection | None:
        """The most recently used connection: the others may then grow old and be closed."""
        while self._kept:
            connection = self._kept.pop()
            if connection.smtp.is_connected:
                return connection
        return None

    async def _keep(self, connection: _Connection | None, *, reset: bool) -> None:
        if connection is None or not connection.smtp.is_connected:
            return
        try:
            if reset:
                await connection.smtp.rset()
        except (SMTPException, OSError):
            connection.smtp.close()
            return
        except BaseException:
            connection.smtp.close()
            raise
        if connection.mails >= self._mails_per_connection:
            await _quit(connection.smtp)
            return
        connection.idle_since = asyncio.get_running_loop().time()
        self._kept.append(connection)
        if self._reaper is None or self._reaper.done():
            self._reaper = asyncio.create_task(self._reap(), name="idle SMTP connections")

    async def _reap(self) -> None:
        """Close connections that have been idle for long enough, until none is left."""
        now = asyncio.get_running_loop().time
        while self._kept:
            oldest = min(connection.idle_since for connection in self._kept)
            await asyncio.sleep(max(0.0, oldest + self._idle_seconds - now()))
            limit = now() - self._idle_seconds
            aged = [connection for connection in self._kept if connection.idle_since <= limit]
            self._kept = [connection for connection in self._kept if connection.idle_since > limit]
            await asyncio.gather(*(_quit(connection.smtp) for connection in aged))


async def _quit(smtp: aiosmtplib.SMTP) -> None:
    try:
        await smtp.quit()
    except (SMTPException, OSError):
        pass  # it is gone already
    finally:
        smtp.close()


def _refused(fault: Exception, *, permanent: bool) -> MailRefused:
    """The refusal in words for an employee."""
    match fault:
        case SMTPResponseException(code=code, message=reply):
            return MailRefused(presentable(f"{code} {reply}"), permanent=permanent)
        case SMTPTimeoutError():
            return MailRefused("The mail server did not answer in time.", permanent=False)
        case SMTPServerDisconnected():
            return MailRefused("The connection to the mail server was lost.", permanent=False)
        case aiosmtplib.SMTPConnectError() | OSError():
            cause = fault.__cause__ if isinstance(fault.__cause__, OSError) else fault
            kind = "" if isinstance(cause, aiosmtplib.SMTPConnectError) else f" ({type(cause).__name__})"
            return MailRefused(f"The mail server cannot be reached{kind}.", permanent=False)
        case _:
            return MailRefused(
                presentable(f"The mail server cannot be used: {getattr(fault, 'message', fault)}"), permanent=False
            )
