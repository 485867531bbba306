"""TLS and logging in."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.mail.rendering import MailRenderer
from app.mail.senders import MailRefused
from app.mail.smtp import SmtpSender
from tests.mail.drafts import SENDER, draft
from tests.mail.servers import Postbox, listening


@pytest.fixture(scope="module")
def message() -> EmailMessage:
    return MailRenderer().render(draft(), sender=SENDER)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


@pytest.fixture
def context(certificate: Path) -> ssl.SSLContext:
    """The server's side of TLS."""
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(certificate)
    return server


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine trusts the certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    """Knows one user."""
    known = isinstance(data, LoginPassword) and (data.login, data.password) == (b"portal", b"s3cret/@:")
    return AuthResult(success=known, handled=False)


async def send_once(message: EmailMessage, url: str) -> None:
    sender = SmtpSender(url, 1, 5)
    try:
        await sender.send(message)
    finally:
        await sender.close()


@pytest.mark.usefixtures("trusted")
def test_starttls_is_used_where_it_is_offered_and_the_login_travels_inside(
    message: EmailMessage, context: ssl.SSLContext
) -> None:
    postbox = Postbox()

    async def story() -> None:
        async with listening(
            postbox, tls_context=context, require_starttls=True, authenticator=authenticate, auth_required=True
        ):
            await send_once(message, f"smtp://portal:s3cret%2F%40%3A@127.0.0.1:{postbox.port}")

    asyncio.run(story())
    assert len(postbox.mails) == 1


@pytest.mark.usefixtures("trusted")
def test_smtps_speaks_tls_from_the_first_byte(message: EmailMessage, context: ssl.SSLContext) -> None:
    postbox = Postbox()

    async def story() -> None:
        async with listening(postbox, ssl=context):
            await send_once(message, f"smtps://127.0.0.1:{postbox.port}")

    asyncio.run(story())
    assert len(postbox.mails) == 1


@pytest.mark.usefixtures("trusted")
def test_a_refused_login_is_not_the_recipients_fault(message: EmailMessage, context: ssl.SSLContext) -> None:
    postbox = Postbox()

    async def story() -> MailRefused:
        async with listening(postbox, tls_context=context, authenticator=authenticate, auth_required=True):
            with pytest.raises(MailRefused, match="535") as refused:
                await send_once(message, f"smtp://portal:wrong@127.0.0.1:{postbox.port}")
            return refused.value

    refused = asyncio.run(story())
    assert not refused.permanent
    assert "wrong" not in str(refused)
    assert postbox.mails == []


def test_a_certificate_that_nobody_vouches_for_is_not_spoken_to(message: EmailMessage, context: ssl.SSLContext) -> None:
    postbox = Postbox()

    async def story() -> MailRefused:
        async with listening(postbox, tls_context=context):
            with pytest.raises(MailRefused, match="SSLCertVerificationError") as refused:
                await send_once(message, f"smtp://127.0.0.1:{postbox.port}")
            return refused.value

    assert not asyncio.run(story()).permanent
    assert postbox.mails == []
