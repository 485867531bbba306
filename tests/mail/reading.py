"""Reading a mail as its receiver does: from its bytes."""

import email
import html
import re
from email import policy
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import cast


def received(message: EmailMessage) -> EmailMessage:
    """The message after its way over the wire."""
    return email.message_from_bytes(message.as_bytes(policy=policy.SMTP), policy=policy.default)


def part(message: EmailMessage, subtype: str) -> str:
    """The decoded content of the text (`plain`) or HTML part."""
    found = message.get_body((subtype,))
    assert found is not None
    return cast(str, found.get_content())


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        if tag == "a":
            self.links.append(found["href"] or "")
        elif loaded := found.get("src") or (found.get("href") if tag == "link" else None):
            self.loads.append(loaded)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def page(source: str) -> _Page:
    """What an HTML reader finds: links, what is loaded from elsewhere, tags, words."""
    parser = _Page()
    parser.feed(source)
    parser.close()
    return parser


def urls(text: str) -> list[str]:
    """Every URL in a text."""
    return re.findall(r"https?://\S+", html.unescape(text))
