"""Headers that hold, whatever stands in a name."""

import random

import pytest

from app.domain.organisations import Sender
from app.mail.headers import one_address
from app.mail.rendering import MailRenderer
from tests.mail.drafts import SENDER, draft, organisation
from tests.mail.reading import received

PIECES = (
    *(
        "Müller",
        "Hans",
        ",",
        "<b>",
        '"',
        "\\",
        "=cmd|x",
        "a@x.example",
        "(c)",
        ";",
        ":",
        "Wärme & Co. GmbH",
        "=?utf-8?q?x?=",
    ),
    *(
        "ß" * 40,
        "x" * 90,
        "\r\nBcc: eve@evil.example",
        "[z]",
        "'",
        "ø",
        "日本",
        "\x00",
        "\u202e",
        "<eve@evil.example>",
    ),
)


@pytest.fixture(scope="module")
def renderer() -> MailRenderer:
    return MailRenderer()


def test_the_headers_say_who_what_and_why(renderer: MailRenderer) -> None:
    message = received(renderer.render(draft(), sender=SENDER))
    assert message["From"] == f"Zonneveld Warmte <{SENDER}>"
    assert message["To"] == "sanne@example.com"
    assert message["Subject"] == "Your invitation to the customer portal of Zonneveld Warmte"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Portal-Communication-Id"] == "00000000-0000-0000-0000-000000000003"


def test_the_organisations_own_sender_wins(renderer: MailRenderer) -> None:
    mail = draft(
        organisation=organisation(sender=Sender(name="Zonneveld, klantendienst", email="info@zonneveld.example"))
    )
    sender = received(renderer.render(mail, sender=SENDER))["From"].addresses
    assert [(each.display_name, each.addr_spec) for each in sender] == [
        ("Zonneveld, klantendienst", "info@zonneveld.example")
    ]


def test_no_name_changes_sender_recipient_or_headers(renderer: MailRenderer) -> None:
    chosen = random.Random(7)
    usual = [name for name, _ in received(renderer.render(draft(), sender=SENDER)).items()]
    for _ in range(400):
        name = " ".join(chosen.choices(PIECES, k=chosen.randint(1, 6)))
        mail = draft(customer_name=name, organisation=organisation(name=name))
        message = received(renderer.render(mail, sender=SENDER))
        assert [each.addr_spec for each in message["From"].addresses] == [SENDER], name
        assert [each.addr_spec for each in message["To"].addresses] == ["sanne@example.com"], name
        assert [header for header, _ in message.items()] == usual, name


@pytest.mark.parametrize("name", ["Wärme & Co. GmbH, Köln", 'De "Zon" B.V.', "O'Neill (Heat); Ltd", "=cmd|x", "Lämpö"])
def test_a_name_reaches_the_receiver_as_it_is_written(renderer: MailRenderer, name: str) -> None:
    message = received(renderer.render(draft(organisation=organisation(name=name)), sender=SENDER))
    assert message["From"].addresses[0].display_name == name
    assert message["Subject"] == f"Your invitation to the customer portal of {name}"


@pytest.mark.parametrize(
    "address",
    [
        *(
            "a@x.example,b@y.example",
            "a@x.example b@y.example",
            "a@x.example;b@y.example",
            "a@x.example\r\nBcc: b@y.example",
        ),
        *(
            "<a@x.example>",
            "A <a@x.example>",
            '"a b"@x.example',
            "a@b@c.example",
            "a(c)@x.example",
            "a@x.example\n",
            "a@",
        ),
        *(
            "@x.example",
            "",
            "a",
            " a@x.example",
            "a@[127.0.0.1]",
            "a..b@x.example",
            "g: a@x.example;",
            "a\x00@x.example",
        ),
    ],
)
def test_what_is_not_one_address_is_refused(renderer: MailRenderer, address: str) -> None:
    with pytest.raises(ValueError, match="not one e-mail address"):
        renderer.render(draft(recipient=address), sender=SENDER)
    with pytest.raises(ValueError, match="not one e-mail address"):
        renderer.render(draft(), sender=address)


@pytest.mark.parametrize(
    "address", ["sanne.peeters+portal@mail.example.com", "o'neill@example.ie", "a@" + "d" * 60 + ".example"]
)
def test_an_address_stays_as_it_is(renderer: MailRenderer, address: str) -> None:
    message = received(renderer.render(draft(recipient=address), sender=SENDER))
    assert [each.addr_spec for each in message["To"].addresses] == [address]


def test_an_international_domain_travels_in_ascii() -> None:
    assert one_address("sanne@zonnewärme.example").addr_spec == "sanne@xn--zonnewrme-02a.example"


def test_a_long_message_id_survives(renderer: MailRenderer) -> None:
    identity = "0" * 36 + "." + "1" * 36 + "@" + "long-label." * 12 + "example"
    assert received(renderer.render(draft(message_id=identity), sender=SENDER))["Message-ID"] == f"<{identity}>"


def test_a_line_break_in_a_message_id_is_refused(renderer: MailRenderer) -> None:
    with pytest.raises(ValueError, match=r"linefeed|newline|CR"):
        renderer.render(draft(message_id="a@b.example>\r\nBcc: <eve@evil.example"), sender=SENDER)
